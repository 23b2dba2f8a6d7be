"""The same seed gives the same run, and a run that was interrupted ends as if it had not been, bit for bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset, Split
from core.errors import RunError
from core.events import EpochFinished, EvaluationFinished, Event, Notice, RunStarted
from core.models.registry import build
from core.runs.summary import summarise
from core.training.context import TrainingContext
from core.training.engine import train
from tests.support.narrow import instance

Train = Callable[..., Any]

DIGITS = {"name": "digits", "test": 0.5, "validation": 0.2}
RUNS: dict[str, dict[str, Any]] = {
    "mlp with dropout, adam, cosine": {
        "data": DIGITS,
        "model": {"name": "mlp", "hidden": [32, 16], "dropout": 0.3},
        "optimizer": "adam",
        "schedule": "cosine",
    },
    "cnn with dropout, adamw": {
        "data": DIGITS,
        "model": {"name": "cnn", "channels": [2, 4], "hidden": [8], "dropout": 0.2},
        "optimizer": "adamw",
    },
    "linear, momentum, steps": {
        "data": DIGITS,
        "model": "linear",
        "schedule": {"name": "step", "every": 1, "gamma": 0.5},
        "loss": "hinge",
    },
    "regression, rmsprop": {
        "data": "diabetes",
        "model": {"hidden": [8]},
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
    },
    "two classes, adagrad": {"data": "breast_cancer", "model": "mlp", "loss": "mse", "optimizer": "adagrad"},
    "muon without decay of biases": {
        "data": "breast_cancer",
        "model": "mlp",
        "optimizer": {"name": "muon", "decay_norms": False},
        "loss": {"name": "focal", "class_weights": "balanced"},
    },
    "sgd, nothing held out": {"data": {"name": "wine", "validation": 0}, "model": "mlp", "optimizer": "sgd"},
}
for values in RUNS.values():
    values["training"] = {"epochs": 4, "batch_size": 32}


def stop(control: RunControl, model: Any) -> None:
    control.stop()


def without_clock(epoch: EpochFinished) -> dict[str, Any]:
    return {key: value for key, value in vars(epoch).items() if key not in ("time", "seconds", "epochs")}


def assert_same(first: Any, second: Any) -> None:
    """Equal in every bit of a nested state."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    else:
        assert first == second


def assert_ended_alike(undisturbed: Any, sessions: list[Any]) -> None:
    """The last of `sessions` ended as `undisturbed`, and all of them together told the same epochs."""
    told = {epoch.epoch: epoch for session in sessions for epoch in session.told(EpochFinished)}
    for epoch in undisturbed.told(EpochFinished):
        assert without_clock(told[epoch.epoch]) == without_clock(epoch)
    for kind in ("last", "best"):
        assert_same(undisturbed.weights(kind), sessions[-1].weights(kind))
    assert_same(undisturbed.checkpoint()["optimizer"], sessions[-1].checkpoint()["optimizer"])
    assert_same(undisturbed.checkpoint()["rng"], sessions[-1].checkpoint()["rng"])
    tests = [session.told(EvaluationFinished)[-1].metrics for session in (undisturbed, sessions[-1])]
    assert tests[0] == tests[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_stopped_twice_ends_as_if_it_had_not_been(name: str, train_run: Train) -> None:
    undisturbed = train_run(RUNS[name])
    first = train_run(RUNS[name], at_step=(4, stop))
    second = train_run(run=first.run, at_step=(3, stop))
    third = train_run(run=first.run)

    assert [session.finished.status for session in (first, second, third)] == [
        "stopped",
        "stopped",
        "completed",
    ]
    starts = [session.told(RunStarted)[0] for session in (first, second, third)]
    assert [start.step for start in starts] == [0, 4, 7]
    assert [start.epoch for start in starts] == [step // starts[0].steps_per_epoch for step in (0, 4, 7)]
    assert_ended_alike(undisturbed, [first, second, third])


OPTIONS: dict[str, dict[str, Any]] = {
    "clipped, accumulated": {"clip_norm": 0.1, "batch_size": 40, "accumulate": 4},
    "running mean of the weights": {"ema": 0.9},
    "deterministic": {"deterministic": True},
    "bf16": {"precision": "bf16"},
    "fp16, clipped, accumulated": {"precision": "fp16", "clip_norm": 1.0, "batch_size": 80, "accumulate": 2},
    "best by accuracy": {"monitor": "accuracy", "min_delta": 0.01, "patience": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_training_options_are_kept_through_a_stop(name: str, train_run: Train) -> None:
    values = {"data": DIGITS, "optimizer": "adam", "model": {"hidden": [16]}, "schedule": "cosine"}
    values["training"] = {"epochs": 3, "batch_size": 160, **OPTIONS[name]}
    undisturbed = train_run(values)
    parts = OPTIONS[name].get("accumulate", 1)
    first = train_run(values, at_step=(5 * parts + 2, stop))
    second = train_run(run=first.run)
    assert 5 < second.told(RunStarted)[0].step < 10, "in the second epoch"
    assert undisturbed.told(RunStarted)[0].steps_per_epoch == 5
    assert_ended_alike(undisturbed, [first, second])


@pytest.mark.slow
def test_a_run_of_lbfgs_stopped_inside_a_search_ends_alike(train_run: Train) -> None:
    """A search calls the network several times; it is finished before the run ends."""
    values = {
        "data": "iris",
        "model": {"hidden": [8], "dropout": 0.2},
        "optimizer": {"name": "lbfgs", "iterations": 3},
    }
    undisturbed = train_run(values)
    first = train_run(values, at_step=(8, stop))
    assert first.finished.status == "stopped"
    assert_ended_alike(undisturbed, [first, train_run(run=first.run)])


@pytest.mark.slow
def test_a_run_stopped_between_any_two_steps_ends_alike(train_run: Train) -> None:
    """Also at the first and the last batch of an epoch, and of the run."""
    values = RUNS["mlp with dropout, adam, cosine"] | {"data": "iris"}
    values["training"] = {"epochs": 2, "batch_size": 32}
    undisturbed = train_run(values)
    steps = 2 * undisturbed.told(RunStarted)[0].steps_per_epoch
    assert steps == 8
    for step in range(1, steps + 1):
        first = train_run(values, at_step=(step, stop))
        assert first.finished.status == "stopped"
        assert_ended_alike(undisturbed, [first, train_run(run=first.run)])


def test_a_run_goes_on_for_more_epochs_than_were_asked_for(train_run: Train) -> None:
    values = RUNS["regression, rmsprop"]
    short = train_run(values | {"training": {"epochs": 2, "batch_size": 32}})
    longer = train_run({"training": {"epochs": 4}}, run=short.run)
    assert longer.told(RunStarted)[0].epoch == 2
    assert_ended_alike(train_run(values), [short, longer])
    assert summarise(short.run).epochs == 4


def test_what_was_asked_for_last_is_what_a_run_goes_on_with(train_run: Train) -> None:
    """A longer run that is stopped goes on to its new end, without asking for it again."""
    short = train_run({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    stopped = train_run({"training": {"epochs": 3}}, run=short.run, at_step=(1, stop))
    assert stopped.finished.status == "stopped"
    assert short.run.config().training.epochs == 3
    assert train_run(run=short.run).told(EpochFinished)[-1].epoch == 3


@pytest.mark.slow
def test_a_run_without_a_checkpoint_begins_anew(train_run: Train) -> None:
    def fail(control: RunControl, model: Any) -> None:
        raise ZeroDivisionError

    values = RUNS["two classes, adagrad"]
    failed = train_run(values, at_step=(2, fail))
    assert not failed.run.checkpoint_file("last").exists()
    again = train_run(run=failed.run)
    assert again.told(RunStarted)[0].step == 0
    assert_ended_alike(train_run(values), [again])


@pytest.mark.slow
def test_patience_is_remembered(train_run: Train) -> None:
    values = {
        "data": "iris",
        "model": "mlp",
        "optimizer": {"lr": 5.0},
        "training": {"epochs": 500, "patience": 6},
    }
    undisturbed = train_run(values)
    last = undisturbed.told(EpochFinished)[-1]
    assert last.epoch < 500
    first = train_run(values, at_step=(last.step - 3, stop))
    second = train_run(run=first.run)
    assert len(second.told(EpochFinished)) < 6
    assert_ended_alike(undisturbed, [first, second])


@pytest.mark.slow
def test_a_run_that_ran_out_of_patience_goes_on_with_more(train_run: Train) -> None:
    values = {
        "data": "iris",
        "model": "mlp",
        "optimizer": {"lr": 5.0},
        "training": {"epochs": 500, "patience": 3},
    }
    first = train_run(values)
    logged = first.run.log_file.read_bytes()
    hint = r"is complete: \d+ epochs\. Give a larger training\.patience to train on"
    for more in ({}, {"epochs": 600}, {"max_minutes": 60}, {"patience": 2}):
        with pytest.raises(RunError, match=hint):
            train_run({"training": more}, run=first.run)
    assert first.run.log_file.read_bytes() == logged
    second = train_run({"training": {"patience": 9}}, run=first.run)
    assert second.told(Notice)[-1].message.endswith("for 9 epochs: stopping early")
    assert_ended_alike(train_run(configuration.merge(values, {"training": {"patience": 9}})), [first, second])


def test_the_patience_of_a_schedule_is_told_when_it_changes(train_run: Train) -> None:
    """Unlike that of training, which may become larger at any time."""
    values = {"data": "iris", "model": "mlp", "schedule": {"name": "plateau", "patience": 5}}
    run = train_run(values, at_step=(3, stop)).run
    second = train_run({"schedule": {"patience": 6}, "training": {"patience": 9}}, run=run)
    assert ["schedule.patience is 6, was 5" in notice.message for notice in second.told(Notice)] == [True]


def test_all_that_would_end_a_complete_run_at_once_is_named(train_run: Train) -> None:
    values = {
        "data": "iris",
        "model": "mlp",
        "optimizer": {"lr": 5.0},
        "training": {"epochs": 500, "patience": 3},
    }
    run = train_run(values).run
    last = summarise(run).epoch
    with pytest.raises(
        RunError, match=r"larger training\.epochs and a larger training\.patience to train on"
    ):
        train_run({"training": {"epochs": last}}, run=run)
    for kind in ("last", "previous"):
        run.checkpoint_file(kind).unlink(missing_ok=True)
    with pytest.raises(RunError, match=r"larger training\.epochs to train on"):
        train_run(run=run)


def test_a_run_that_was_not_evaluated_yet_is(train_run: Train) -> None:
    """One that ended in its evaluation has no epoch left to train."""

    def fail(event: Event, control: RunControl) -> None:
        if isinstance(event, EvaluationFinished):
            raise ZeroDivisionError

    failed = train_run({"data": "iris", "model": "mlp"}, on_event=fail)
    assert failed.finished.status == "failed"
    assert train_run(run=failed.run).finished.status == "completed"


# -- determinism -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_same_seed_same_weights(name: str, train_run: Train) -> None:
    first = train_run(RUNS[name])
    torch.rand(3)
    np.random.default_rng().random(3)
    assert_ended_alike(train_run(RUNS[name]), [first])


@pytest.mark.slow
def test_another_seed_other_weights(train_run: Train) -> None:
    values = RUNS["linear, momentum, steps"]
    first = train_run(values)
    second = train_run(values | {"training": values["training"] | {"seed": 1}})
    assert not torch.equal(first.weights()["1.weight"], second.weights()["1.weight"])
    assert summarise(first.run).config["data"] == summarise(second.run).config["data"]


@pytest.mark.slow
def test_how_often_is_logged_changes_nothing(train_run: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    values = RUNS["regression, rmsprop"]
    seldom = train_run(values)
    monkeypatch.setattr("core.training.engine.LOG_SECONDS", 0.0)
    assert_ended_alike(seldom, [train_run(values)])


class Forgetful:
    """Checkpoints that nobody keeps."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


def test_the_test_split_has_no_say_in_training(load_data: Callable[..., Dataset]) -> None:
    """Training on data whose test split is nonsense gives the same epochs and weights."""
    data = load_data("digits")
    nonsense = Split(
        torch.zeros_like(instance(torch.Tensor, data.test.inputs)),
        torch.full_like(data.test.targets, 3),
        data.test.indices,
    )
    results = []
    for test in (data.test, nonsense):
        changed = Dataset(**{**vars(data), "test": test})
        config = configuration.from_dict({"training": {"epochs": 2}})
        model = build(config.model, changed, seed=0)
        events: list[Event] = []
        train(
            config,
            changed,
            model,
            TrainingContext(torch.device("cpu")),
            emit=events.append,
            control=RunControl(),
            checkpoints=Forgetful(),
        )
        results.append(
            ([without_clock(e) for e in events if isinstance(e, EpochFinished)], model.state_dict())
        )
    assert results[0][0] == results[1][0]
    assert_same(dict(results[0][1]), dict(results[1][1]))
