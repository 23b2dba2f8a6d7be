"""A state that several processes hold parts of, as one whole state."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Place", "State", "joined", "put"]

Place = tuple[str | int, ...]
"""Keys that lead to a value of a nested state."""
State = dict[str, Any]
Parts = dict[Place, Tensor]
"""Rows of each divided tensor that one process has."""


def joined(state: State, parts: Sequence[Parts]) -> State:
    """Return a divided state with its tensors whole.

    Args:
        state: ``divided`` in it has the number of rows of each tensor.
        parts: of each process, in the order of their ranks.

    Raises:
        ValueError: they do not make up what `state` says.
    """
    whole = {key: value for key, value in state.items() if key != "divided"}
    for place, rows in state["divided"].items():
        pieces = [part[place] for part in parts if place in part]
        if len(pieces) != len(parts) or sum(map(len, pieces)) != rows:
            raise ValueError(f"{'.'.join(map(str, place))} is not complete")
        whole = put(whole, place, torch.cat(pieces))
    return whole


def put(state: Any, place: Place, value: Any) -> Any:
    """Return a copy of a nested state with another value at one place; what is not on the way is shared."""
    if not place:
        return value
    return {**state, place[0]: put(state[place[0]], place[1:], value)}
