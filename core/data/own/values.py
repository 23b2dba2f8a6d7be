"""Values that a user's function may return in one place: arrays, tensors, numbers, texts, images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset as TorchDataset

from core.arrays import as_array
from core.data.sequences import Ragged
from core.errors import DataError

__all__ = ["TAKEN", "array_of", "column_of", "is_array_like", "is_several", "kind_of"]

TAKEN = (
    "It must return inputs and targets as arrays or tensors, a torch Dataset of such pairs, or train, validation and "
    "test sets in one of these forms"
)
PLAIN = int | float | complex | str | bytes | range


def kind_of(value: Any) -> str:
    """Return what a value is, for messages: ``a tuple of 3``."""
    if isinstance(value, Mapping):
        return f"a dict of {', '.join(map(str, value)) or 'nothing'}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"


def is_array_like(value: Any) -> bool:
    """Return whether NumPy makes an array of a value without iterating over an object of the user's."""
    if isinstance(value, TorchDataset):
        return False
    if isinstance(value, list | tuple):
        return not is_several(value) and all(
            isinstance(item, list | tuple) or is_array_like(item) for item in value[:1]
        )
    return isinstance(value, PLAIN) or hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def is_several(value: Any) -> bool:
    """Return whether a tuple or a list holds several arrays, not the numbers of one."""
    return isinstance(value, tuple | list) and any(
        getattr(item, "ndim", 0) or isinstance(item, Mapping) for item in value
    )


def array_of(value: Any, source: str) -> np.ndarray:
    """Return numbers or texts as an array, wherever they lie.

    Raises:
        DataError: they are none.
    """
    if not is_array_like(value):
        raise DataError(f"data.path: {source} gave {kind_of(value)}, which is not an array", TAKEN)
    try:
        array = as_array(value)
    except ValueError as error:
        why = "its parts have different shapes" if "inhomogeneous" in str(error) else str(error)
        raise DataError(
            f"data.path: {source} gave {kind_of(value)}, which is not an array: {why}", TAKEN
        ) from None
    except Exception as error:  # any object can be asked for an array, and can fail
        raise DataError(
            f"data.path: {source} gave {kind_of(value)}, which is not an array: {error}", TAKEN
        ) from None
    if array.dtype.kind == "O":
        raise DataError(
            f"data.path: {source} gave {kind_of(value)}, which is not an array of numbers or strings", TAKEN
        )
    return array


def column_of(values: Any, source: str) -> "np.ndarray | Ragged":
    """Return one input of all samples: an array, or sequences where a list of them, or an object array, holds some.

    Raises:
        DataError: it is neither.
    """
    objects = isinstance(values, np.ndarray) and values.dtype.kind == "O" and values.ndim == 1
    if not (objects or (isinstance(values, list | tuple) and len(values) and _is_sequence(values[0]))):
        return array_of(values, source)
    if not objects and isinstance(values[0], list | tuple):
        try:
            return array_of(values, source)
        except DataError:  # rows of different lengths
            pass
    sequences = [array_of(value, source) for value in values]
    shapes = {sequence.shape for sequence in sequences}
    if len(shapes) == 1 and not objects:
        return np.stack(sequences)
    if min(map(len, shapes)) == 0 or len({shape[1:] for shape in shapes}) > 1:
        one, other = sorted(shapes, key=str)[:2] if len(shapes) > 1 else (*shapes, ())
        raise DataError(
            f"data.path: {source} gave samples of the shapes {one} and {other}",
            "Give all the same shape; sequences may differ in their first dimension, and are padded",
        )
    kinds = {sequence.dtype for sequence in sequences}
    dtype = np.result_type(*kinds)
    return Ragged.of([sequence.astype(dtype, copy=False) for sequence in sequences])


def _is_sequence(value: Any) -> bool:
    return bool(getattr(value, "ndim", 0)) or (isinstance(value, list | tuple) and is_array_like(value))
