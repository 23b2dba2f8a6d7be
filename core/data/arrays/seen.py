"""Large arrays whose samples are changed when they are asked for, so that there is no second array beside them."""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["OfColumns", "SampleChange", "Seen"]

SampleChange = Callable[[np.ndarray], np.ndarray]
OfColumns = Callable[[slice], SampleChange]


class Seen:
    """An array (n, ...) in memory, seen as samples of another type or order of dimensions; indexed as an array is.

    Args:
        array: in any order in memory; it stays as it is.
        change: gives (m, *sample_shape) for m samples (m, ...), each for itself.
        dtype: of the samples.
        of_columns: gives what changes some columns of a table; None where that is `change`, too.
    """

    def __init__(
        self, array: np.ndarray, change: SampleChange, dtype: Any, of_columns: OfColumns | None = None
    ) -> None:
        self._array, self._change, self.dtype = array, change, np.dtype(dtype)
        self._of_columns = of_columns or (lambda some: change)
        self.shape = (len(array), *self[:1].shape[1:])
        self.ndim, self.itemsize = len(self.shape), self.dtype.itemsize
        self.nbytes = int(np.prod(self.shape)) * self.itemsize

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: Any) -> np.ndarray:
        """Return some samples; of a table whose type alone is changed also some columns of them."""
        return np.ascontiguousarray(self._change(self._array[at]), dtype=self.dtype)

    def take(self, at: Any, axis: int = 0) -> np.ndarray:
        """Return the sample at a position, or those at several; `axis` is 0, as for an array of samples."""
        made = self[np.atleast_1d(at)]
        return made if np.ndim(at) else made[0]

    def columns(self, some: slice, rows: np.ndarray) -> np.ndarray:
        """Return some columns of rows of a table."""
        return np.ascontiguousarray(self._of_columns(some)(self._array[rows, some]), dtype=self.dtype)

    def then(self, change: SampleChange, dtype: Any, of_columns: OfColumns | None = None) -> "Seen":
        """Return the array with one more change, which is given samples of this type."""

        def after(other: SampleChange) -> SampleChange:
            return lambda some: other(np.asarray(self._change(some), dtype=self.dtype))

        narrow = None if of_columns is None else lambda some: after(of_columns(some))
        return Seen(self._array, after(change), dtype, narrow)
