"""From events to series, facts and notes."""

import math
from collections.abc import Sequence

import pytest

from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunStarted,
    StepLogged,
)
from core.runs.history.advice import advise
from core.runs.history.history import MAX_EPOCHS, History
from tests.support.narrow import instance, some

STEPS = 10


def started(epochs: int = 20, epoch: int = 0, step: int = 0, task: str = "multiclass") -> RunStarted:
    return RunStarted(
        config={},
        task=task,
        samples={"train": 640, "validation": 60, "test": 60},
        classes=["a", "b"],
        sample_shape=[4],
        parameters=10,
        device="cpu",
        threads=1,
        epochs=epochs,
        steps_per_epoch=STEPS,
        epoch=epoch,
        step=step,
    )


def finished(
    epoch: int,
    train: float = 0.5,
    validation: float = 0.6,
    best: int | None = None,
    accuracy: float = 0.9,
    confusion: Sequence[Sequence[int]] = ((30, 0), (6, 24)),
) -> EpochFinished:
    return EpochFinished(
        epoch=epoch,
        step=STEPS * epoch,
        train={"loss": train, "accuracy": 0.8},
        validation={"loss": validation, "accuracy": accuracy},
        lr=0.01,
        seconds=1.0,
        best_epoch=best or epoch,
        best_metrics={"loss": validation, "accuracy": accuracy},
        confusion=[list(row) for row in confusion],
    )


def history_of(*events: Event) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def test_curves_are_in_epochs() -> None:
    step = StepLogged(
        epoch=1, step=5, train={"loss": 2.0, "accuracy": 0.1}, lr=0.01, samples_per_second=100.0
    )
    history = history_of(started(), step, finished(1), finished(2, train=0.25))
    x, y = history.curve("train loss").points()
    assert (x.tolist(), y.tolist()) == ([1.0, 2.0], [0.5, 0.25])
    x, y = history.curve("train loss by step").points()
    assert (x.tolist(), y.tolist()) == ([0.5], [2.0])
    assert history.position == 2.0
    assert history.total_steps == 200


def test_reading_a_curve_that_nothing_was_said_of_keeps_none() -> None:
    history = history_of(started(), finished(1))
    known = [*history.curves]
    assert len(history.curve("train other")) == 0
    assert [*history.curves] == known


def test_waiting_for_data_is_smoothed_and_starts_again_with_a_session() -> None:
    step = StepLogged(epoch=1, step=5, train={}, lr=0.01, samples_per_second=1.0, waiting=0.5)
    assert history_of(started(), step).waiting == pytest.approx(0.05)
    assert history_of(started(), *[step] * 60).waiting == pytest.approx(0.5, abs=0.001)
    assert history_of(started(), *[step] * 60, started()).waiting == 0.0


def test_going_on_from_a_checkpoint_takes_back_what_comes_again() -> None:
    history = history_of(
        started(), *(finished(epoch) for epoch in (1, 2, 3)), started(epoch=2, step=2 * STEPS)
    )
    assert [epoch.event.epoch for epoch in history.epochs] == [1, 2]
    assert history.curve("validation loss").points()[0].tolist() == [1.0, 2.0]
    assert "resumed from epoch 2" in instance(Notice, history.messages[-1]).message
    history.apply(finished(3, validation=0.1))
    assert history.curve("validation loss").points()[1].tolist() == [0.6, 0.6, 0.1]


def test_a_loss_that_is_not_a_number_is_a_place_not_a_crash() -> None:
    step = StepLogged(
        epoch=2, step=15, train={"loss": math.nan, "accuracy": 0.1}, lr=1.0, samples_per_second=1.0
    )
    history = history_of(started(), finished(1), step, RunFinished(status="diverged", error="NaN"))
    assert history.diverged_at == 1.5
    assert some(history.finished).status == "diverged"


def test_pause_evaluation_and_end() -> None:
    history = history_of(started(), RunPaused(epoch=1, step=3))
    assert bool(history.paused)
    history.apply(EvaluationFinished(split="test", metrics={"accuracy": 0.9, "log_loss": None}))
    history.apply(RunFinished(status="completed"))
    assert not history.paused
    assert history.evaluation["test"]["log_loss"] is None


@pytest.mark.slow
def test_memory_is_bounded() -> None:
    history = history_of(started(epochs=10**6))
    for epoch in range(1, 3 * MAX_EPOCHS):
        history.apply(finished(epoch, train=1 / epoch, validation=1 / epoch))
    assert len(history.epochs) == MAX_EPOCHS
    assert len(history.curve("train loss")) == 3 * MAX_EPOCHS - 1
    assert len(history.curve("train loss").points()[0]) < 20_000


@pytest.mark.parametrize(
    ("kind", "epochs"),
    [
        ("stalled", [finished(epoch, train=2.3) for epoch in range(1, 6)]),
        (
            "over-fitting since 1",
            [
                finished(epoch, train=1 / epoch, validation=0.5 + 0.05 * epoch, best=1)
                for epoch in range(1, 6)
            ],
        ),
        (
            "one class",
            [
                finished(
                    epoch, train=1 / epoch, validation=1 / epoch, accuracy=0.5, confusion=((30, 0), (30, 0))
                )
                for epoch in (1, 2, 3)
            ],
        ),
    ],
)
def test_what_looks_wrong_is_said_once_and_only_it(kind: str, epochs: list[EpochFinished]) -> None:
    events = [
        event if kind != "over-fitting since 1" else finished_with_best(event, 0.55) for event in epochs
    ]
    assert list(advise(events)) == [kind]
    history = history_of(started(), *events, *events[-1:])
    assert [type(message) for message in history.messages] == [Notice]


def finished_with_best(event: EpochFinished, loss: float) -> EpochFinished:
    return EpochFinished(**{**vars(event), "best_metrics": {"loss": loss}})


def test_a_healthy_run_gets_no_advice() -> None:
    assert advise([finished(epoch, train=1 / epoch, validation=1.1 / epoch) for epoch in range(1, 8)]) == {}
    assert advise([]) == {}


@pytest.mark.parametrize(
    ("confusion", "learned"),
    [
        (((992, 0), (0, 8)), True),
        (((992, 0), (7, 1)), True),
        (((900, 92), (0, 8)), True),
        (((992, 0), (8, 0)), False),
        (((500, 492), (4, 4)), False),
        (((20, 10, 0), (0, 30, 0), (0, 0, 0)), True),
        (((30, 0), (0, 0)), True),
    ],
)
def test_uneven_classes_do_not_hide_what_was_learned(
    confusion: Sequence[Sequence[int]], learned: bool
) -> None:
    """Neither one right answer in a rare class nor many wrong ones in a frequent one is nothing."""
    right = sum(row[place] for place, row in enumerate(confusion)) / sum(map(sum, confusion))
    last = finished(3, train=0.3, validation=0.3, accuracy=right, confusion=confusion)
    assert list(advise([last])) == ([] if learned else ["one class"])


@pytest.mark.parametrize(
    ("loss", "validation", "learned"),
    [
        ("cross_entropy", {"loss": 0.2}, True),
        ("cross_entropy", {"loss": 0.26}, False),
        ("hinge", {"loss": 0.07}, False),
        ("hinge", {"loss": 0.07, "roc_auc": 0.84}, True),
        ("hinge", {"loss": 0.07, "roc_auc": 0.51}, False),
    ],
)
def test_scores_that_rank_have_learned_though_none_reaches_the_threshold(
    loss: str, validation: dict[str, float], learned: bool
) -> None:
    """93 % of the samples are of one class, whose frequencies alone have a cross-entropy of 0.2536."""
    last = finished(3, train=0.3, validation=0.3, accuracy=0.93, confusion=((930, 0), (70, 0)))
    last = EpochFinished(**{**vars(last), "validation": validation})
    told = advise([last], loss).get("one class", "")
    assert bool(told) != learned
    known = loss == "cross_entropy" or "roc_auc" in validation
    assert learned or ("the model has learned nothing yet; try" in told) == known
    assert learned or "accuracy 0.930 equals always predicting the most frequent class (0.930)" in told
