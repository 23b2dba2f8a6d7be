"""Intervals of samples that come in groups: as wide as whole groups make them, or a reason where these are few."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.evaluation import Predictions
from core.evaluation.intervals.jackknife import FEWEST_GROUPS
from core.tasks.evaluation import evaluate

NAMES = {"binary": ("no", "yes"), "regression": ()}


def answers(task: str, groups: int, size: int = 10, seed: int = 0) -> Predictions:
    """Predictions whose errors are nearly the same within a group."""
    rng = np.random.default_rng(seed)
    n = groups * size
    common = rng.normal(size=groups)[np.arange(n) // size]
    of_group = np.arange(n, dtype=np.int64) // size
    if task == "regression":
        signal = rng.normal(size=n)
        error = common + 0.1 * rng.normal(size=n)
        return Predictions(signal, signal + error, np.arange(n), False, groups=of_group)
    targets = rng.integers(0, 2, n)
    second = 1 / (1 + np.exp(-(2 * targets - 1) * (1 + 2 * common) - 0.1 * rng.normal(size=n)))
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(n), True, groups=of_group)


def width(ends: list[float]) -> float:
    return ends[1] - ends[0]


@pytest.mark.parametrize(
    ("task", "metrics"), [("binary", ["accuracy", "roc_auc", "log_loss"]), ("regression", ["mae"])]
)
def test_groups_make_intervals_wider_by_about_the_root_of_their_size(task: str, metrics: list[str]) -> None:
    found = answers(task, 40)
    whole = evaluate(found, task=task, class_names=NAMES[task], split="test")
    single = evaluate(replace(found, groups=None), task=task, class_names=NAMES[task], split="test")
    assert whole.groups == 40
    assert whole.metrics == single.metrics
    for metric in metrics:
        low, high = whole.intervals[metric]
        assert low <= (whole.metrics[metric] or 0) <= high
        assert 2 < width(whole.intervals[metric]) / width(single.intervals[metric]) < 4.5
    for row, other in zip(whole.class_intervals, single.class_intervals, strict=True):
        assert all(width(row[name]) >= width(other[name]) for name in other)


def test_groups_of_one_sample_change_nothing() -> None:
    found = answers("binary", 50, size=1)
    whole = evaluate(found, task="binary", class_names=NAMES["binary"], split="test")
    single = evaluate(replace(found, groups=None), task="binary", class_names=NAMES["binary"], split="test")
    assert whole.intervals == single.intervals


def test_few_groups_have_a_reason_in_place_of_intervals() -> None:
    found = answers("binary", FEWEST_GROUPS - 1)
    report = evaluate(found, task="binary", class_names=NAMES["binary"], split="test")
    assert report.intervals == {}
    assert not any(report.class_intervals)
    assert "the samples are of 9 groups, fewer than the 10" in report.no_interval["accuracy"]


def test_no_mistake_in_twenty_groups_tells_as_much_as_twenty_samples() -> None:
    targets = np.arange(200) % 2
    scores = np.stack([1 - targets, targets], axis=1) * 0.98 + 0.01
    found = Predictions(scores, targets, np.arange(200), True, groups=np.arange(200) // 10)
    low, high = evaluate(found, task="binary", class_names=NAMES["binary"], split="test").intervals[
        "accuracy"
    ]
    assert high == 1
    assert low == pytest.approx(0.82, abs=0.02)  # 20 of 20: 0.832


def test_many_groups_are_left_out_some_at_a_time() -> None:
    found = answers("regression", 300, size=4)
    report = evaluate(found, task="regression", class_names=(), split="test")
    assert report.groups == 300
    assert width(report.intervals["mae"]) > 0


def test_groups_are_kept_with_predictions(tmp_path: Path) -> None:
    found = answers("binary", 12)
    found.save(tmp_path / "p.npz")
    read = Predictions.load(tmp_path / "p.npz")
    assert np.array_equal(read.groups, found.groups)  # type: ignore[arg-type]  # both are there
    assert len(read.rows(np.arange(5))) == 5
