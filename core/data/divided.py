"""Inputs of each split, from those of all samples: copied, or rearranged where they lie."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.mapped import MappedRows, select
from core.machine import memory

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.inputs import Fields
    from core.data.stream.rows import StreamedRows

__all__ = ["divide_inputs"]

LARGE = 64 << 20
"""Bytes from which on a second copy is avoided."""
PIECES = 8
"""Parts of a sample that are rearranged one after the other, each with a copy of its own."""
ROOM = 0.5
"""Part of the free memory that a second copy may take."""


def divide_inputs(
    inputs: "Tensor | MappedRows | StreamedRows | Fields", parts: Mapping[str, np.ndarray], *, owned: bool
) -> dict[str, Any]:
    """Return the inputs at the positions of each split.

    Args:
        owned: nothing else uses them. Large ones are rearranged then, and splits are views of them. Others of which a
            copy would not fit into memory well are read row by row.
    """
    from torch import Tensor

    from core.data.inputs import Fields
    from core.data.stream.rows import StreamedRows

    if isinstance(inputs, StreamedRows):
        return {part: inputs.at(at) for part, at in parts.items()}
    if isinstance(inputs, Fields):
        columns = {name: divide_inputs(each, parts, owned=owned) for name, each in _plain(inputs).items()}
        others = {name: each for name, each in inputs.columns.items() if name not in columns}
        return {
            part: Fields(
                {
                    name: columns[name][part] if name in columns else others[name][at]
                    for name in inputs.columns
                }
            )
            for part, at in parts.items()
        }
    if not isinstance(inputs, Tensor) or inputs.nbytes < LARGE:
        return {part: select(inputs, at) for part, at in parts.items()}
    if owned and inputs.is_contiguous():
        return _rearranged(inputs, parts)
    if inputs.ndim > 2 and inputs.nbytes > ROOM * memory().available:
        return {part: MappedRows(inputs.numpy(), at) for part, at in parts.items()}
    return {part: select(inputs, at) for part, at in parts.items()}


def _plain(fields: "Fields") -> "dict[Any, Tensor | MappedRows]":
    """The fields that are rows of one shape."""
    from torch import Tensor

    return {name: each for name, each in fields.columns.items() if isinstance(each, Tensor | MappedRows)}


def _rearranged(inputs: "Tensor", parts: Mapping[str, np.ndarray]) -> "dict[str, Tensor]":
    """Views of the samples of each split, after these were brought next to each other."""
    import torch

    order = torch.from_numpy(np.concatenate([*parts.values()]))
    flat = inputs.view(len(inputs), -1)
    width = -(-flat.shape[1] // PIECES)
    for start in range(0, flat.shape[1], width):
        piece = flat[:, start : start + width]
        piece[: len(order)] = piece[order]
    ends = np.cumsum([len(at) for at in parts.values()]).tolist()
    return {part: inputs[end - len(at) : end] for end, (part, at) in zip(ends, parts.items(), strict=True)}
