"""Large arrays changed where they lie, some samples at a time, so that there is no second one beside them."""

from typing import Any

import numpy as np

from core.data.arrays.room import check_room, has_room
from core.data.arrays.seen import OfColumns, SampleChange, Seen

__all__ = ["in_place"]

BYTES_AT_ONCE = 2**22
LARGE = 64 << 20
"""Bytes from which on a second array is avoided."""
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
            the values of a sample are scattered in memory, only if there is no room for a second one.
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
    size = int(np.prod(example.shape[1:]))
    fits = size * np.dtype(dtype).itemsize <= array[:1].nbytes
    is_large, needed = array.nbytes >= LARGE, len(array) * size * np.dtype(dtype).itemsize
    if not (owned and fits and is_large and array.flags.c_contiguous and array.flags.writeable):
        if later and is_large and not isinstance(array, np.memmap):
            lie_together = array[
                :1
            ].flags.c_contiguous  # the values of each sample, which are gathered fast then
            if lie_together or not has_room(needed):
                return Seen(array, change, dtype, of_columns)
        check_room(needed, "data.path: samples in another type or order", OTHER)
        return np.ascontiguousarray(change(array), dtype=dtype)
    room = array.reshape(-1).view(np.uint8)[:needed]
    made = room.view(dtype).reshape(len(array), *example.shape[1:])
    rows = max(1, BYTES_AT_ONCE // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):  # what is written ends before what is not read yet
        made[start : start + rows] = np.array(change(array[start : start + rows]), dtype=dtype)
    return made
