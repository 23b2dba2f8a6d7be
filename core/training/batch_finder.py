"""The batch-size test: double the size until memory or data is used up, and time each.

Steps of a copy are timed: neither the model nor the random state changes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil
import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.data.stream.batches import batches_of
from core.models.copies import copied
from core.random_state import keeping_random_state
from core.training.context import TrainingContext
from core.training.memory import free_memory, is_shortage
from core.training.own.learner import learner_for

__all__ = ["BatchTest", "TriedBatch", "batch_test"]

FIRST_SIZE = 8
MAX_SHARE = 0.8
"""Fraction of the memory free at the start that may be taken."""
TEST_SECONDS = 0.3
"""Time for each size; at least one step is timed."""
MIN_RELATIVE_SPEED = 0.9
"""A smaller batch is suggested instead of the fastest one if it reaches this fraction of its speed."""


@dataclass(frozen=True)
class TriedBatch:
    """A batch size that fits; `memory` is bytes in use beyond those at the start."""

    batch_size: int
    samples_per_second: float
    memory: int


@dataclass(frozen=True)
class BatchTest:
    """Results of a batch-size test, sizes ascending.

    Attributes:
        room: bytes that might be taken.
        ended: why no larger size was tried: it would need too much ``memory``, it ran ``out of memory``, or all
            ``data`` fits.
        samples: of the training split.
    """

    tried: list[TriedBatch]
    room: int
    ended: Literal["memory", "out of memory", "data"]
    samples: int = 0

    @property
    def suggestion(self) -> int | None:
        """The smallest size that trains nearly as fast as the fastest one; None if none fits."""
        best = max((each.samples_per_second for each in self.tried), default=0.0)
        fast = (
            each.batch_size for each in self.tried if each.samples_per_second >= MIN_RELATIVE_SPEED * best
        )
        return next(fast, None)

    @property
    def steps_per_epoch(self) -> int | None:
        """Steps that the suggestion leaves in an epoch; None without one."""
        return math.ceil(self.samples / self.suggestion) if self.suggestion else None


def batch_test(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    *,
    on_report: Callable[[TriedBatch], None],
    should_stop: Callable[[], bool],
) -> BatchTest | None:
    """Train a copy of `model` on batches of 8, 16, 32 ... samples for a moment each.

    Args:
        on_report: takes each size that fits, at once.
        should_stop: polled before each size and step; returns None once it is true.
    """
    with keeping_random_state(device):
        return _tried_sizes(config, data, model, device, on_report, should_stop)


def _tried_sizes(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    on_report: Callable[[TriedBatch], None],
    should_stop: Callable[[], bool],
) -> BatchTest | None:
    room = int(MAX_SHARE * free_memory(device))
    tried: list[TriedBatch] = []
    size = FIRST_SIZE
    before = 0
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)  # an earlier training may have needed more
    try:
        while size <= len(data.train):
            if tried and 2 * tried[-1].memory > room:
                return BatchTest(tried, room, "memory", len(data.train))
            try:
                if not tried:  # memory that libraries take with the first step belongs to no batch
                    _measured(config, data, copied(model).to(device), device, size, lambda: True)
                    before = _used(device)
                rate, used = _measured(config, data, copied(model).to(device), device, size, should_stop)
            except (MemoryError, RuntimeError) as error:
                if not is_shortage(error):
                    raise
                return BatchTest(tried, room, "out of memory", len(data.train))
            if should_stop():
                return None
            tried.append(TriedBatch(size, rate, max(0, used - before)))
            on_report(tried[-1])
            size *= 2
        return BatchTest(tried, room, "data", len(data.train))
    finally:
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _measured(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    size: int,
    should_stop: Callable[[], bool],
) -> tuple[float, int]:
    """Return samples per second with batches of a size, and the peak of bytes in use."""
    one = config.training.model_copy(update={"batch_size": size, "accumulate": 1})
    learner = learner_for(config.model_copy(update={"training": one}), data, model, TrainingContext(device))
    learner.model.train()
    batch = next(batches_of(data.train, data, device).iterate(size))
    used = _used(device)

    def note_memory(*_: object) -> None:
        """Measure before a gradient flows into a layer: all values that training keeps exist then."""
        nonlocal used
        used = max(used, _used(device))

    watch = learner.model.register_full_backward_pre_hook(note_memory)
    learner.step(batch)[0].item()  # creates what is created once, such as the optimizer's state
    used = max(used, _used(device))
    watch.remove()
    began, steps = time.perf_counter(), 0
    while not should_stop():
        learner.step(batch)[0].item()  # waits for the device
        steps += 1
        took = time.perf_counter() - began
        if took > TEST_SECONDS:
            return size * steps / took, used
    return 0.0, used


def _used(device: torch.device) -> int:
    """Return the bytes in use on a device: the peak on CUDA, those of this process on the CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)
