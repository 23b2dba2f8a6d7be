"""Settings of a script in whichever form it keeps them, and what follows from them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from core.errors import DataError
from core.metrics import has_direction

__all__ = ["directions_of", "number_of", "settings_of"]


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


def directions_of(
    monitor: str, mode: Literal["min", "max"] | None, given: Mapping[str, bool]
) -> dict[str, bool]:
    """Return the directions of a script's metrics, that of the monitored one with them.

    Raises:
        DataError: it is not known, or not one of the two.
    """
    if mode not in (None, "min", "max"):
        raise DataError(f"mode: got {mode!r}", "It takes 'min' or 'max'")
    directions = {str(name): bool(higher) for name, higher in given.items()}
    if mode is not None:
        directions[monitor] = mode == "max"
    if not has_direction(monitor, directions):
        raise DataError(
            f"monitor: less or more {monitor} may be the better one", "Give mode='min' or mode='max', too"
        )
    return directions


def number_of(value: object) -> float:
    """A setting that may be anything, if it is a number; else 0."""
    return float(value) if isinstance(value, int | float) else 0.0
