"""Metrics of validation after each epoch, beside loss and score; what they cost is measured."""

import time

from torch import Tensor

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.losses.base import Scorer
from core.tasks.losses import resolve_loss
from core.tasks.metrics import reported_metrics
from core.tasks.registry import task_of
from core.training.metrics.own_metrics import OwnMetric, try_metric

__all__ = ["EpochMetrics", "check_measurable"]

COSTLY = 1 / 20
"""Share of an epoch from which on the cost of its metrics is reported."""
NOTICED_SECONDS = 0.1
"""Time that they must have taken in all before that; less says little, and matters to nobody."""


class EpochMetrics:
    """Computes what a configuration reports of validation beside loss and score.

    Attributes:
        names: what it reports, in order; empty for nothing.
        higher_is_better: the direction of the user's own metrics, by name.

    Args:
        scorer: has made the scores that are measured.
    """

    def __init__(
        self, config: TrainConfig, data: Dataset, own: tuple[OwnMetric, ...], scorer: Scorer | None = None
    ) -> None:
        settings = config.training
        self.names = (
            reported_metrics(settings.metrics, settings.monitor, data.task) if len(data.validation) else []
        )
        self.higher_is_better = {metric.name: metric.higher_is_better for metric in own}
        self._own, self._data = own, data
        self._probabilities = scorer is not None and scorer.gives_probabilities(data.target_facts)
        self._built_in = [name for name in self.names if name not in self.higher_is_better]
        self._seconds: dict[str, float] = {}
        self._epoch_seconds, self._epochs, self._reported = 0.0, 0, False

    def measure(self, scores: Tensor) -> dict[str, float]:
        """Return the metrics of the scores (n, outputs) for all of validation, NaN where one is undefined."""
        began = time.perf_counter()
        data = self._data
        predictions = task_of(data.task).predictions(scores, data.validation, data, self._probabilities)
        values = task_of(data.task).values(predictions, self._built_in, data.class_names)
        began = self._note("built-in ones", began)
        for metric in self._own:
            values[metric.name] = metric.value(predictions)
            began = self._note(metric.name, began)
        return {name: values[name] for name in self.names}

    def report_cost(self, epoch_seconds: float) -> str:
        """Return a line, once, if they have taken more than a twentieth of the epochs; else an empty text.

        Args:
            epoch_seconds: of the epoch that has ended, with its validation.
        """
        self._epoch_seconds, self._epochs = self._epoch_seconds + epoch_seconds, self._epochs + 1
        total = sum(self._seconds.values())
        if self._reported or total < NOTICED_SECONDS or total < COSTLY * self._epoch_seconds:
            return ""
        self._reported = True
        each, slowest = total / self._epochs, max(self._seconds, key=self._seconds.__getitem__)
        of = f", {slowest} most of them" if len(self._seconds) > 1 else ""
        share = total / self._epoch_seconds
        return f"the metrics of validation take {each:.3g} seconds an epoch{of}: {share:.0%} of its time"

    def _note(self, what: str, began: float) -> float:
        now = time.perf_counter()
        self._seconds[what] = self._seconds.get(what, 0.0) + now - began
        return now


def check_measurable(config: TrainConfig, data: Dataset, own: tuple[OwnMetric, ...]) -> None:
    """Find what would fail only after the first epoch.

    Raises:
        ConfigError: metrics are wanted of validation, and nothing is held out.
        UserCodeError: one of the user's own fails on random scores.
    """
    if not config.training.metrics:
        return
    if not len(data.validation):
        raise ConfigError(
            "training.metrics: nothing is held out for validation, of which they are",
            "Hold out a part of the data, or leave them out",
            field="training.metrics",
        )
    scorer = resolve_loss(config.loss, data.task).scorer(data.target_facts)
    probabilities = scorer.gives_probabilities(data.target_facts)
    targets = data.validation.targets.numpy()
    if targets.ndim == 2 and targets.dtype.kind == "f":
        targets = (targets[:, 0] if targets.shape[1] == 1 else targets).astype("float64")
    for metric in own:
        weighted = data.validation.weights is not None
        try_metric(metric, targets, len(data.class_names), probabilities, weighted=weighted)
