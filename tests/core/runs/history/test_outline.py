"""A log without most of its steps tells the same as the whole log."""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.schema import from_dict, to_dict
from core.events import EpochFinished, EvaluationFinished, Event, RunFinished, RunStarted, StepLogged, to_json
from core.runs import log as log_module
from core.runs.folder import Run
from core.runs.history import outline as module
from core.runs.history.history import History
from core.runs.history.outline import Outline

STEPS = 4


def told(epochs: int) -> list[Event]:
    """Return the events of a run of some epochs."""
    events: list[Event] = [
        RunStarted(
            config=to_dict(from_dict({})),
            task="multiclass",
            samples={"train": 10},
            classes=["a", "b"],
            sample_shape=[4],
            parameters=5,
            device="cpu",
            threads=1,
            epochs=epochs,
            steps_per_epoch=STEPS,
        )
    ]
    for epoch in range(1, epochs + 1):
        metrics = {"loss": 1 / epoch, "accuracy": 1 - 1 / epoch}
        for step in range(STEPS):
            steps = (epoch - 1) * STEPS + step + 1
            events.append(StepLogged(epoch=epoch, step=steps, train=metrics, lr=0.1, samples_per_second=1.0))
        events.append(
            EpochFinished(
                epoch=epoch,
                step=epoch * STEPS,
                train=metrics,
                validation=metrics,
                lr=0.1,
                seconds=1.0,
                best_epoch=epoch,
                best_metrics=metrics,
                confusion=[[1, 2], [3, 4]],
            )
        )
    return [
        *events,
        EvaluationFinished(split="test", metrics={"accuracy": 0.5}),
        RunFinished(status="completed"),
    ]


def write(run: Run, events: Iterable[Event], *, end: str = "\n") -> None:
    with run.log_file.open("a") as file:
        file.write("\n".join(to_json(event, run.id) for event in events) + end)


def read_all(outline: Outline) -> Outline:
    while outline.read():
        pass
    return outline


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_curves_by_epoch_are_those_of_the_whole_log(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "READ_BYTES", 1000)
    write(run, told(30))
    outline = read_all(Outline(run))
    whole = History()
    for event in told(30):
        whole.apply(event)
    for name in ("train loss", "validation loss", "train accuracy", "validation accuracy"):
        (x, y), (whole_x, whole_y) = outline.history.curve(name).points(), whole.curve(name).points()
        assert (x.tolist(), y.tolist()) == (whole_x.tolist(), whole_y.tolist())
    assert outline.history.best_epoch == 30
    assert outline.history.evaluation == {"test": {"accuracy": 0.5}}
    assert (outline.damaged, outline.skipped) == (0, 0)
    assert all(epoch.confusion is None for epoch in outline.history.epochs)


def test_steps_are_read_ever_more_sparsely(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSITY", 10)
    write(run, told(250))
    x, y = read_all(Outline(run)).history.curve("train loss by step").points()
    steps = [round(at * STEPS) for at in x]
    assert steps[:20] == list(range(1, 21))
    assert 50 < len(steps) < 80
    assert max(after / before for before, after in pairwise(steps[20:])) < 1.11
    assert steps[-1] > 900
    assert y.tolist() == [1 / -(-step // STEPS) for step in steps]


def test_a_growing_log_is_read_on(run: Run) -> None:
    outline = Outline(run)
    assert outline.read() is False
    events = told(3)
    write(run, events[: 1 + 2 * (STEPS + 1)])
    read_all(outline)
    assert [epoch.event.epoch for epoch in outline.history.epochs] == [1, 2]
    write(run, events[1 + 2 * (STEPS + 1) :])
    read_all(outline)
    assert [epoch.event.epoch for epoch in outline.history.epochs] == [1, 2, 3]
    assert outline.history.finished is not None


def test_the_middle_of_a_very_long_log_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "READ_BYTES", 4000)
    monkeypatch.setattr(module, "MAX_BYTES", 9000)
    write(run, told(100))
    outline = read_all(Outline(run))
    epochs = [epoch.event.epoch for epoch in outline.history.epochs]
    assert epochs[0] == 1
    assert epochs[-1] == 100
    assert len(epochs) < 30
    assert outline.skipped == run.log_file.stat().st_size - 13000
    assert outline.damaged == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 8), st.data())
def test_values_of_another_kind_are_counted_and_cost_nothing_else(run: Run, place: int, data: Any) -> None:
    events = [json.loads(to_json(event, run.id)) for event in told(1)]
    event = events[place % len(events)]
    event[data.draw(st.sampled_from(sorted(event)))] = data.draw(VALUES)
    run.log_file.write_text("".join(json.dumps(event) + "\n" for event in events))
    outline = read_all(Outline(run))
    assert 0 <= outline.damaged <= 1 + len(events)
