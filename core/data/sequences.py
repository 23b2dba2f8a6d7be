"""Sequences of different lengths: their steps one after the other, and where each sequence starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from core.data.arrays.held_sequences import JoinedSteps

__all__ = ["OFFSETS", "Ragged", "ragged_of"]

PIECES = 16
"""Parts of all sequences that are moved one after the other, each with a copy of its own."""
STEPS_AT_ONCE = 1 << 16
OFFSETS = "_offsets"
"""Ends the name of the array that says where the sequences start whose steps are in the array of the name before it."""


class Ragged:
    """Some sequences; a batch of them is padded with zeros to the longest one in it.

    Args:
        values: (steps, *step_shape), of all sequences.
        offsets: (n + 1,) int64, ascending from 0: sequence i is ``values[offsets[i] : offsets[i + 1]]``.
    """

    def __init__(self, values: "Tensor", offsets: "Tensor") -> None:
        self._values, self.offsets = values, offsets

    @classmethod
    def of(cls, sequences: "Sequence[np.ndarray]") -> "Ragged":
        """Return sequences, (length, *step_shape) each, of one type; at least one."""
        import torch

        offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
        return cls(torch.from_numpy(np.concatenate(sequences)), torch.from_numpy(offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def values(self) -> "Tensor":
        """All steps one after the other, (steps, *step_shape)."""
        return self._values

    @property
    def steps(self) -> "Tensor | JoinedSteps":
        """The values, to be read in slices."""
        return self._values

    @property
    def lengths(self) -> "Tensor":
        """Number of steps of each sequence, (n,) int64."""
        return self.offsets.diff()

    @property
    def step_shape(self) -> tuple[int, ...]:
        """Shape of one step."""
        return tuple(self._values.shape[1:])

    @property
    def dtype(self) -> "torch.dtype":
        """Type of the values."""
        return self._values.dtype

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

    def moved_to_end(self, at: np.ndarray) -> "tuple[Ragged, Ragged]":
        """Return the sequences that are not at some ascending positions, and those that are, in the memory of all.

        The last ones are copied first, some at a time; what is behind them moves up, and they follow it.
        """
        values, offsets, lengths = self.values.numpy(), self.offsets.numpy(), self.lengths.numpy()
        end, stop = len(values), len(at)
        while stop:
            sizes = lengths[at[:stop]][::-1].cumsum()
            start = stop - max(1, int(np.searchsorted(sizes, len(values) // PIECES, "right")))
            some = at[start:stop]
            kept = np.concatenate([values[offsets[one] : offsets[one + 1]] for one in some])
            place = int(offsets[some[0]])
            for first, last in zip(
                offsets[some + 1].tolist(), [*offsets[some[1:]].tolist(), end], strict=True
            ):
                place = _moved_up(values, first, last, place)
            values[place:end] = kept
            end, stop = place, start
        return _of_lengths(values[:end], np.delete(lengths, at)), _of_lengths(values[end:], lengths[at])

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


def _moved_up(values: np.ndarray, first: int, last: int, place: int) -> int:
    """Move steps to a place before them, some at a time; return where they end."""
    for start in range(first, last, STEPS_AT_ONCE) if place != first else ():
        stop = min(start + STEPS_AT_ONCE, last)
        values[place + start - first : place + stop - first] = values[start:stop]
    return place + last - first


def _of_lengths(values: np.ndarray, lengths: np.ndarray) -> Ragged:
    import torch

    return Ragged(torch.from_numpy(values), torch.from_numpy(np.cumsum([0, *lengths], dtype=np.int64)))
