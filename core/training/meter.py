"""Loss and score of an epoch, summed up without waiting for the device at every step."""

import time

import torch
from torch import Tensor

from core.data.batches import Batch
from core.tasks.registry import task_of
from core.training.distributed import SINGLE, Group

__all__ = ["Meter"]


class Meter:
    """Collects each step's loss and outputs, and reads them off the device in bulk.

    Sums are taken step by step in double precision, so they do not depend on when they are read: an epoch that
    was interrupted and resumed gives the same numbers bit for bit. The R2 of training data assumes that its
    standardised targets have mean 0 and variance 1, which holds over a whole epoch.
    """

    def __init__(self, task: str) -> None:
        self._task = task_of(task)
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._weights: list[Tensor] = []
        self.samples = 0
        self.weight = 0.0
        self.loss = 0.0
        self.score = 0.0
        self._logged = (0, 0.0, 0.0, 0.0)
        self._logged_at = time.perf_counter()

    def add(self, loss: Tensor, outputs: Tensor, batch: Batch) -> None:
        """Add one step; nothing is computed and nothing waits."""
        self._losses.append(loss.detach())
        noted, targets = self._task.noted(outputs.detach(), batch.targets)
        self._outputs.append(noted)
        self._targets.append(targets)
        if batch.weights is not None:
            self._weights.append(batch.weights)

    @property
    def pending(self) -> int:
        """Number of steps added and not yet read."""
        return len(self._losses)

    def read(self) -> None:
        """Add the pending steps to the sums; waits for the device once."""
        if not self._losses:
            return
        counts = [float(len(targets)) for targets in self._targets]
        if self._weights:
            counts = torch.stack([weights.sum(dtype=torch.float64) for weights in self._weights]).tolist()
        for loss, count, targets in zip(
            torch.stack(self._losses).tolist(), counts, self._targets, strict=True
        ):
            self.loss += loss * count
            self.weight += count
            self.samples += len(targets)
        steps = self._task.step_scores(self._outputs, self._targets, self._weights)
        for score in steps:  # one by one: a sum of sums would depend on when it is read
            self.score += score
        self._losses, self._outputs, self._targets, self._weights = [], [], [], []

    def mean(self, group: Group = SINGLE) -> dict[str, float]:
        """Return loss and score of the epoch so far: weighted means over the samples of all processes."""
        return self._metrics(*group.sums([self.weight, self.loss, self.score]))

    def since_logged(self) -> tuple[dict[str, float], float]:
        """Return loss and score since the last call, and samples per second in that time."""
        now = time.perf_counter()
        samples, weight, loss, score = self._logged
        metrics = self._metrics(self.weight - weight, self.loss - loss, self.score - score)
        rate = (self.samples - samples) / max(now - self._logged_at, 1e-9)
        self._logged, self._logged_at = (self.samples, self.weight, self.loss, self.score), now
        return metrics, rate

    def state(self, group: Group = SINGLE) -> dict[str, float]:
        """Return the sums over all processes, for a checkpoint; call `read` before."""
        sums = group.sums([self.samples, self.weight, self.loss, self.score])
        return dict(zip(("samples", "weight", "loss", "score"), sums, strict=True))

    def restore(self, state: dict[str, float]) -> None:
        """Take over the sums of a checkpoint; an empty state starts an epoch."""
        self.samples = int(state.get("samples", 0))
        self.weight = state.get("weight", float(self.samples))  # earlier checkpoints do not hold it
        self.loss, self.score = state.get("loss", 0.0), state.get("score", 0.0)
        self._logged = (self.samples, self.weight, self.loss, self.score)
        self._logged_at = time.perf_counter()

    def _metrics(self, weight: float, loss: float, score: float) -> dict[str, float]:
        if not weight:
            return {}
        return {"loss": loss / weight, self._task.score: self._task.mean_score(score / weight)}
