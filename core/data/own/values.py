"""Values that a user's function may return in one place: arrays, tensors, numbers, texts, images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset as TorchDataset

from core.arrays import as_array
from core.data.arrays.held_sequences import HeldSequences
from core.data.arrays.room import check_room
from core.data.own.handover import is_alone
from core.data.own.objects import unboxed
from core.data.sequences import Ragged
from core.data.stream.memory import give_back_freed
from core.errors import DataError

__all__ = [
    "TAKEN",
    "array_of",
    "column_of",
    "is_array_like",
    "is_several",
    "kind_of",
    "refuse_lists_of_labels",
    "refuse_pictures",
    "refuse_sparse",
]

TAKEN = (
    "It must return inputs and targets as arrays or tensors, a torch Dataset of such pairs, or train, validation and "
    "test sets in one of these forms"
)
LARGE = 64 << 20
"""Bytes from which on a second copy of sequences is avoided."""
GIVEN_BACK_BYTES = 16 << 20
"""After which memory that was let go of is given back to the system."""
MAX_KEYS = 8
"""Of a dict that a message lists."""
PLAIN = int | float | complex | str | bytes | range


def kind_of(value: Any) -> str:
    """Return what a value is, for messages: ``a tuple of 3``."""
    if isinstance(value, Mapping):
        more = ", ..." if len(value) > MAX_KEYS else ""
        return f"a dict of {', '.join(map(str, [*value][:MAX_KEYS])) or 'nothing'}{more}"
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
    refuse_sparse(value, f"data.path: {source} gave")
    if value is None:
        raise DataError(f"data.path: {source} gave None in the place of a value", "Leave it out, or fill it")
    if isinstance(value, Mapping | tuple) and value and not is_array_like(value):
        raise DataError(
            f"data.path: {source} gave {kind_of(value)} within other inputs",
            "Give all inputs in one dict, or one tuple, each as an array",
        )
    if not is_array_like(value):
        raise DataError(f"data.path: {source} gave {kind_of(value)}, which is not an array", TAKEN)
    try:
        array = as_array(value)
    except ValueError as error:
        why = "its parts have different shapes" if "inhomogeneous" in str(error) else str(error)
        raise _not_an_array(value, source, why) from None
    except Exception as error:  # any object can be asked for an array, and can fail
        raise _not_an_array(value, source, str(error)) from None
    if np.ma.is_masked(value):
        hidden = int(np.ma.getmaskarray(value).sum())
        raise DataError(
            f"data.path: {source} gave {kind_of(value)}, {hidden:,} of whose values are masked",
            "Fill them, such as with filled(0), or leave these samples out",
        )
    if array.dtype.names:
        raise DataError(
            f"data.path: {source} gave an array of records with {', '.join(array.dtype.names)}",
            "Return numpy.lib.recfunctions.structured_to_unstructured of it, or a dict of its columns",
        )
    if array.dtype.kind == "O":
        try:
            return unboxed(array)
        except ValueError as error:
            raise DataError(
                f"data.path: {source} gave {kind_of(value)}, which is not an array of numbers or strings: {error}",
                "Give numbers of one type or texts, and leave out or fill what is missing",
            ) from None
    return array


def refuse_sparse(value: Any, what: str) -> None:
    """Refuse a sparse matrix or tensor, which would have to be made dense.

    Raises:
        DataError: it is one; `what` starts its message.
    """
    layout = str(getattr(value, "layout", "")).removeprefix("torch.")
    if layout.startswith("sparse") or (hasattr(value, "toarray") and hasattr(value, "nnz")):
        dense = "to_dense()" if layout.startswith("sparse") else "toarray()"
        raise DataError(
            f"{what} a sparse {'tensor' if layout.startswith('sparse') else 'matrix'}, {kind_of(value)}",
            f"Return it dense, by {dense}, or a Dataset that makes each sample dense when it is asked for",
        )


def _not_an_array(value: Any, source: str, why: str) -> DataError:
    return DataError(
        f"data.path: {source} gave {kind_of(value)}, which is not an array: {why.rstrip('.')}", TAKEN
    )


def column_of(values: Any, source: str, *, owned: bool = False) -> "np.ndarray | Ragged":
    """Return one input of all samples: an array, or sequences where a list of them, or an object array, holds some.

    Args:
        owned: `values` is a list that nothing else uses, and may be empty afterwards.

    Raises:
        DataError: it is neither.
    """
    if getattr(values, "is_nested", False):
        values = list(values.unbind())
    objects = isinstance(values, np.ndarray) and values.dtype.kind == "O" and values.ndim == 1
    objects = objects and len(values) > 0 and _is_sequence(values[0])
    if not (objects or (isinstance(values, list | tuple) and len(values) and _is_sequence(values[0]))):
        return array_of(values, source)
    if not objects and isinstance(values[0], list | tuple):
        try:
            return array_of(values, source)
        except DataError:  # rows of different lengths
            pass
    sequences = _arrays(values, source, owned=owned)
    size = sum(sequence.nbytes for sequence in sequences)
    shapes = {sequence.shape for sequence in sequences}
    if len(shapes) == 1:
        needed = GIVEN_BACK_BYTES if owned and is_alone(sequences, 0) else size
        check_room(needed, f"data.path: {len(sequences):,} samples of {source}")
        return _stacked(sequences)
    refuse_pictures(sequences[0], source)
    if min(map(len, shapes)) == 0 or len({shape[1:] for shape in shapes}) > 1:
        one, other = sorted(shapes, key=str)[:2] if len(shapes) > 1 else (*shapes, ())
        raise DataError(
            f"data.path: {source} gave samples of the shapes {one} and {other}",
            "Give all the same shape; sequences may differ in their first dimension, and are padded",
        )
    dtype = np.result_type(*{sequence.dtype for sequence in sequences})
    if size >= LARGE:
        return HeldSequences(sequences, dtype)
    return Ragged.of([sequence.astype(dtype, copy=False) for sequence in sequences])


def _arrays(values: Any, source: str, *, owned: bool) -> list[np.ndarray]:
    """Return each value as an array; a list of them that is owned lets go of it."""
    made = []
    for place, value in enumerate(values):
        made.append(array_of(value, source))
        if owned:
            values[place] = None
    return made


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    """Return arrays of one shape as one, (n, ...); the list is empty afterwards, as each is let go of once copied."""
    made = np.empty((len(arrays), *arrays[0].shape), np.result_type(*{array.dtype for array in arrays}))
    let_go = 0
    while arrays:
        array = arrays.pop()
        made[len(arrays)] = array
        let_go += array.nbytes
        if let_go > GIVEN_BACK_BYTES:
            let_go = 0
            give_back_freed()
    return made


def refuse_lists_of_labels(targets: Any, what: str) -> None:
    """Refuse targets that are a list, or a set, of labels for each sample.

    Raises:
        DataError: they are; `what` starts its message.
    """
    boxed = isinstance(targets, np.ndarray) and targets.dtype.kind == "O" and targets.ndim == 1
    if not (isinstance(targets, list | tuple) or boxed) or not len(targets):
        return
    several = [each for each in targets if isinstance(each, list | tuple | set | frozenset)]
    if len(several) < len(targets):
        return
    if isinstance(several[0], list | tuple) and len({*map(len, several)}) == 1:
        return
    raise DataError(
        f"{what} several labels a sample, as {type(several[0]).__name__}s",
        "Return zeros and ones, a column for each label, such as scikit-learn's MultiLabelBinarizer makes",
    )


def refuse_pictures(sample: np.ndarray, source: str) -> None:
    """Refuse samples of different shapes that are pictures: their height is not a time.

    Raises:
        DataError: they are.
    """
    if sample.ndim == 3 and sample.dtype == np.uint8:
        raise DataError(
            f"data.path: {source} gave pictures of different sizes", "Resize them to one size, or crop them"
        )


def _is_sequence(value: Any) -> bool:
    return bool(getattr(value, "ndim", 0)) or (isinstance(value, list | tuple) and is_array_like(value))
