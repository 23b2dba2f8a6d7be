"""Choice of the number of processor threads: real steps of a copy are timed, and again when throughput falls.

A second thread gains a third on idle cores, and costs a multiple if something else uses one of them: no rule that
only knows the network can decide.
"""

import math
import os
import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.machine import available_cores
from core.models.copies import copied
from core.random_state import keeping_random_state
from core.training.context import TrainingContext
from core.training.own.learner import learner_for

__all__ = ["Threads", "max_threads", "step_of_a_copy"]

SMALL_STEP = 2_000_000
"""Multiply-adds of a forward pass that take less time than starting a second thread; not worth any timing."""
SECONDS = 0.05
"""Time for each number of threads in one turn; at least one step is timed."""
MIN_STEPS_RATIO = 100
"""Steps of a run for each timed step: a short run does not spend its time on choosing."""
TURNS = 3
GAIN = 0.9
"""More threads are taken only if a step then takes less than this fraction of the time: cores are shared."""
LOW_REPORTS = 10
"""Number of low reports in a row, about a second, after which the number is chosen again."""
MIN_SECONDS_BETWEEN = 30.0
CPU = torch.device("cpu")


def max_threads(threads: int | Literal["auto"], multiply_adds: int, spare: int = 0) -> int:
    """Return the number of threads that training may take, at least 1.

    Args:
        threads: the configured number, or ``auto``: the cores of this process, at most ``OMP_NUM_THREADS``.
        multiply_adds: estimate for the forward pass of one batch; a small one gives one thread.
        spare: cores that ``auto`` leaves free, such as for screens.
    """
    if threads != "auto":
        return threads
    if multiply_adds < SMALL_STEP:
        return 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    cores = available_cores()
    return max(1, min(cores, int(limit) if limit.isdigit() else cores) - spare)


class Threads:
    """Chooses the number of processor threads for a run, and sets it.

    Args:
        model: trained in place by the run; copies of it are timed.
        maximum: largest number of threads that may be taken.

    Attributes:
        failure: why the last choice could not be made, in a sentence; empty if it was made.
    """

    def __init__(self, config: TrainConfig, data: Dataset, model: nn.Module, maximum: int) -> None:
        self._config, self._data, self._model, self._maximum = config, data, model, maximum
        settings = config.training
        self._steps = settings.epochs * math.ceil(len(data.train) / settings.batch_size)
        self.failure = ""
        self._rate = 0.0
        self._low = 0
        self._chosen_at = time.monotonic()

    def choose(self) -> int:
        """Set and return the number of threads with which a step of training takes the least time.

        Trains a copy on the first batch; neither the model nor the random state changes. If the model cannot be copied,
        or the copy fails, the number stays.
        """
        counts = sorted({1, max(1, self._maximum // 2), self._maximum})
        count, before = counts[0], torch.get_num_threads()
        self.failure = ""
        if len(counts) > 1:
            try:
                with keeping_random_state(CPU):
                    step = step_of_a_copy(self._config, self._data, self._model)
                    count = _fastest(step, counts, self._steps // MIN_STEPS_RATIO)
            except Exception as error:  # what is wrong with a network is reported where it trains
                count = before
                reason = str(error).partition("\n")[0] or type(error).__name__
                self.failure = (
                    f"processor threads stay at {count}, as no copy of the network could be timed: {reason}"
                )
        torch.set_num_threads(count)
        return count

    def report_rate(self, rate: float) -> str:
        """Take the samples per second of the last tenth of a second; choose again if they fell by half.

        Returns:
            A message about the new choice; empty if there was none.
        """
        self._rate = max(rate, self._rate)
        self._low = self._low + 1 if rate < self._rate / 2 else 0
        if self._low < LOW_REPORTS or time.monotonic() - self._chosen_at < MIN_SECONDS_BETWEEN:
            return ""
        before, now = torch.get_num_threads(), self.choose()
        self._rate, self._low, self._chosen_at = 0.0, 0, time.monotonic()
        change = f"stays at {now}" if now == before else f"switched from {before} to {now}"
        return f"training slowed down by more than half: {change} processor thread{'s' * (now != 1)}"


def step_of_a_copy(config: TrainConfig, data: Dataset, model: nn.Module) -> Callable[[], object]:
    """Return a function that trains one more step."""
    learner = learner_for(config, data, copied(model), TrainingContext(CPU))
    learner.model.train()
    first = data.train.rows(slice(0, config.training.batch_size))
    batch = next(Batches(first, data, CPU).iterate(len(first)))
    return lambda: learner.step(batch)


def _fastest(step: Callable[[], object], counts: list[int], steps: int) -> int:
    """Return the best of `counts`, which ascend, by the least seconds of a step over some turns."""
    step()  # creates what is created once, such as the optimizer's state
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


def _seconds_of(step: Callable[[], object], max_steps: int) -> float:
    """Return the mean seconds of a step, over a short time and at most `max_steps` of them."""
    began, steps = time.perf_counter(), 0
    while True:
        step()
        steps += 1
        took = time.perf_counter() - began
        if took > SECONDS or steps >= max_steps:
            return took / steps
