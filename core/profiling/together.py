"""Seconds of a step in several processes: waiting for data, computing, waiting for others, adding up gradients."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from core.profiling.subject import Subject, subject, wait_for
from core.random_state import keeping_random_state
from core.training.distributed import SINGLE, Group, explain_lost_rank
from core.training.memory import is_shortage

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["OneOfSeveral", "Together", "measure_together"]

WARM_UP = 3
"""Steps that are not counted, and as many again that tell how many are timed."""
MAX_STEPS = 10_000


@dataclass(frozen=True)
class OneOfSeveral:
    """Seconds of a mean step of one process.

    Attributes:
        data: waiting for a batch. computing: its share of a batch, as if there were no others; None where it has no
            room for all weights.
    """

    data: float
    computing: float | None


@dataclass(frozen=True)
class Together:
    """Measurements of all processes.

    Attributes:
        step: seconds of a mean step of all. steps: that were timed. samples: of all of them.
        processes: each by its rank.
    """

    step: float
    steps: int
    samples: int
    processes: tuple[OneOfSeveral, ...]

    @property
    def samples_per_second(self) -> float:
        """Samples that are trained on in a second, by all."""
        return self.samples / (self.steps * self.step)

    def waiting(self, rank: int) -> float | None:
        """Return the seconds of a step in which one process waits for the slowest one; None if unknown."""
        work, slowest = self._work(rank), self._slowest
        return None if work is None or slowest is None else slowest - work

    @property
    def adding_up(self) -> float | None:
        """Seconds of a step in which gradients, or divided weights, are sent between processes; None if unknown."""
        return None if self._slowest is None else max(0.0, self.step - self._slowest)

    @property
    def _slowest(self) -> float | None:
        works = [self._work(rank) for rank in range(len(self.processes))]
        known = [work for work in works if work is not None]
        return max(known) if len(known) == len(works) else None

    def _work(self, rank: int) -> float | None:
        one = self.processes[rank]
        return None if one.computing is None else one.data + one.computing


def measure_together(prepared: "Prepared", seconds: float) -> Together:
    """Train copies in all processes of a group for some time; all must call it, and none may stop alone.

    Computing is timed in a copy that knows of no others, while each process has one.

    Raises:
        ProcessLost: another process is gone.
    """
    group, device = prepared.group, prepared.device
    with keeping_random_state(device), explain_lost_rank(group):
        shared = subject(prepared, group=group)
        _take(shared, group, WARM_UP, device)
        _, tried, _ = _take(shared, group, WARM_UP, device)
        steps = max(1, min(MAX_STEPS, int(group.of_first(seconds / tried * WARM_UP))))
        data, whole, samples = _take(shared, group, steps, device)
        del shared
        own = OneOfSeveral(data / steps, _computing(prepared, max(1, steps // 2)))
        samples, whole = (int(group.sums([samples])[0]), group.maxima([whole])[0])
        return Together(whole / steps, steps, samples, tuple(group.gather(own)))


def _computing(prepared: "Prepared", steps: int) -> float | None:
    """Return seconds of a step on this process's share of a batch without others; None where memory is too small."""
    settings = prepared.config.training
    size = -(-settings.batch_size // prepared.group.size)
    alone = settings.model_copy(update={"batch_size": size, "shard": "none"})
    config = prepared.config.model_copy(update={"training": alone})
    try:
        copy = subject(prepared, config)
        _take(copy, SINGLE, WARM_UP, prepared.device)
        data, whole, _ = _take(copy, SINGLE, steps, prepared.device)
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        return None
    return (whole - data) / steps


def _take(taken: Subject, group: Group, steps: int, device: torch.device) -> tuple[float, float, int]:
    """Take steps; return the seconds in which batches were waited for, those of all, and the samples."""
    learner, samples, waited = taken.learner, 0, 0.0
    wait_for(device)
    group.sums([0.0])  # begin at one moment
    began = time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        batch, total = next(taken.steps)
        waited += time.perf_counter() - asked
        if group.size > 1:
            learner.take_share(batch, total)
        learner.step(batch)
        samples += 0 if learner.share.stands_in else batch.samples
    wait_for(device)
    return waited, time.perf_counter() - began, samples
