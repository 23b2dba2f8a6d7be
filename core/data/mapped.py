"""Rows of an array on disk, read when they are asked for: data that is larger than main memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.machine import memory

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["MappedRows", "read_ahead", "select"]

LARGEST_RESIDENT = 2 << 30
"""Bytes of an array on disk up to which it is read into memory at once."""

Piece = TypeVar("Piece")
Read = TypeVar("Read")


class MappedRows:
    """Some rows of a mapped array, as a tensor of them would be indexed.

    Args:
        array: (m, ...), maybe larger than memory.
        rows: (n,) which of them, in their order.
    """

    is_streamed = False

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
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

        return torch.from_numpy(np.take(self.array, self.rows[at], axis=0))

    def index_select(self, dim: int, at: "Tensor") -> "Tensor":
        """Read the rows at these positions; `dim` is 0, as for a tensor of rows."""
        return self[at.numpy()]


def select(inputs: "Tensor | MappedRows", at: np.ndarray) -> "Tensor | MappedRows":
    """The rows at some positions: in memory, unless all that is mapped would not fit there well."""
    import torch

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
