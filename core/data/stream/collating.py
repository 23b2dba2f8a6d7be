"""Samples joined to a batch: stacked, or by the user's own collate function."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import default_collate

from core.arrays import as_array
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.stream.sources import Collate

__all__ = ["collated"]

TAKEN = "Give pairs of input and target, such as (image, class)"


def collated(
    samples: Sequence[Any], collate: "Collate | None", name: str, places: Sequence[int]
) -> tuple[Any, Any]:
    """Return inputs and targets of a batch: arrays or tensors, inputs also tuples or dicts of these.

    Args:
        collate: the user's function, which is given a list of samples; None stacks them.
        name: of the data set, and `places` of the samples in it, for messages.

    Raises:
        DataError: samples are not pairs, or have different shapes.
    """
    if collate is not None:
        batch = collate(list(samples))
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise DataError(
                f"data.path: the collate function of {name} returned {_kind(batch)}, not inputs and targets",
                "Return a pair: inputs, targets",
            )
        return batch[0], batch[1]
    for place, sample in zip(places, samples, strict=True):
        if not isinstance(sample, tuple | list) or len(sample) != 2:
            raise DataError(
                f"data.path: sample {place} of {name} is {_kind(sample)}, not input and target", TAKEN
            )
    inputs, targets = ([sample[part] for sample in samples] for part in (0, 1))
    return _stacked(inputs, "inputs", name), _stacked(targets, "targets", name)


def _stacked(values: list[Any], what: str, name: str) -> Any:
    """Stack tensors, arrays, numbers or texts; the parts of tuples and dicts each for itself."""
    first = values[0]
    if isinstance(first, Mapping):
        return {key: _stacked([value[key] for value in values], what, name) for key in first}
    if isinstance(first, tuple | list) and any(getattr(item, "ndim", 0) for item in first):
        return tuple(_stacked(list(part), what, name) for part in zip(*values, strict=True))
    if all(isinstance(value, torch.Tensor) for value in values):
        _check_shapes([tuple(value.shape) for value in values], what, name)
        if len({value.dtype for value in values}) == 1:
            return default_collate(values)  # into memory that a worker shares
    arrays = [as_array(value) for value in values]
    _check_shapes([array.shape for array in arrays], what, name)
    return np.stack(arrays)


def _check_shapes(shapes: list[tuple[int, ...]], what: str, name: str) -> None:
    if len(set(shapes)) > 1:
        one, other = sorted(set(shapes))[:2]
        raise DataError(
            f"data.path: {what} of {name} have the shapes {one} and {other}",
            "Give all the same shape, or a collate function that pads them",
        )


def _kind(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"
