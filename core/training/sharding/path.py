"""The way of each process through the parts of a network that need all processes, compared at each of them.

A process that goes another way adds to numbers that do not belong together, aborts in Gloo, or waits for ever in NCCL.
"""

from typing import Any
from zlib import crc32

import torch
import torch.distributed as dist

from core.errors import ModelError
from core.training.distributed import Group

__all__ = ["Path"]


class Path:
    """Places that this process comes to, compared with the others before they wait for each other.

    Attributes:
        processes: all of them, on connections of their own: gradients are added up at other times in each.
    """

    def __init__(self, group: Group) -> None:
        self.processes = group.connected_again()
        self._size = group.size

    def __deepcopy__(self, memo: Any) -> "Path":
        """Return this one: a copy of a network goes the same way."""
        return self

    def reach(self, place: str, remedy: str) -> None:
        """Compare where the processes are; all must call it.

        Args:
            place: such as ``block layers.3``.
            remedy: what to do where they are at different places.

        Raises:
            ModelError: they are.
        """
        number = float(crc32(place.encode()))
        numbers = torch.tensor([number, -number], dtype=torch.float64)
        dist.all_reduce(numbers, dist.ReduceOp.MAX, group=self.processes)
        largest, smallest = numbers.tolist()
        if largest == -smallest:
            return
        places = [""] * self._size
        dist.all_gather_object(places, place, group=self.processes)
        raise ModelError(
            different_places(places), f"Let no branch depend on the samples of one process, {remedy}"
        )


def different_places(places: list[str]) -> str:
    """Return where the first process is, and the first of those that are elsewhere."""
    rank = next(rank for rank, other in enumerate(places) if other != places[0])
    return (
        "the processes took different paths through the network: "
        f"rank 0 came to {places[0]}, rank {rank} to {places[rank]}"
    )
