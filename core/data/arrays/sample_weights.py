"""Weights of samples that a user gave with them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.data.arrays.sample_shapes import shape_text
from core.data.sample_weights import as_weights
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.arrays.given import Given
    from core.data.dataset import Dataset

__all__ = ["weighted"]


def weighted(data: "Dataset", given: "Given") -> "Dataset":
    """The data with the weights of its samples, where the user gave some."""
    import torch

    changed: dict[str, Any] = {}
    for part, split in data.splits.items():
        own = getattr(given, part) is not None and part != "train"
        source = part if own else "train"
        values = given.weights.get(source)
        if values is None:
            continue
        place = f"data.path: {given.source}, the weights of the {source} set"
        total = len(getattr(given, source)[1])
        if values.ndim > 1 and values.size == len(values):
            values = values.reshape(len(values))
        if values.ndim != 1 or values.dtype.kind not in "fiub" or len(values) != total:
            raise DataError(
                f"{place} have the shape {shape_text(values)} and the type {values.dtype}, for {total:,} samples",
                "Give one number a sample",
            )
        weights = as_weights(values, place)
        changed[part] = replace(split, weights=torch.from_numpy(weights[split.indices]))
    return replace(data, **changed)
