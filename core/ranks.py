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

    def share(self, rows: "Tensor") -> "Tensor":
        """Return this process's part of the rows of a batch: every `size`-th."""
        return rows[self.rank :: self.size]

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
