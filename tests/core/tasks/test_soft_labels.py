"""Soft labels: shares of the classes in place of one class a sample."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from core.config.schema import from_dict
from core.data.dataset import Dataset
from core.data.splits import assemble
from core.errors import ConfigError
from core.evaluation import Predictions
from core.evaluation.metric_values import metric_values
from core.losses.cross_entropy import CrossEntropy
from core.session.fit import check_fit
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_of

N = 30
CLASSES = task_of("multiclass")


def shares() -> np.ndarray:
    return np.random.default_rng(0).dirichlet([1, 2, 3], size=N)


def soft() -> Dataset:
    inputs = torch.rand(N, 4, generator=torch.Generator().manual_seed(0))
    everything = np.arange(N)
    parts = {"train": everything[:20], "validation": everything[20:], "test": everything[:0]}
    targets = torch.from_numpy(shares()).float()
    return assemble(
        name="a", kind="table", inputs=inputs, targets=targets, parts=parts, class_names=("a", "b", "c")
    )


def predictions() -> Predictions:
    scores = np.random.default_rng(1).dirichlet([1, 1, 1], size=N)
    return Predictions(scores, shares().argmax(axis=1), np.arange(N), True, shares=shares())


def test_metrics_go_by_the_likeliest_class_and_log_loss_by_all() -> None:
    given = predictions()
    report = evaluate(given, task="multiclass", class_names=["a", "b", "c"], split="test")
    assert report.metrics["accuracy"] == pytest.approx(accuracy_score(given.targets, given.predicted))
    crossed = np.mean(
        [
            sum(row[label] * log_loss([label], [given.scores[at]], labels=[0, 1, 2]) for label in range(3))
            for at, row in enumerate(shares())
        ]
    )
    assert report.metrics["log_loss"] == pytest.approx(crossed, rel=1e-9)
    assert metric_values(given, ["log_loss"], ["a", "b", "c"])["log_loss"] == pytest.approx(crossed, rel=1e-9)
    mean = shares().mean(axis=0)
    assert report.baseline["log_loss"] == pytest.approx(-mean @ np.log(mean), rel=1e-9)
    low, high = report.intervals["log_loss"]
    assert low < crossed < high


def test_shares_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    predictions().save(path)
    read = Predictions.load(path)
    assert read.shares is not None
    assert np.array_equal(read.shares, shares())


def test_classes_are_counted_by_their_shares() -> None:
    data = soft()
    assert data.soft
    assert data.class_counts == pytest.approx(shares()[:20].sum(axis=0), rel=1e-6)
    strata = CLASSES.strata(shares())
    assert strata is not None
    assert np.array_equal(strata, shares().argmax(axis=1))


def test_scores_of_epochs_go_by_the_likeliest_class() -> None:
    outputs, targets = torch.eye(3)[[0, 1, 2]], torch.tensor([[0.6, 0.4, 0], [0.5, 0.2, 0.3], [0, 0.1, 0.9]])
    tally = CLASSES.tally()
    tally.add(outputs, targets, None)
    score, counted = tally.read(targets, None, 3, lambda sums: sums)
    assert score == pytest.approx(2 / 3)
    assert counted.confusion == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert list(CLASSES.step_scores([outputs], [targets], [])) == [2]


def test_losses_of_one_class_and_mixing_are_refused() -> None:
    data = soft()
    check_fit(from_dict({"data": "iris", "loss": "cross_entropy"}), data)
    with pytest.raises(
        ConfigError, match="'hinge' takes one class per sample, but this data has soft labels"
    ):
        check_fit(from_dict({"data": "iris", "loss": "hinge"}), data)


def test_weighted_soft_labels() -> None:
    facts = soft().target_facts
    outputs, weights = torch.rand(N, 3), torch.rand(N)
    targets = torch.from_numpy(shares()).float()
    each = torch.nn.functional.cross_entropy(outputs, targets, reduction="none")
    expected = (each * weights).sum() / weights.sum()
    assert CrossEntropy().weighted(facts)(outputs, targets, weights).item() == pytest.approx(expected.item())
