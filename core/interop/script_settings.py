"""Settings of a script in whichever form it keeps them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from core.errors import DataError

__all__ = ["settings_of"]


def settings_of(config: Any) -> dict[str, Any]:
    """Return settings by name: of a mapping, an ``argparse.Namespace``, a dataclass, a pydantic model or other object.

    Raises:
        DataError: it holds no settings by name.
    """
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return dict(config)
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return dataclasses.asdict(config)
    if callable(dump := getattr(config, "model_dump", None)) and not isinstance(config, type):
        return dict(dump())
    if callable(to_dict := getattr(config, "to_dict", None)) and not isinstance(config, type):
        return dict(to_dict())
    if hasattr(config, "__dict__") and not isinstance(config, type) and not callable(config):
        return {name: value for name, value in vars(config).items() if not name.startswith("_")}
    raise DataError(
        f"config: got {type(config).__name__}", "Give a dictionary, argparse's Namespace, or a dataclass"
    )
