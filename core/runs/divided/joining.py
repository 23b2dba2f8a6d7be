"""A state that several processes hold parts of, as one whole state."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Keys", "joined", "put"]

Keys = tuple[str | int, ...]
"""Place of a value in a nested state."""


def joined(state: dict[str, Any], parts: Sequence[dict[Keys, Tensor]]) -> dict[str, Any]:
    """Return a divided state with its tensors whole.

    Args:
        state: ``divided`` in it has the number of rows of each tensor.
        parts: taken apart meanwhile, for there may be no room for all of it twice: rows of each divided tensor that
            each process has, in the order of their ranks.

    Raises:
        ValueError: they do not make up what `state` says.
    """
    whole = {key: value for key, value in state.items() if key != "divided"}
    for place, rows in state["divided"].items():
        pieces = [part.pop(place) for part in parts if place in part]
        if len(pieces) != len(parts) or sum(map(len, pieces)) != rows:
            raise ValueError(f"{'.'.join(map(str, place))} is not complete")
        whole = put(whole, place, torch.cat(pieces))
    return whole


def put(state: Any, place: Keys, value: Any) -> Any:
    """Return a copy of a nested state with another value at one place; what is not on the way is shared."""
    if not place:
        return value
    return {**state, place[0]: put(state[place[0]], place[1:], value)}
