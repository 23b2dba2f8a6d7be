"""Sequences of different lengths: their steps one after the other, and where each sequence starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["OFFSETS", "Ragged", "ragged_of"]

OFFSETS = "_offsets"
"""Ends the name of the array that says where the sequences start whose steps are in the array of the name before it."""


class Ragged:
    """Some sequences; a batch of them is padded with zeros to the longest one in it.

    Args:
        values: (steps, *step_shape), of all sequences.
        offsets: (n + 1,) int64, ascending from 0: sequence i is ``values[offsets[i] : offsets[i + 1]]``.
    """

    def __init__(self, values: "Tensor", offsets: "Tensor") -> None:
        self.values, self.offsets = values, offsets

    @classmethod
    def of(cls, sequences: "Sequence[np.ndarray]") -> "Ragged":
        """Return sequences, (length, *step_shape) each, of one type; at least one."""
        import torch

        offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
        return cls(torch.from_numpy(np.concatenate(sequences)), torch.from_numpy(offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> "Tensor":
        """Number of steps of each sequence, (n,) int64."""
        return self.offsets.diff()

    @property
    def step_shape(self) -> tuple[int, ...]:
        """Shape of one step."""
        return tuple(self.values.shape[1:])

    @property
    def dtype(self) -> "torch.dtype":
        """Type of the values."""
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of all sequences."""
        return self.values.nbytes + self.offsets.nbytes

    def __getitem__(self, at: "slice | Tensor | np.ndarray") -> "Ragged":
        """Return the sequences at some positions."""
        import torch

        places = torch.arange(len(self), device=self.offsets.device)[at]
        return self.index_select(0, places)

    def index_select(self, dim: int, at: "Tensor") -> "Ragged":
        """Return the sequences at these positions; `dim` is 0, as for a tensor of rows."""
        import torch

        starts, lengths = self.offsets[at], self.lengths[at]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        steps = torch.arange(int(offsets[-1]), device=offsets.device)
        return Ragged(self.values[steps + (starts - offsets[:-1]).repeat_interleave(lengths)], offsets)

    def one(self, at: int) -> "Tensor":
        """Return one sequence, (length, *step_shape)."""
        return self.values[int(self.offsets[at]) : int(self.offsets[at + 1])]

    def compacted(self, at: np.ndarray) -> "Ragged":
        """Return the sequences at ascending positions, moved to the front of the memory of all of them."""
        import torch

        offsets = self.offsets.numpy()
        starts, lengths = offsets[:-1][at], np.diff(offsets)[at]
        ends = np.cumsum([0, *lengths], dtype=np.int64)
        for start, length, end in zip(starts.tolist(), lengths.tolist(), ends[:-1].tolist(), strict=True):
            if start != end:  # each moves towards the front, over sequences that are not needed any more
                self.values[end : end + length] = self.values[start : start + length].clone()
        return Ragged(self.values[: int(ends[-1])], torch.from_numpy(ends))

    def to(self, device: "torch.device", non_blocking: bool = False) -> "Ragged":
        """Return the sequences on a device."""
        return Ragged(
            self.values.to(device, non_blocking=non_blocking),
            self.offsets.to(device, non_blocking=non_blocking),
        )

    def pin_memory(self) -> "Ragged":
        """Return the sequences in memory from which a GPU copies fast."""
        return Ragged(self.values.pin_memory(), self.offsets.pin_memory())

    def padded(self) -> "tuple[Tensor, Tensor]":
        """Return values (n, longest, *step_shape), 0 behind the end of each sequence, and lengths (n,) int64."""
        import torch

        lengths = self.lengths
        longest = max(1, int(lengths.max())) if len(self) else 1
        mask = torch.arange(longest, device=lengths.device) < lengths[:, None]
        padded = self.values.new_zeros(len(self), longest, *self.step_shape)
        padded[mask] = self.values[int(self.offsets[0]) : int(self.offsets[-1])]
        return padded, lengths


def ragged_of(values: np.ndarray, offsets: np.ndarray, place: str) -> Ragged:
    """Return sequences from a file.

    Args:
        values: (steps, *step_shape), and `offsets` (n + 1,) as of `Ragged`.
        place: where the values stand, for messages.

    Raises:
        DataError: the offsets are not theirs.
    """
    import torch

    known = offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) and values.ndim
    if not known or (np.diff(offsets) < 0).any() or offsets[0] != 0 or offsets[-1] != len(values):
        raise DataError(
            f"{place}{OFFSETS} does not say where sequences start in the {len(values) if values.ndim else 0:,} steps",
            "Save numpy.cumsum([0, *map(len, sequences)]) beside numpy.concatenate(sequences)",
        )
    return Ragged(torch.from_numpy(values), torch.from_numpy(offsets.astype(np.int64)))
