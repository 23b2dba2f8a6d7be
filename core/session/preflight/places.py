"""The user's lines that a finding is about, looked up in the source that ran."""

import inspect
import re
import sys
from contextlib import suppress

from torch import nn

from core.config.schema import TrainConfig
from core.errors import TorchtuiError
from core.user_code.loading import load_object, references
from core.user_code.modules import is_users

__all__ = ["place_of", "users_classes"]


def users_classes(model: nn.Module) -> list[type]:
    """Return the classes of a network's modules that the user wrote, without repeats."""
    kinds = dict.fromkeys(kind for module in model.modules() for kind in type(module).__mro__)
    return [
        kind for kind in kinds if is_users(str(getattr(sys.modules.get(kind.__module__), "__file__", "")))
    ]


def place_of(pattern: str, model: nn.Module, config: TrainConfig) -> str:
    """Return `` (mynet.py, line 12)`` for the last line of the network's code that matches; empty if none does."""
    sources: list[object] = list(users_classes(model))
    with suppress(TorchtuiError):
        sources += [load_object(used.reference) for used in references(config) if used.section == "model"]
    for source in sources:
        try:
            lines, first = inspect.getsourcelines(source)  # type: ignore[arg-type]  # a class or a function
            file = inspect.getsourcefile(source) or ""  # type: ignore[arg-type]  # as above
        except (OSError, TypeError):  # such as an object that is neither
            continue
        numbers = [
            number for number, line in enumerate(lines, first) if re.search(pattern, line.partition("#")[0])
        ]
        if numbers and is_users(file):
            return f" ({file.replace(chr(92), '/').rpartition('/')[2]}, line {numbers[-1]})"
    return ""
