"""How many processor threads train fastest: real steps of a copy are timed, and again when throughput falls.

A second thread gains a third on idle cores, and costs a multiple where something else wants one of them: no rule that
only knows the network can tell.
"""

import copy
import math
import os
import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset, Split
from core.devices import available_cores
from core.random_state import rng_state, set_rng_state
from core.training.learner import Learner

__all__ = ["Threads", "most_threads"]

SMALL_STEP = 2_000_000
"""Multiply-adds of a forward pass that are done before a second thread has started; no timing is worth it there."""
SECONDS = 0.05
"""How long each number of threads is tried in one turn, but for at least one step."""
LEAST_SHARE = 100
"""Steps of a run for each step of such a try: a short run does not spend its time on choosing."""
TURNS = 3
GAIN = 0.9
"""More threads are taken only when a step takes less than this part of its time with fewer: they are others' cores."""
LOW_REPORTS = 10
"""So many reports in a row, about a second, must be low before the number is looked at again."""
AGAIN_SECONDS = 30.0
CPU = torch.device("cpu")


def most_threads(threads: int | Literal["auto"], multiply_adds: int, spare: int = 0) -> int:
    """Threads that training may take, at least 1.

    Args:
        threads: the configured number, or ``auto``: the cores of this process, at most ``OMP_NUM_THREADS``.
        multiply_adds: about how much a forward pass of one batch computes; for very little it is one thread.
        spare: cores that ``auto`` leaves to others, such as to screens.
    """
    if threads != "auto":
        return threads
    if multiply_adds < SMALL_STEP:
        return 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    cores = available_cores()
    return max(1, min(cores, int(told) if told.isdigit() else cores) - spare)


class Threads:
    """Finds the number of processor threads for a run, and sets it.

    Args:
        model: trained in place by the run; copies of it are timed.
        most: the most threads that may be taken.
    """

    def __init__(self, config: TrainConfig, data: Dataset, model: nn.Module, most: int) -> None:
        self._config, self._data, self._model, self._most = config, data, model, most
        settings = config.training
        self._steps = settings.epochs * math.ceil(len(data.train) / settings.batch_size)
        self._rate = 0.0
        self._low = 0
        self._looked_at = time.monotonic()

    def choose(self) -> int:
        """Take the number, from 1 to the most, with which a step of training takes the least time.

        Trains a copy on the first batch; neither the model nor the random numbers to come are touched.
        """
        counts = sorted({1, max(1, self._most // 2), self._most})
        count = counts[0]
        if len(counts) > 1:
            random = rng_state(CPU)
            try:
                step = _step_of_a_copy(self._config, self._data, self._model)
                count = _fastest(step, counts, self._steps // LEAST_SHARE)
            finally:
                set_rng_state(random, CPU)
        torch.set_num_threads(count)
        return count

    def hear(self, rate: float) -> str:
        """Take in the samples per second of the last tenth of a second; choose again when they fell by half.

        Returns:
            What was done, in words; empty when nothing was.
        """
        self._rate = max(rate, self._rate)
        self._low = self._low + 1 if rate < self._rate / 2 else 0
        if self._low < LOW_REPORTS or time.monotonic() - self._looked_at < AGAIN_SECONDS:
            return ""
        before, after = torch.get_num_threads(), self.choose()
        self._rate, self._low, self._looked_at = 0.0, 0, time.monotonic()
        return f"training became less than half as fast: looked again, {before} -> {after} processor threads"


def _step_of_a_copy(config: TrainConfig, data: Dataset, model: nn.Module) -> Callable[[], object]:
    """A call that trains one more step."""
    learner = Learner(config, data, copy.deepcopy(model), CPU)
    learner.model.train()
    rows = slice(0, config.training.batch_size)
    train = data.train
    first = Split(train.inputs[rows], train.targets[rows], train.indices[rows])
    inputs, targets = next(Batches(first, data, CPU).iterate(len(first)))
    return lambda: learner.step(inputs, targets)


def _fastest(step: Callable[[], object], counts: list[int], steps: int) -> int:
    """The count to take, by the least seconds of a step over some turns; `counts` in ascending order."""
    step()  # what is made once, such as the optimizer's state
    least = dict.fromkeys(counts, float("inf"))
    slow = _seconds_of(step, 1) > SECONDS
    for _ in range(1 if slow else TURNS):
        for count in counts:
            torch.set_num_threads(count)
            step()  # threads are started here
            least[count] = min(least[count], _seconds_of(step, steps))
    chosen = counts[0]
    for count in counts[1:]:
        if least[count] < GAIN * least[chosen]:
            chosen = count
    return chosen


def _seconds_of(step: Callable[[], object], most: int) -> float:
    """Mean seconds of a step, over a short while and at most so many of them."""
    began, steps = time.perf_counter(), 0
    while True:
        step()
        steps += 1
        took = time.perf_counter() - began
        if took > SECONDS or steps >= most:
            return took / steps
