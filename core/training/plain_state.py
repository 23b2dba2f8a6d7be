"""States of the user's own code in plain values: a checkpoint is read without running any code from it."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

__all__ = ["as_plain", "not_plain"]

PLAIN = (type(None), bool, int, float, str)
MAPPINGS = (dict, OrderedDict, defaultdict, Counter)


def as_plain(state: Any) -> Any:
    """Return a nested state with NumPy's numbers as Python's; tensors stay as they are."""
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, dict):
        return {as_plain(key): as_plain(value) for key, value in state.items()}
    if type(state) in (list, tuple):
        return (
            [as_plain(value) for value in state] if isinstance(state, list) else tuple(map(as_plain, state))
        )
    return state


def not_plain(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of everything in a nested state that a checkpoint cannot hold."""
    if isinstance(state, Tensor | np.generic) or type(state) in PLAIN:
        return
    if type(state) in MAPPINGS:
        for key, value in state.items():
            yield from not_plain(value, f"{path}.{key}".lstrip("."))
    elif type(state) in (list, tuple, set):
        for place, value in enumerate(state):
            yield from not_plain(value, f"{path}[{place}]")
    else:
        yield path, state
