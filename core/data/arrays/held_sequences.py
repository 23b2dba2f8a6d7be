"""Large sequences of different lengths in arrays of their own, which stay where they lie: there is no second copy."""

import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.data.sequences import Ragged
from core.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["HeldSequences", "JoinedSteps"]

STEPS_AT_ONCE = 1 << 20
LOOKED_AT = 64
"""Sequences, and steps of each, that show whether they were changed."""


class JoinedSteps:
    """All steps of some sequences one after the other, (steps, *step_shape), of which slices are copied.

    Args:
        sequences: (length, *step_shape) each; at least one.
        offsets: (n + 1,) where each starts.
        dtype: that copies get.
    """

    def __init__(
        self,
        sequences: Sequence[np.ndarray],
        offsets: np.ndarray,
        dtype: np.dtype,
        step_shape: tuple[int, ...],
    ) -> None:
        self._sequences, self._offsets, self.dtype = sequences, offsets, dtype
        self.shape = (int(offsets[-1]), *step_shape)
        self.size = int(np.prod(self.shape))
        self.nbytes = self.size * dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: slice) -> np.ndarray:
        """Return some steps; slices go forward."""
        start, stop, step = at.indices(len(self))
        made = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        first = max(0, int(np.searchsorted(self._offsets, start, "right")) - 1)
        last = int(np.searchsorted(self._offsets, stop, "left"))
        for place in range(first, last):
            begin, end = max(start, self._offsets[place]), min(stop, self._offsets[place + 1])
            values = self._sequences[place][begin - self._offsets[place] : end - self._offsets[place]]
            made[begin - start : end - start] = values.reshape(-1, *self.shape[1:])
        return made[::step]

    def flat(self) -> "JoinedSteps":
        """Return the steps as rows, (steps, numbers of one)."""
        columns = self.size // max(1, len(self))
        return JoinedSteps(self._sequences, self._offsets, self.dtype, (columns,))


class HeldSequences(Ragged):
    """Sequences that the user's own code may use, too: a batch is copied from them when it is asked for.

    Args:
        sequences: (length, *step_shape) each; at least one.
        dtype: that copies get.
    """

    def __init__(self, sequences: Sequence[np.ndarray], dtype: np.dtype) -> None:
        import torch

        offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
        super().__init__(
            torch.from_numpy(np.empty((0, *sequences[0].shape[1:]), dtype)), torch.from_numpy(offsets)
        )
        self._sequences, self._dtype = sequences, dtype
        self._seen = self._checksum()

    @property
    def values(self) -> "Tensor":
        """A copy of all steps one after the other."""
        return self._copied(self._sequences).values

    @property
    def steps(self) -> JoinedSteps:
        """All steps one after the other, copied when they are asked for."""
        return JoinedSteps(self._sequences, self.offsets.numpy(), self._dtype, self.step_shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all sequences, if they were of this type."""
        return self.steps.nbytes + self.offsets.nbytes

    def of_type(self, dtype: np.dtype) -> "HeldSequences":
        """Return the sequences with copies of another type."""
        return HeldSequences(self._sequences, dtype)

    def held(self, at: np.ndarray) -> "HeldSequences":
        """Return the sequences at some positions, at least one, where they lie."""
        return HeldSequences([self._sequences[place] for place in at], self._dtype)

    def index_select(self, dim: int, at: "Tensor") -> Ragged:
        """Return copies of the sequences at these positions; `dim` is 0, as for a tensor of rows."""
        return self._copied([self._sequences[place] for place in at.tolist()])

    def one(self, at: int) -> "Tensor":
        """Return a copy of one sequence, (length, *step_shape)."""
        return self._copied([self._sequences[at]]).values

    def to(self, device: "torch.device", non_blocking: bool = False) -> Ragged:
        """Return the sequences for a device: themselves in main memory, else copies there."""
        import torch

        if device.type == "cpu":
            return self
        steps = self.steps
        made = torch.empty(steps.shape, dtype=self.dtype, device=device)
        places = [*range(0, len(steps), STEPS_AT_ONCE), len(steps)]
        for start, stop in pairwise(places):
            made[start:stop] = torch.from_numpy(steps[start:stop]).to(device)
        return Ragged(made, self.offsets.to(device))

    def pin_memory(self) -> Ragged:
        """Return the sequences as they are."""
        return self

    def check(self) -> None:
        """Make sure that the sequences are what they were when their splits were made, by some of them.

        Raises:
            DataError: they are not.
        """
        if self._checksum() != self._seen:
            raise DataError(
                "data.path: sequences that the function returned were changed while a network is trained on them",
                "Return copies of them, or leave them as they are",
            )

    def _copied(self, sequences: Sequence[np.ndarray]) -> Ragged:
        import torch

        offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
        values = np.empty((int(offsets[-1]), *self.step_shape), self._dtype)
        for start, sequence in zip(offsets.tolist(), sequences, strict=False):
            values[start : start + len(sequence)] = sequence
        return Ragged(torch.from_numpy(values), torch.from_numpy(offsets))

    def _checksum(self) -> int:
        some = np.linspace(0, len(self) - 1, min(LOOKED_AT, len(self))).astype(np.int64)
        found = 0
        for place in some:
            found = zlib.crc32(self._sequences[place][:LOOKED_AT].tobytes(), found)
        return found
