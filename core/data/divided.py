"""Inputs of each split, from those of all samples: copied, or rearranged where they lie."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.mapped import HeldRows, select

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.inputs import Fields
    from core.data.mapped import MappedRows
    from core.data.sequences import Ragged
    from core.data.stream.rows import StreamedRows

__all__ = ["divide_inputs", "divide_sequences"]

LARGE = 64 << 20
"""Bytes from which on a second copy is avoided."""
PIECES = 16
"""Parts of a sample that are rearranged one after the other, each with a copy of its own."""


def divide_inputs(
    inputs: "Tensor | MappedRows | StreamedRows | Fields", parts: Mapping[str, np.ndarray], *, owned: bool
) -> dict[str, Any]:
    """Return the inputs at the positions of each split.

    Args:
        owned: nothing else uses them. Large ones are rearranged then, and splits are views of them; others stay where
            they are, and their rows are gathered when they are asked for.
    """
    from torch import Tensor

    from core.data.inputs import Fields
    from core.data.sequences import Ragged
    from core.data.stream.rows import StreamedRows

    if isinstance(inputs, StreamedRows):
        return {part: inputs.at(at) for part, at in parts.items()}
    if isinstance(inputs, Fields):
        columns = {
            name: divide_sequences(each, parts)
            if isinstance(each, Ragged)
            else divide_inputs(each, parts, owned=owned)
            for name, each in inputs.columns.items()
        }
        return {part: Fields({name: columns[name][part] for name in columns}) for part in parts}
    if not isinstance(inputs, Tensor) or inputs.nbytes < LARGE:
        return {part: select(inputs, at) for part, at in parts.items()}
    if owned and inputs.is_contiguous():
        return _rearranged(inputs, parts)
    return {part: HeldRows(inputs.numpy(), at) for part, at in parts.items()}


def divide_sequences(inputs: "Ragged", parts: Mapping[str, np.ndarray]) -> "dict[str, Ragged]":
    """Return the sequences at the positions of each split, as views of large ones, which are rearranged.

    Sequences that come one after the other are always a copy made here, which nothing else uses. Others stay where they
    are.
    """
    from core.data.arrays.held_sequences import HeldSequences

    if isinstance(inputs, HeldSequences):
        return {part: inputs.held(at) if len(at) else inputs[at] for part, at in parts.items()}
    every = np.concatenate([*parts.values()])
    if (
        inputs.nbytes < LARGE
        or len(np.unique(every)) < len(every)
        or any((np.diff(at) < 0).any() for at in parts.values())
    ):
        return {part: inputs[at] for part, at in parts.items()}
    left, divided = np.arange(len(inputs)), dict[str, Any]()
    first, *others = sorted(parts, key=lambda part: -len(parts[part]))
    for part, at in {"": np.setdiff1d(left, every), **{part: parts[part] for part in others}}.items():
        inputs, divided[part] = inputs.moved_to_end(np.searchsorted(left, at))
        left = np.setdiff1d(left, at)
    return {part: inputs if part == first else divided[part] for part in parts}


def _rearranged(inputs: "Tensor", parts: Mapping[str, np.ndarray]) -> "dict[str, Tensor]":
    """Views of the samples of each split, after these were brought next to each other."""
    import torch

    order = torch.from_numpy(np.concatenate([*parts.values()]))
    flat = inputs.view(len(inputs), -1)
    width = -(-flat.shape[1] // PIECES)
    room = flat.new_empty(len(order) * width)
    for start in range(0, flat.shape[1], width):
        piece = flat[:, start : start + width]
        sorted_rows = room[: len(order) * piece.shape[1]].view(len(order), -1)
        piece[: len(order)] = torch.index_select(piece, 0, order, out=sorted_rows)
    ends = np.cumsum([len(at) for at in parts.values()]).tolist()
    return {part: inputs[end - len(at) : end] for end, (part, at) in zip(ends, parts.items(), strict=True)}
