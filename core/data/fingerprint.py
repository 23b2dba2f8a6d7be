"""Fingerprint of a user's data: shows whether it has changed, without keeping its samples."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import Dataset, Split

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.arrays.held_sequences import JoinedSteps
    from core.data.mapped import MappedRows

__all__ = ["OWN", "fingerprint", "same"]

OWN = ("arrays", "image_folder", "mask_folder", "text_folder", "python")
"""Sources whose samples can change; tables from files have the digest of their content for that."""
MAX_BYTES = 256 << 20
BYTES_AT_ONCE = 16 << 20
CLOSE = 1e-5
"""Part of all that is added up which rounding may change."""


def fingerprint(data: Dataset, most: int | None = None) -> dict[str, Any]:
    """Plain values of each split that has samples, fit for JSON, that `same` compares.

    They tell the samples, their targets, their order, and which split each is in. The numbers that a function of the
    user's computes may differ in their last bits on another processor, or with other threads: these are added up.

    Args:
        most: bytes of the inputs of a split, and of its targets; of larger ones evenly spaced samples are looked at.
            By default 256 MiB.
    """
    most = most or MAX_BYTES
    return {name: _of_split(data, split, most) for name, split in data.splits.items() if len(split)}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two fingerprints are of the same data, in the splits that both know: trials know no test.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: one is none.
    """
    return all(_is_same(one[name], other[name]) for name in one.keys() & other.keys())


def _of_split(data: Dataset, split: Split, most: int) -> dict[str, Any]:
    from core.data.stream.rows import StreamedRows

    digest, sums = hashlib.sha256(data.digest.encode()), []
    inputs = list(_inputs(split))
    shapes = (
        [split.inputs.shape] if isinstance(split.inputs, StreamedRows) else [each.shape for each in inputs]
    )
    digest.update(f"{len(split)} {', '.join(str(tuple(shape)) for shape in shapes)}".encode())
    digest.update(np.ascontiguousarray(split.indices).data)
    for values in (split.targets,) if data.digest else (split.targets, *inputs):
        if data.name == "python" and _are_numbers(values):
            sums.append(_sums(values, most))
        else:
            for rows in _some(values, most):
                digest.update(rows.data)
    return {"digest": digest.hexdigest(), "sums": sums}


def _inputs(split: Split) -> "Iterator[Tensor | MappedRows | JoinedSteps]":
    """Yield the tensors that inputs are kept in."""
    from core.data.inputs import Fields
    from core.data.sequences import Ragged
    from core.data.stream.rows import StreamedRows

    held = split.inputs.few if isinstance(split.inputs, StreamedRows) else split.inputs
    if not isinstance(held, Fields):
        yield held
        return
    for column in held.columns.values():
        if isinstance(column, Ragged):
            yield column.steps
            yield column.offsets
        else:
            yield column


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one["digest"] != other["digest"]:
        return False
    pairs = zip(one["sums"], other["sums"], strict=True)
    return all(abs(a - b) <= CLOSE * max(size, other_size) for (a, size), (b, other_size) in pairs)


def _some(values: "Tensor | MappedRows | JoinedSteps", most: int) -> Iterator[np.ndarray]:
    """Rows in pieces: all, or evenly spaced ones where there are too many."""
    import torch

    step = -(-values.nbytes // most) or 1
    length = step * max(1, BYTES_AT_ONCE * len(values) // max(1, values.nbytes))
    for start in range(0, len(values), length):
        yield torch.as_tensor(values[start : start + length : step]).contiguous().numpy()


def _are_numbers(values: "Tensor | MappedRows | JoinedSteps") -> bool:
    """Return whether values are floating-point numbers."""
    import torch

    return torch.as_tensor(values[:0]).is_floating_point()


def _sums(values: "Tensor | MappedRows | JoinedSteps", most: int) -> list[float]:
    """The sum of all values, each times a number that its place gives, and the sum of their sizes."""
    random = np.random.RandomState(0)  # draws the same numbers in every version of NumPy
    places = np.empty(0)
    total = size = 0.0
    for rows in _some(values, most):
        numbers = rows.ravel().astype(np.float64)
        places = places if len(places) else random.uniform(-1, 1, len(numbers))
        total += random.uniform(-1, 1) * float(numbers @ places[: len(numbers)])
        size += float(np.abs(numbers).sum())
    return [total, size]
