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


ONE_RANK = Ranks()
"""A run that one process trains."""
