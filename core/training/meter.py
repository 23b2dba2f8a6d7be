"""Loss and score of an epoch, summed up without waiting for the device at every step."""

import time

import torch
from torch import Tensor

from core.metrics import Task, score_name
from core.training.distributed import SINGLE, Group

__all__ = ["Meter"]


class Meter:
    """Collects each step's loss and outputs, and reads them off the device in bulk.

    Sums are taken step by step in double precision, so they do not depend on when they are read: an epoch that
    was interrupted and resumed gives the same numbers bit for bit. The R2 of training data assumes that its
    standardised targets have mean 0 and variance 1, which holds over a whole epoch.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self.samples = 0
        self.loss = 0.0
        self.score = 0.0
        self._logged = (0, 0.0, 0.0)
        self._logged_at = time.perf_counter()

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Add one step; nothing is computed and nothing waits."""
        self._losses.append(loss.detach())
        self._outputs.append(outputs.detach())
        self._targets.append(targets)

    @property
    def pending(self) -> int:
        """Number of steps added and not yet read."""
        return len(self._losses)

    def read(self) -> None:
        """Add the pending steps to the sums; waits for the device once."""
        if not self._losses:
            return
        for loss, targets in zip(torch.stack(self._losses).tolist(), self._targets, strict=True):
            self.loss += loss * len(targets)
            self.samples += len(targets)
        self._read_score()
        self._losses, self._outputs, self._targets = [], [], []

    def mean(self, group: Group = SINGLE) -> dict[str, float]:
        """Return loss and score of the epoch so far, per sample of all processes."""
        samples, loss, score = group.sums([self.samples, self.loss, self.score])
        return self._metrics(int(samples), loss, score)

    def since_logged(self) -> tuple[dict[str, float], float]:
        """Return loss and score since the last call, and samples per second in that time."""
        now = time.perf_counter()
        samples, loss, score = self._logged
        metrics = self._metrics(self.samples - samples, self.loss - loss, self.score - score)
        rate = (self.samples - samples) / max(now - self._logged_at, 1e-9)
        self._logged, self._logged_at = (self.samples, self.loss, self.score), now
        return metrics, rate

    def state(self, group: Group = SINGLE) -> dict[str, float]:
        """Return the sums over all processes, for a checkpoint; call `read` before."""
        sums = group.sums([self.samples, self.loss, self.score])
        return dict(zip(("samples", "loss", "score"), sums, strict=True))

    def restore(self, state: dict[str, float]) -> None:
        """Take over the sums of a checkpoint; an empty state starts an epoch."""
        self.samples = int(state.get("samples", 0))
        self.loss, self.score = state.get("loss", 0.0), state.get("score", 0.0)
        self._logged, self._logged_at = (self.samples, self.loss, self.score), time.perf_counter()

    def _metrics(self, samples: int, loss: float, score: float) -> dict[str, float]:
        if not samples:
            return {}
        share = score / samples
        return {
            "loss": loss / samples,
            score_name(self.task): 1 - share if self.task == "regression" else share,
        }

    def _read_score(self) -> None:
        """Add the number of correct predictions, or the squared errors of a regression."""
        if self.task == "regression":
            pairs = zip(self._outputs, self._targets, strict=True)
            errors = torch.stack([(outputs - targets).square().sum() for outputs, targets in pairs])
            for error in errors.tolist():  # one by one: a sum of sums would depend on when it is read
                self.score += error
        else:
            predicted, targets = torch.cat(self._outputs).argmax(dim=1), torch.cat(self._targets)
            if targets.ndim == 2:  # mixed classes: the one with the larger share counts
                targets = targets.argmax(dim=1)
            self.score += int((predicted == targets).sum())
