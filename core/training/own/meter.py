"""Means of the numbers that a network's own step reports, summed up without waiting for the device at every step."""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from core.data.batches import Batch
from core.training.distributed import SINGLE, Group
from core.training.own.numbers import Numbers

__all__ = ["NumberMeter", "Sums", "add_to", "means", "read_numbers"]

Sums = dict[str, tuple[float, float]]
"""By name: the sum of the number times the samples of its batch, and the samples."""
SAMPLES, WEIGHT = "samples", " samples"
"""Keys of a checkpoint: the samples of the epoch, and after a name those of the batches that reported it."""


class NumberMeter:
    """Collects what each step reports, and reads it off the device in bulk; see `core.training.meter.Meter`.

    A number's mean is over the samples of the batches that reported it: a step may leave one out.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[Numbers, int]] = []
        self._sums: Sums = {}
        self.samples = 0
        self._logged: tuple[int, Sums] = (0, {})
        self._logged_at = time.perf_counter()

    def add(self, loss: Tensor, numbers: Numbers, batch: Batch) -> None:
        """Add one step; nothing is computed and nothing waits."""
        self._pending.append((numbers, batch.samples))

    @property
    def pending(self) -> int:
        """Number of steps added and not yet read."""
        return len(self._pending)

    @property
    def loss(self) -> float:
        """Sum of the losses so far: of ``loss``, or of the numbers whose names end so; not finite if one was not."""
        if "loss" in self._sums:
            return self._sums["loss"][0]
        return sum(total for name, (total, _) in self._sums.items() if name.endswith("loss"))

    def read(self) -> None:
        """Add the pending steps to the sums, one by one; waits for the device once."""
        for numbers, samples in read_numbers(self._pending):
            self.samples += samples
            add_to(self._sums, numbers, samples)
        self._pending = []

    def mean(self, group: Group = SINGLE) -> dict[str, float]:
        """Return the means of the epoch so far, over the samples of all processes."""
        return means(group.sums_by_name(self._sums))

    def since_logged(self) -> tuple[dict[str, float], float]:
        """Return the means since the last call, and samples per second in that time."""
        now = time.perf_counter()
        samples, before = self._logged
        nothing = (0.0, 0.0)
        since = {
            name: (total - before.get(name, nothing)[0], weight - before.get(name, nothing)[1])
            for name, (total, weight) in self._sums.items()
        }
        rate = (self.samples - samples) / max(now - self._logged_at, 1e-9)
        self._logged, self._logged_at = (self.samples, dict(self._sums)), now
        return means(since), rate

    def state(self, group: Group = SINGLE) -> dict[str, float]:
        """Return the sums over all processes, for a checkpoint; call `read` before."""
        sums = group.sums_by_name({**self._sums, SAMPLES: (float(self.samples), 0.0)})
        samples, _ = sums.pop(SAMPLES)
        flat = {name: total for name, (total, _) in sums.items()}
        weights = {f"{name}{WEIGHT}": weight for name, (_, weight) in sums.items()}
        return {SAMPLES: samples, **flat, **weights}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take over the sums of a checkpoint; an empty state starts an epoch."""
        self.samples = int(state.get(SAMPLES, 0))
        self._sums = {
            key.removesuffix(WEIGHT): (state[key.removesuffix(WEIGHT)], weight)
            for key, weight in state.items()
            if key.endswith(WEIGHT)
        }
        self._logged, self._logged_at = (self.samples, dict(self._sums)), time.perf_counter()


def means(sums: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return the mean of each number that was reported."""
    return {name: total / weight for name, (total, weight) in sums.items() if weight}


def add_to(sums: Sums, numbers: Mapping[str, float], samples: int) -> None:
    """Add the numbers of a batch of so many samples."""
    for name, value in numbers.items():
        total, weight = sums.get(name, (0.0, 0.0))
        sums[name] = (total + value * samples, weight + samples)


def read_numbers(reported: list[tuple[Numbers, int]]) -> list[tuple[dict[str, float], int]]:
    """Return numbers and samples of some batches in main memory; waits for the device once."""
    tensors = [
        value.double() for numbers, _ in reported for value in numbers.values() if isinstance(value, Tensor)
    ]
    values = iter(torch.stack(tensors).tolist() if tensors else ())
    return [
        (
            {name: next(values) if isinstance(value, Tensor) else value for name, value in numbers.items()},
            samples,
        )
        for numbers, samples in reported
    ]
