"""Training and evaluating the simple models beside a run."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from core.config.schema import TrainConfig
from core.data.dataset import Dataset, Split
from core.errors import TorchtuiError
from core.evaluation import Predictions, Report
from core.inference.baselines import Baseline, Baselines, key_of
from core.session.baselines.fitting import Fitted, NotFitting, ShouldStop
from core.session.baselines.registry import MODELS, names_for
from core.session.baselines.samples import LearntSamples, is_streamed, why_none, with_some_in_memory
from core.session.baselines.sequences import MAX_COLUMNS
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_of
from core.training.metrics.own_metrics import OwnMetric, with_own_metrics

__all__ = ["compute"]

OF_ROWS = ("boosting", "linear", "neighbours")
"""Models that learn from all numbers of a sample."""


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
    there = tuple(split for split in splits if len(data.splits[split]))
    samples = LearntSamples(data, config, there, should_stop)
    models = []
    fitting, notes = _fitting(samples)
    learnt = samples
    if len(fitting) > 1 and is_streamed(data.train):
        learnt = replace(samples, data=with_some_in_memory(data, should_stop))
    for name in fitting:
        title, fit = MODELS[name]
        if should_stop():
            return None
        if name == "constant":
            title = task_of(data.task).constant_name
        elif name == "words" and data.kind != "text":
            title = "bag of ids"
        on_progress(title)
        began = time.monotonic()
        try:
            fitted = fit(samples if name == "constant" else learnt, should_stop)
            predictions = _decided(
                samples, {split: _predictions(samples, split, fitted) for split in samples.splits}
            )
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


def _fitting(samples: LearntSamples) -> tuple[list[str], list[str]]:
    """Return the names of the models that fit, and a line where the inputs leave one alone."""
    data = samples.data
    if data.sample.places:
        return ["constant"], []
    names = names_for(data)
    if len(names) == 1:
        return names, [f"one simple model alone beside the network: {why_none(data)}"]
    columns = math.prod(data.sample_shape)
    if is_streamed(data.train) and columns > MAX_COLUMNS:
        left = [name for name in names if name not in OF_ROWS]
        what = "one simple model alone beside the network" if len(left) == 1 else _none_of(names)
        return left, [f"{what}: its samples have {columns:,} numbers"] if len(left) < len(names) else []
    return names, []


def _none_of(names: Sequence[str]) -> str:
    return "no " + ", ".join(MODELS[name][0] for name in names if name in OF_ROWS)


def _decided(samples: LearntSamples, found: dict[str, Predictions]) -> dict[str, Predictions]:
    """Return predictions with what a network's would have as well, such as thresholds chosen on validation."""
    task, validation = task_of(samples.data.task), found.get("validation")
    return {split: task.decided(each, lambda: validation, samples.names) for split, each in found.items()}


def _predictions(samples: LearntSamples, split: str, fitted: Fitted) -> Predictions:
    scores = fitted.predict(split)
    return Predictions(
        scores=scores if scores.dtype == np.uint8 else scores.astype(np.float64),
        targets=samples.targets(split),
        indices=samples.data.splits[split].indices,
        probabilities=samples.kind in ("classes", "labels"),
        shares=samples.shares(split),
        weights=_weights(samples.data.splits[split]),
        groups=samples.data.splits[split].groups,
    )


def _weights(split: Split) -> np.ndarray | None:
    return None if split.weights is None else split.weights.double().numpy()


def _report(
    samples: LearntSamples, split: str, own_metrics: Sequence[OwnMetric], predictions: Predictions
) -> Report:
    data = samples.data
    report = evaluate(predictions, task=data.task, class_names=samples.names, split=split)
    return with_own_metrics(report, predictions, tuple(own_metrics))
