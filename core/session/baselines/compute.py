"""Training and evaluating the simple models beside a run."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from core.config.schema import TrainConfig
from core.data.dataset import Dataset, Split
from core.errors import TorchtuiError
from core.evaluation import Predictions, Report
from core.inference.baselines import Baseline, Baselines, key_of
from core.session.baselines.models import MODELS, Fitted, NotFitting, ShouldStop
from core.session.baselines.samples import LearntSamples, why_none
from core.tasks.evaluation import evaluate
from core.training.metrics.own_metrics import OwnMetric, with_own_metrics

__all__ = ["compute"]

FOR_TABLES = ("boosting", "linear")


def compute(
    config: TrainConfig,
    data: Dataset,
    splits: Sequence[str],
    own_metrics: Sequence[OwnMetric] = (),
    should_stop: ShouldStop = lambda: False,
    on_progress: Callable[[str], None] = lambda title: None,
) -> Baselines | None:
    """Train the simple models that fit the data, and evaluate them.

    Args:
        config: of the run, its loss resolved.
        splits: what to evaluate them on; those without samples are left out.
        should_stop: polled between them; returns None once it is true.
        on_progress: takes the title of each before it is trained.
    """
    key = key_of(config)
    if reason := why_none(data):
        return Baselines((), (f"no simple models beside the network: {reason}",), key)
    samples = LearntSamples(data, config, tuple(split for split in splits if len(data.splits[split])))
    models, notes = [], []
    for name, (title, fit) in MODELS.items():
        if name in FOR_TABLES and data.kind != "table":
            continue
        if should_stop():
            return None
        if name == "constant" and not data.class_names:
            title = "mean"
        on_progress(title)
        began = time.monotonic()
        try:
            fitted = fit(samples, should_stop)
            predictions = {split: _predictions(samples, split, fitted) for split in samples.splits}
            reports = {
                split: _report(samples, split, own_metrics, found) for split, found in predictions.items()
            }
        except NotFitting as why:
            notes.append(f"no {title}: {why}")
            continue
        except (TorchtuiError, ValueError, MemoryError) as error:
            notes.append(f"no {title}: {str(error) or type(error).__name__}")
            continue
        seconds = time.monotonic() - began
        how = fitted.how
        if fitted.rows < len(data.train):
            how += f", on {fitted.rows:,} of {len(data.train):,} rows, drawn at random"
        models.append(Baseline(name, title, how, fitted.rows, seconds, reports, predictions))
    return None if should_stop() else Baselines(tuple(models), tuple(notes), key)


def _predictions(samples: LearntSamples, split: str, fitted: Fitted) -> Predictions:
    return Predictions(
        scores=fitted.predict(split).astype(np.float64),
        targets=samples.targets(split),
        indices=samples.data.splits[split].indices,
        probabilities=bool(samples.classes),
        weights=_weights(samples.data.splits[split]),
        groups=samples.data.splits[split].groups,
    )


def _weights(split: Split) -> np.ndarray | None:
    return None if split.weights is None else split.weights.double().numpy()


def _report(
    samples: LearntSamples, split: str, own_metrics: Sequence[OwnMetric], predictions: Predictions
) -> Report:
    data = samples.data
    report = evaluate(predictions, task=data.task, class_names=data.class_names, split=split)
    return with_own_metrics(report, predictions, tuple(own_metrics))
