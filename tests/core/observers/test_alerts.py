"""Alerts: rules and when they are told."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.events import EpochFinished, Event, Notice, RunFinished, SystemSampled
from core.observers import notify
from core.observers.alerts import FORMS, Alert, AlertRule, parse_rule
from core.observers.notify import Notifier
from core.observers.settings import Extras, ensure_possible
from core.runs.folder import Run


def epoch(number: int, loss: float = 1.0, best: int = 1, **validation: float) -> EpochFinished:
    return EpochFinished(
        epoch=number,
        step=number,
        train={"loss": loss / 2, "accuracy": 0.5},
        validation={"loss": loss, **validation},
        lr=0.1,
        seconds=1.0,
        best_epoch=best,
        best_metrics={},
    )


def sample(second: float, gpu: float | None, memory: float = 50.0) -> SystemSampled:
    return SystemSampled(time=second, cpu=1.0, memory=memory, process=1, gpu=gpu)


def seen(rule: str, events: list[Event]) -> list[str]:
    alert = Alert(parse_rule(rule))
    return [message for message in map(alert.see, events) if message]


@pytest.mark.parametrize("text", FORMS)
def test_each_form_is_a_rule(text: str) -> None:
    assert parse_rule(text).text == text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Validation  Loss>2", AlertRule("Validation Loss>2", "Validation Loss", ">", 2.0)),
        ("lr <= 1e-6", AlertRule("lr <= 1e-6", "lr", "<=", 1e-6)),
        (
            "accuracy < .5 for 3 epochs",
            AlertRule("accuracy < .5 for 3 epochs", "accuracy", "<", 0.5, epochs=3),
        ),
        ("gpu < 10 % for 2 hours", AlertRule("gpu < 10 % for 2 hours", "gpu", "<", 10.0, seconds=7200.0)),
        ("gpu idle", AlertRule("gpu idle", "gpu", "<", 5.0)),
        ("no improvement for 1 epoch", AlertRule("no improvement for 1 epoch", "", ">=", 1.0)),
    ],
)
def test_what_a_rule_means(text: str, rule: AlertRule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    "text", ["loss is bad", "loss >", "> 2", "loss > two", "no improvement", "", "loss = 2"]
)
def test_what_is_no_rule_shows_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="Write one such as validation loss > 2"):
        parse_rule(text)


@pytest.mark.parametrize("text", ["loss > 2 for 3 minutes", "gpu idle for 3 epochs"])
def test_epochs_are_of_metrics_and_minutes_of_the_machine(text: str) -> None:
    with pytest.raises(ValueError, match="is not counted so"):
        parse_rule(text)


def test_an_alert_is_told_when_it_begins_and_when_it_begins_again() -> None:
    losses = [1.0, 3.0, 4.0, 1.0, float("nan"), 5.0]
    assert seen("loss > 2", [epoch(number, loss) for number, loss in enumerate(losses, start=1)]) == [
        "alert: loss > 2: loss 3 in epoch 2",
        "alert: loss > 2: loss 5 in epoch 6",
    ]


def test_a_name_means_validation_first_and_a_split_itself() -> None:
    events: list[Event] = [epoch(1, 3.0, mIoU=0.2)]
    assert seen("loss > 2", events)
    assert not seen("train loss > 2", events)
    assert seen("accuracy <= 0.5", events)
    assert seen("miou < 0.5", events)
    assert seen("mIoU < 0.5", events) == ["alert: mIoU < 0.5: mIoU 0.2 in epoch 1"]
    assert seen("CPU > 0.5", [sample(0, None)]) == ["alert: CPU > 0.5: cpu at 1 %"]
    assert seen("lr >= 0.1", events)


def test_a_name_that_is_never_reported_is_told_once() -> None:
    (message,) = seen("valdiation loss > 2", [epoch(1), epoch(2)])
    assert "nothing of this name is reported; there is train loss, train accuracy, validation loss" in message
    (message,) = seen("gpu idle", [sample(0, None), sample(2, None)])
    assert "there is cpu, memory" in message


def test_several_epochs_in_a_row_and_epochs_without_improvement() -> None:
    losses = [3.0, 1.0, 3.0, 3.0, 3.0]
    events: list[Event] = [epoch(number, loss, best=2) for number, loss in enumerate(losses, start=1)]
    assert seen("loss > 2 for 2 epochs", events) == ["alert: loss > 2 for 2 epochs: loss 3 in epoch 4"]
    assert seen("no improvement for 3 epochs", events) == [
        "alert: no improvement for 3 epochs: 3 epochs without improvement in epoch 5"
    ]


def test_a_device_that_idles_for_some_time() -> None:
    loads = [(0, 1), (30, 2), (61, 1), (90, 80), (120, 0), (181, 0)]
    events: list[Event] = [sample(second, gpu) for second, gpu in loads]
    assert seen("gpu idle for 1 minute", events) == [
        f"alert: gpu idle for 1 minute: gpu at {load} %" for load in (1, 0)
    ]
    assert seen("memory > 40", events) == ["alert: memory > 40: memory at 50 %"]


def test_an_alert_is_a_message_and_a_notification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[str, int, str]] = []

    def post(url: str, facts: dict[str, Any]) -> None:
        posted.append((facts["event"], facts["epoch"], facts["text"]))

    monkeypatch.setattr(notify, "_post", post)
    for target in ("", "http://127.0.0.1:9/"):
        told: list[Event] = []
        run = Run(tmp_path / "2026-01-01_0900_digits-mlp_aaa")
        notifier = Notifier(run, target, 10.0, told.append, ("loss > 2",))
        for event in (epoch(1, 3.0), RunFinished(status="completed")):
            notifier.take(event)
        assert [event.message for event in told if isinstance(event, Notice)] == [
            "alert: loss > 2: loss 3 in epoch 1"
        ]
    assert [event[:2] for event in posted] == [("alert", 1), ("completed", 1)]
    assert posted[0][2] == "digits-mlp_aaa alert: loss > 2: loss 3 in epoch 1"


def test_rules_travel_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Extras.model_fields:
        monkeypatch.setenv(f"TUI_{name.upper()}", "")
    Extras(alert=("loss > 2", "gpu idle for 5 minutes")).to_environment()
    assert Extras.from_environment().alert == ("loss > 2", "gpu idle for 5 minutes")
    with pytest.raises(InputError, match="--alert: 'loss' is not a rule"):
        Extras.from_environment({"alert": ["loss"]})
    with pytest.raises(InputError, match="needs the load of the machine"):
        ensure_possible(Extras(alert=("gpu idle",), system=False))
