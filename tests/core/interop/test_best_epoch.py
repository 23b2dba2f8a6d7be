"""The best epoch, by which number, and when a run ends for want of a better one."""

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import ConfigError
from core.events import EpochFinished, EvaluationFinished, Notice, RunStarted
from core.interop.best_epoch import Best

Train = Callable[..., Any]
STEADY = {
    "data": {"name": "iris", "validation": 0.3},
    "model": "mlp",
    "optimizer": {"name": "sgd", "lr": 0.02},
}
"""Its accuracy is soon at its highest, its loss falls on and on."""


def with_training(**training: Any) -> dict[str, Any]:
    return STEADY | {"training": {"epochs": 25, **training}}


def test_the_highest_accuracy_is_the_best_epoch_where_it_is_monitored(train_run: Train) -> None:
    trained = train_run(with_training(monitor="accuracy"))
    epochs = trained.told(EpochFinished)
    accuracies = [epoch.validation["accuracy"] for epoch in epochs]
    losses = [epoch.validation["loss"] for epoch in epochs]
    best = accuracies.index(max(accuracies)) + 1
    assert best != losses.index(min(losses)) + 1, "the two numbers choose different epochs here"
    assert trained.told(RunStarted)[0].monitor == "accuracy"
    assert epochs[-1].best_epoch == best == trained.checkpoint("best")["epoch"]
    assert epochs[-1].best_metrics == epochs[best - 1].validation
    measured = trained.told(EvaluationFinished)[0].metrics["accuracy"]
    assert measured == pytest.approx(max(accuracies), abs=1e-6)


def test_the_highest_r2_is_the_best_epoch_of_a_regression(train_run: Train) -> None:
    values = {"data": "diabetes", "model": "mlp", "loss": "l1", "optimizer": {"lr": 0.3}}
    trained = train_run(values | {"training": {"monitor": "r2", "epochs": 6}})
    scores = [epoch.validation["r2"] for epoch in trained.told(EpochFinished)]
    assert trained.told(EpochFinished)[-1].best_epoch == scores.index(max(scores)) + 1


def test_patience_watches_the_monitored_number(train_run: Train) -> None:
    trained = train_run(with_training(epochs=500, monitor="accuracy", patience=3))
    last = trained.told(EpochFinished)[-1]
    assert last.epoch == last.best_epoch + 3
    told = [event.message for event in trained.told(Notice)]
    assert told == ["validation accuracy has not become better for 3 epochs: stopping early"]


@pytest.mark.slow
def test_a_gain_below_min_delta_is_none_for_patience_and_still_the_best_epoch(train_run: Train) -> None:
    told = train_run(with_training(epochs=60)).told(EpochFinished)
    losses = [epoch.validation["loss"] for epoch in told]
    assert losses == sorted(losses, reverse=True), "every epoch is a little better than the one before"
    mark, stale, end = losses[0], 0, 1
    while stale < 4:
        mark, stale = (losses[end], 0) if losses[end] < mark - 0.05 else (mark, stale + 1)
        end += 1
    trained = train_run(with_training(epochs=60, patience=4, min_delta=0.05))
    last = trained.told(EpochFinished)[-1]
    assert last.epoch == last.best_epoch == end < 60
    told = [event.message for event in trained.told(Notice)]
    assert told[-1] == "validation loss has not become better by 0.05 for 4 epochs: stopping early"


def test_an_epoch_that_diverged_is_never_the_best(train_run: Train) -> None:
    """Not even by its accuracy: NaN outputs have a largest one, too."""
    values = {"data": "diabetes", "model": "mlp", "optimizer": {"name": "sgd", "lr": 1e30}}
    training = {"epochs": 2, "monitor": "r2", "on_divergence": "continue"}
    trained = train_run(values | {"training": training})
    assert [epoch.best_epoch for epoch in trained.told(EpochFinished)] == [0, 0]
    assert trained.finished.error.startswith("no epoch had a finite validation r2")


def test_a_number_that_the_task_does_not_have_is_refused(train_run: Train) -> None:
    with pytest.raises(
        ConfigError, match=r"training\.monitor: 'r2' is not .* Takes loss, accuracy, "
    ) as wrong:
        train_run(with_training(monitor="r2"))
    assert wrong.value.field == "training.monitor"


def test_training_counts_only_as_long_as_no_epoch_was_validated() -> None:
    best = Best()
    rows: list[tuple[int, dict[str, float]]] = [
        (1, {}),
        (2, {"loss": 0.9}),
        (3, {}),
        (4, {"loss": 0.8}),
        (5, {}),
    ]
    for epoch, validation in rows:
        best.judge_epoch(epoch, validation, {"loss": 0.1 / epoch})
    assert (best.epoch, best.value) == (4, 0.8)
