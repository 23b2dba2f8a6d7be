"""Options of the checkpoints that a run keeps."""

from typing import Annotated

from pydantic import Field

from core.options import Options, Unit

__all__ = ["KeptCheckpoints"]


class KeptCheckpoints(Options):
    """Checkpoints that a run keeps beside the last state and the best weights."""

    every: Annotated[int, Field(ge=0), Unit("epochs")] = 0
    """Keep the checkpoint of every so many epochs; 0 keeps none."""
    keep: Annotated[int, Field(ge=0, le=10_000), Unit("epochs")] = 0
    """Keep the checkpoints of so many epochs that are the best by the monitored metric; 0 keeps none."""
    max_gb: Annotated[float, Field(ge=0), Unit("GB")] = 0.0
    """Disk space for the checkpoints that are kept: the oldest are deleted first. 0 is no limit."""

    def wants(self, epoch: int, best: set[int]) -> bool:
        """Return whether the checkpoint of an epoch is kept, given the best epochs so far."""
        return epoch in best or bool(self.every and epoch % self.every == 0)
