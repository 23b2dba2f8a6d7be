"""Which batch sizes fit into memory, and how fast they train: the size is doubled until memory or data is used up.

Steps of a copy are timed: neither the model nor the random numbers to come are touched.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil
import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.random_state import rng_state, set_rng_state
from core.training.learner import Learner
from core.training.memory import free_memory, is_shortage

__all__ = ["BatchTest", "TriedBatch", "batch_test"]

FIRST = 8
SHARE = 0.8
"""Of the memory that is free in the beginning, this much may be taken."""
SECONDS = 0.3
"""How long each size is timed, but for at least one step."""
NEARLY = 0.9
"""A smaller batch is suggested in place of the fastest one when it reaches this part of its speed."""


@dataclass(frozen=True)
class TriedBatch:
    """A batch size that fits; `memory` is bytes in use beyond those in the beginning."""

    batch_size: int
    samples_per_second: float
    memory: int


@dataclass(frozen=True)
class BatchTest:
    """What was tried, sizes ascending.

    Attributes:
        room: bytes that might be taken.
        ended: why no larger size was tried: ``memory`` would not do, ``out of memory`` it ran, or all ``data`` fits.
    """

    tried: list[TriedBatch]
    room: int
    ended: Literal["memory", "out of memory", "data"]

    @property
    def suggestion(self) -> int | None:
        """The smallest size that trains nearly as fast as the fastest one; None if none fits."""
        best = max((each.samples_per_second for each in self.tried), default=0.0)
        fast = (each.batch_size for each in self.tried if each.samples_per_second >= NEARLY * best)
        return next(fast, None)


def batch_test(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    *,
    hear: Callable[[TriedBatch], None],
    unwanted: Callable[[], bool],
) -> BatchTest | None:
    """Train a copy of `model` on batches of 8, 16, 32 ... samples for a moment each.

    Args:
        hear: told each size that fits, at once.
        unwanted: asked before each size and step; when it says so, the result is None.
    """
    random = rng_state(device)
    room = int(SHARE * free_memory(device))
    tried: list[TriedBatch] = []
    size = FIRST
    before = 0
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)  # a training before may have needed more
    try:
        while size <= len(data.train):
            if tried and 2 * tried[-1].memory > room:
                return BatchTest(tried, room, "memory")
            try:
                if not tried:  # what libraries take with the first step belongs to no batch
                    _measured(config, data, copy.deepcopy(model).to(device), device, size, lambda: True)
                    before = _used(device)
                rate, used = _measured(config, data, copy.deepcopy(model).to(device), device, size, unwanted)
            except (MemoryError, RuntimeError) as error:
                if not is_shortage(error):
                    raise
                return BatchTest(tried, room, "out of memory")
            if unwanted():
                return None
            tried.append(TriedBatch(size, rate, max(0, used - before)))
            hear(tried[-1])
            size *= 2
        return BatchTest(tried, room, "data")
    finally:
        set_rng_state(random, device)
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _measured(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    size: int,
    unwanted: Callable[[], bool],
) -> tuple[float, int]:
    """Samples per second with batches of a size, and the most bytes in use."""
    one = config.training.model_copy(update={"batch_size": size, "accumulate": 1})
    learner = Learner(config.model_copy(update={"training": one}), data, model, device)
    learner.model.train()
    inputs, targets = next(Batches(data.train, data, device).iterate(size))
    used = _used(device)

    def note_memory(*_: object) -> None:
        """Before a gradient flows into a layer: all values that training keeps are there."""
        nonlocal used
        used = max(used, _used(device))

    watch = learner.model.register_full_backward_pre_hook(note_memory)
    learner.step(inputs, targets)[0].item()  # what is made once, such as the optimizer's state
    used = max(used, _used(device))
    watch.remove()
    began, steps = time.perf_counter(), 0
    while not unwanted():
        learner.step(inputs, targets)[0].item()  # waits for the device
        steps += 1
        took = time.perf_counter() - began
        if took > SECONDS:
            return size * steps / took, used
    return 0.0, used


def _used(device: torch.device) -> int:
    """Bytes in use on a device: on CUDA the most since the beginning, on the processor those of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)
