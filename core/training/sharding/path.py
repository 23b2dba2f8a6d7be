"""The blocks that each process has called: parts of different blocks, put together, would be no weights of either."""

from zlib import crc32

import torch
import torch.distributed as dist
from torch import Tensor

from core.errors import ModelError
from core.training.distributed import Group

__all__ = ["Path"]

BITS = 20
"""Of a path's number, whose square, summed over processes, is still exact."""


class Path:
    """The blocks that this process has called since they were last compared.

    Attributes:
        called: their names, in order.
    """

    def __init__(self, group: Group) -> None:
        self.called: list[str] = []
        self._group = group

    def told(self) -> Tensor:
        """Return two numbers to be summed over all processes: that of the path, and its square."""
        number = crc32("\n".join(self.called).encode()) >> (32 - BITS)
        return torch.tensor([number, number**2], dtype=torch.float64)

    def ensure_same(self, first: float, second: float) -> None:
        """Start anew, if all have called the same blocks; all must call it.

        Args:
            first, second: the sums of `told` over all processes.

        Raises:
            ModelError: they have not; gradients of this step are wrong.
        """
        if first**2 == second * self._group.size:  # all numbers are the same
            self.called.clear()
            return
        told: list[list[str]] = [[]] * self._group.size
        dist.all_gather_object(told, self.called)
        raise ModelError(different_paths(told), "Let all call the same blocks, or set training.shard to none")


def different_paths(told: list[list[str]]) -> str:
    """Return where the first of the processes that differ from the first one left its path."""
    rank = next(rank for rank, other in enumerate(told) if other != told[0])
    at = next(
        (at for at, pair in enumerate(zip(told[0], told[rank], strict=False)) if pair[0] != pair[1]), -1
    )
    ours, theirs = (path[at] if at >= 0 else f"{len(path)} blocks" for path in (told[0], told[rank]))
    return (
        "training.shard: the processes took different paths through the network, which mixes their weights: "
        f"rank 0 called {ours or 'the network'}, rank {rank} called {theirs or 'the network'}"
    )
