"""Large arrays changed where they lie, some samples at a time, so that there is no second one beside them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.data.arrays.room import check_room, has_room
from core.data.arrays.seen import OfColumns, SampleChange, Seen

__all__ = ["in_place"]

BYTES_AT_ONCE = 2**22
LARGE = 64 << 20
"""Bytes from which on a second array is avoided."""
GATHERED = 256
"""Scattered numbers of a sample that are gathered in a microsecond: a step of a small network takes 8 a sample."""
PARTS = 16
"""Of the samples of an array, which are rearranged one after the other, each with a copy of its own."""
OTHER = "Give float32, or uint8 for pixels, one sample after the other in memory (C order), or fewer samples"


def in_place(
    array: "np.ndarray | Seen",
    change: SampleChange,
    dtype: type[np.generic],
    *,
    owned: bool,
    later: bool = False,
    of_columns: OfColumns | None = None,
) -> Any:
    """Return an array (n, ...) changed, contiguous and of a type, in its own memory where that is large enough.

    Args:
        change: gives (m, ...) for m samples (m, ...), each for itself.
        owned: nothing else uses the array, which is not what it was afterwards.
        later: in the place of a second large array, return one whose samples are changed when they are asked for; where
            many values of a sample are scattered in memory, only if there is no room for a second one.
        of_columns: gives what changes some columns of a table; None where that is `change`, too.

    Raises:
        DataError: it needs a second array, which free memory has no room for.
    """
    if isinstance(array, Seen):
        return array.then(change, dtype, of_columns)
    example = change(array[:1])
    same = np.may_share_memory(example, array) and example.shape[1:] == array.shape[1:]
    if same and array.dtype == dtype and array.flags.c_contiguous:
        return array
    if owned and array.nbytes >= LARGE and array.flags.writeable and _are_columns(array):
        array = _samples_together(array)
    size = int(np.prod(example.shape[1:]))
    fits = size * np.dtype(dtype).itemsize <= array[:1].nbytes
    is_large, needed = array.nbytes >= LARGE, len(array) * size * np.dtype(dtype).itemsize
    if not (owned and fits and is_large and array.flags.c_contiguous and array.flags.writeable):
        if later and is_large and not isinstance(array, np.memmap):
            together = array[:1].flags.c_contiguous  # the numbers of a sample
            if together or array[:1].size <= GATHERED or not has_room(needed):
                return Seen(array, change, dtype, of_columns)
        check_room(needed, "data.path: samples in another type or order", OTHER)
        return np.ascontiguousarray(change(array), dtype=dtype)
    room = array.reshape(-1).view(np.uint8)[:needed]
    made = room.view(dtype).reshape(len(array), *example.shape[1:])
    rows = max(1, BYTES_AT_ONCE // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):  # what is written ends before what is not read yet
        made[start : start + rows] = np.array(change(array[start : start + rows]), dtype=dtype)
    return made


def _are_columns(array: np.ndarray) -> bool:
    """Return whether an array (n, ...) is whole in memory, with each number of all samples before the next number."""
    return array.ndim > 1 and np.moveaxis(array, 0, -1).flags.c_contiguous and not array.flags.c_contiguous


def _samples_together(array: np.ndarray) -> np.ndarray:
    """Return an array of columns in C order, in its own memory.

    The samples are taken as some parts of as many each. First the columns of a part are brought together, a piece of a
    column after the other, along the cycles of their permutation; then each part is transposed by way of a copy of it.
    """
    total, width = len(array), array[:1].size
    size = total // PARTS
    flat = np.moveaxis(array, 0, -1).reshape(-1)
    rest = flat.reshape(width, total)[:, PARTS * size :].T.copy()  # samples that are left over
    for column in range(1, width):
        flat[column * PARTS * size : (column + 1) * PARTS * size] = flat[column * total :][: PARTS * size]
    pieces = flat[: width * PARTS * size].reshape(width * PARTS, size)
    _permute(pieces, lambda at: at % PARTS * width + at // PARTS)
    for part in pieces.reshape(PARTS, width, size):
        part.reshape(-1)[:] = part.T.reshape(-1)
    flat[width * PARTS * size :] = rest.reshape(-1)
    return flat.reshape(array.shape)


def _permute(pieces: np.ndarray, to: Callable[[int], int]) -> None:
    """Move each of some pieces, (m, size), to its place, in their own memory."""
    moved = np.zeros(len(pieces), bool)
    for start in range(len(pieces)):
        held, at = None, start
        while not moved[at]:
            moved[at] = True
            piece, at_next = pieces[at].copy() if held is None else held, to(at)
            held = pieces[at_next].copy()
            pieces[at_next] = piece
            at = at_next
