"""Splits of known image sets are checked once the first epoch is over: the first step does not wait for it."""

from collections.abc import Callable
from typing import Any

import pytest

from core.control import RunControl
from core.events import EpochFinished, Event, Notice
from core.observers import later_checks
from core.runs.data_facts import are_checked, kept_warnings
from tests.conftest import Trained

Train = Callable[..., Trained]

VALUES: dict[str, Any] = {"data": "mnist", "training": {"epochs": 2, "batch_size": 100}}
STARTS = ("exact duplicates", "near duplicates")
"""The test images made up for MNIST are the first ones of its training images."""


def stop(control: Any, model: Any) -> None:
    control.stop()


def warnings_of(trained: Trained) -> list[str]:
    return [event.message for event in trained.told(Notice) if event.level == "warning"]


def test_what_is_suspicious_is_reported_after_the_first_epoch_and_kept(train_run: Train) -> None:
    trained = train_run(VALUES)
    found = warnings_of(trained)
    assert found
    assert all(line.startswith(STARTS) for line in found)
    assert kept_warnings(trained.run) == found
    kinds = [
        type(event) for event in trained.events if not isinstance(event, Notice) or event.message in found
    ]
    epochs = [place for place, kind in enumerate(kinds) if kind is EpochFinished]
    assert kinds[epochs[0] + 1 : epochs[0] + 1 + len(found)] == [Notice] * len(found)


def test_a_run_stopped_before_that_is_checked_when_it_is_resumed_and_once(train_run: Train) -> None:
    first = train_run(VALUES, at_step=(2, stop))
    assert warnings_of(first) == []
    assert not are_checked(first.run)
    second = train_run(run=first.run, at_step=(4, stop))
    assert warnings_of(second)
    assert kept_warnings(first.run) == warnings_of(second)
    assert warnings_of(train_run(run=first.run)) == []


def test_a_check_that_fails_ends_no_run(train_run: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> tuple[str, ...]:
        raise ValueError("no such thing")

    monkeypatch.setattr(later_checks, "suspicions", fail)
    trained = train_run(VALUES)
    assert trained.finished.status == "completed"
    assert warnings_of(trained) == ["splits not checked: ValueError: no such thing"]
    assert kept_warnings(trained.run) == warnings_of(trained)


def test_a_run_that_is_to_stop_does_not_wait_for_the_check_and_keeps_what_is_known(train_run: Train) -> None:
    def stop_then(event: Event, control: RunControl) -> None:
        if isinstance(event, EpochFinished):
            control.stop()

    twice: dict[str, Any] = {
        "training": {**VALUES["training"], "sampling": "balanced"},
        "loss": {"name": "cross_entropy", "class_weights": "balanced"},
    }
    trained = train_run({**VALUES, **twice}, on_event=stop_then)
    assert not are_checked(trained.run)
    (known,) = warnings_of(trained)
    assert kept_warnings(trained.run) == [known]


def test_tables_are_checked_before_they_are_trained_on(train_run: Train) -> None:
    assert are_checked(train_run({"data": "iris", "training": {"epochs": 1}}, at_step=(1, stop)).run)
