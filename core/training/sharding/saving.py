"""The processes of a training with divided weights, as they write their checkpoints together beside the training."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
import torch.distributed as dist

from core.config.training import Training
from core.errors import RunError
from core.runs.divided.files import OtherParts
from core.runs.folder import Run
from core.training.distributed import Group
from core.training.sharding.choice import is_sharded

__all__ = ["GroupWriters", "other_checkpoints", "writers_for"]


class GroupWriters:
    """A group of its own: a training does not wait for what its processes write. All must make one at a time."""

    def __init__(self, group: Group) -> None:
        self.rank, self.size = group.rank, group.size
        self._processes = cast(dist.ProcessGroup, dist.new_group(backend="gloo"))

    def first(self, value: int) -> int:
        """Return the value of the first process, in each.

        Raises:
            RunError: another process is gone.
        """
        number = torch.tensor([value], dtype=torch.int64)
        self._together(lambda: dist.broadcast(number, 0, group=self._processes))
        return int(number)

    def all_did(self, done: bool) -> bool:
        """Return whether all have done their part.

        Raises:
            RunError: another process is gone.
        """
        number = torch.tensor([int(done)], dtype=torch.int64)
        self._together(lambda: dist.all_reduce(number, dist.ReduceOp.MIN, group=self._processes))
        return bool(number)

    def folder(self, run: Run | None) -> Run:
        """Return the run that the first process writes, in each."""
        told = [str(run.path.resolve()) if run is not None else ""]
        dist.broadcast_object_list(told, 0, group=self._processes)
        return Run(Path(told[0]))

    def _together(self, call: Callable[[], object]) -> None:
        try:
            call()
        except RuntimeError:
            raise RunError(
                "another process of this run is gone, so its part of the checkpoint is missing"
            ) from None


def writers_for(settings: Training, group: Group, run: Run) -> GroupWriters | None:
    """Return the processes that write a run with its first one; None if that one writes alone."""
    if not is_sharded(settings, group):
        return None
    writers = GroupWriters(group)
    writers.folder(run)
    return writers


def other_checkpoints(group: Group) -> OtherParts:
    """Return the checkpoints of another process than the first one."""
    writers = GroupWriters(group)
    return OtherParts(writers.folder(None), writers)
