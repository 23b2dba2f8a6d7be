"""The place of this process among those that train one run together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ONE_RANK", "Ranks"]


@dataclass(frozen=True)
class Ranks:
    """This process is number `rank` of `size`, and number `local_rank` of its machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    def share(self, rows: "Tensor", batch_size: int) -> "Tensor":
        """Return this process's part of the rows of a batch, or of some batches that all can share evenly.

        It is every `size`-th. A process without a row of the last batch gets the first one of it: it has to take the
        step as well, with a weight of 0.
        """
        import torch

        own = rows[self.rank :: self.size]
        last = len(rows) % batch_size or min(len(rows), batch_size)
        return own if self.rank < last else torch.cat([own, rows[-last:][:1]])

    def samples(self, total: int) -> int:
        """Return how many of the rows of a batch are this process's."""
        return len(range(self.rank, total, self.size))

    def own_batches(self, samples: int, size: int) -> "Tensor | None":
        """Return the positions of the samples in this process's batches of `size` samples: of all batches every n-th.

        None where all are, so that nothing needs to be looked up.
        """
        import torch

        if self.size == 1:
            return None
        rows = torch.arange(samples)
        return rows[rows // size % self.size == self.rank]


ONE_RANK = Ranks()
"""A run that one process trains."""
