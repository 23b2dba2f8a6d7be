"""Rows of an array on disk, or in memory that somebody else uses, read when they are asked for."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from core.errors import DataError
from core.machine import memory

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["HeldRows", "MappedRows", "is_on_disk", "read_ahead", "select"]

LARGEST_RESIDENT = 2 << 30
"""Bytes of an array on disk up to which it is read into memory at once."""
LOOKED_AT = 64
"""Rows of an array in memory that show whether it was changed."""
BYTES_AT_ONCE = 16 << 20

Piece = TypeVar("Piece")
Read = TypeVar("Read")


class MappedRows:
    """Some rows of a mapped array, as a tensor of them would be indexed.

    Args:
        array: (m, ...), maybe larger than memory.
        rows: (n,) which of them, in their order.
    """

    is_streamed = False

    def __init__(self, array: "np.ndarray | Any", rows: np.ndarray) -> None:
        self.array, self.rows = array, rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the tensor these rows would be."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def dtype(self) -> "torch.dtype":
        """That of the tensor these rows would be."""
        return self[:0].dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor these rows would be."""
        return int(np.prod(self.shape)) * self.array.itemsize

    def __getitem__(self, at: "int | slice | Tensor | np.ndarray") -> "Tensor":
        """Read one row, or several."""
        import torch

        return torch.from_numpy(self.array.take(self.rows[at], axis=0))

    def index_select(self, dim: int, at: "Tensor") -> "Tensor":
        """Read the rows at these positions; `dim` is 0, as for a tensor of rows."""
        return self[at.numpy()]

    def columns(self, some: slice, at: slice) -> "Tensor":
        """Read some columns of some rows of a table."""
        import torch

        array, rows = cast(Any, self.array), self.rows[at]
        values = array[rows, some] if isinstance(array, np.ndarray) else array.columns(some, rows)
        return torch.from_numpy(values)


class HeldRows(MappedRows):
    """Some rows of an array in memory that the user's own code may use, too: it is not copied, nor changed here.

    Args:
        array: (m, ...), or samples made of one when they are asked for, `core.data.arrays.seen`.
        rows: as for `MappedRows`.
    """

    def __init__(self, array: "np.ndarray | Any", rows: np.ndarray) -> None:
        super().__init__(array, rows)
        self._seen = self._checksum()

    def check(self) -> None:
        """Make sure that the array is what it was when its splits were made, by some rows.

        Raises:
            DataError: it is not.
        """
        if self._checksum() != self._seen:
            raise DataError(
                "data.path: the array that the function returned was changed while a network is trained on it",
                "Return a copy of it, or leave it as it is",
            )

    def to(self, device: "torch.device", non_blocking: bool = False) -> "HeldRows | Tensor":
        """Return the rows for a device: themselves in main memory, else a copy there."""
        import torch

        if device.type == "cpu":
            return self
        made = torch.empty(self.shape, dtype=self.dtype, device=device)
        size = max(1, BYTES_AT_ONCE * len(self) // max(1, self.nbytes))
        for start in range(0, len(self), size):
            made[start : start + size] = self[start : start + size].to(device)
        return made

    def _checksum(self) -> int:
        some = np.linspace(0, max(0, len(self) - 1), min(LOOKED_AT, len(self))).astype(np.int64)
        return zlib.crc32(self[some].numpy().tobytes())


def is_on_disk(inputs: object) -> bool:
    """Return whether inputs are rows that are read from disk."""
    return isinstance(inputs, MappedRows) and not isinstance(inputs, HeldRows)


def select(inputs: "Tensor | MappedRows", at: np.ndarray) -> "Tensor | MappedRows":
    """The rows at some positions: in memory, unless all that is mapped would not fit there well."""
    import torch

    if isinstance(inputs, HeldRows):
        return HeldRows(inputs.array, inputs.rows[at])
    if not isinstance(inputs, MappedRows):
        if len(at) == len(inputs) and np.array_equal(at, np.arange(len(at))):
            return inputs
        return inputs[torch.from_numpy(at)]
    rows = MappedRows(inputs.array, inputs.rows[at])
    room = min(LARGEST_RESIDENT, memory().available // 4)
    return rows[:] if inputs.nbytes <= room else rows


def read_ahead(read: Callable[[Piece], Read], pieces: Iterable[Piece]) -> Iterator[Read]:
    """Yield the result of `read` for each piece; the next one is read on another thread meanwhile."""
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as reader:
        coming = None
        for piece in pieces:
            following = reader.submit(read, piece)
            if coming is not None:
                yield coming.result()
            coming = following
        if coming is not None:
            yield coming.result()
