"""Events survive a line of JSON, and nothing else passes for one."""

import json
import math
from dataclasses import MISSING, asdict, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RunDamaged
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    LayersSampled,
    MediaLogged,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepLogged,
    SystemSampled,
    from_json,
    to_json,
)

EVENTS = [
    RunStarted(
        time=1.0,  # the names of tests must not change from process to process
        config={"data": {"name": "iris"}},
        task="multiclass",
        samples={"train": 108, "validation": 12, "test": 30},
        classes=["setosa", "vers\x1b[31micolor", "日本"],
        sample_shape=[4],
        parameters=803,
        device="cpu",
        threads=1,
        epochs=20,
        steps_per_epoch=2,
    ),
    StepLogged(epoch=1, step=3, train={"loss": 0.5, "accuracy": 0.1}, lr=0.01, samples_per_second=1e5),
    EpochFinished(
        epoch=1,
        step=2,
        train={"loss": 0.1 + 0.2},
        validation={},
        lr=0.1,
        seconds=0.2,
        best_epoch=1,
        best_metrics={"loss": 0.3},
        confusion=[[1, 2], [0, 4]],
    ),
    CheckpointSaved(kind="best", epoch=1, step=2),
    EvaluationFinished(split="test", metrics={"accuracy": 1.0, "roc_auc_macro": None}),
    RunPaused(epoch=1, step=2),
    RunResumed(epoch=1, step=2),
    Notice(level="warning", message="one line\nand another"),
    SystemSampled(cpu=12.5, memory=40.0, process=1 << 30, gpu_memory=3.0),
    LayersSampled(
        epoch=1,
        step=2,
        names=["1", "3"],
        kinds=["Linear", "Linear"],
        weights=[1.0, 2.0],
        gradients=[0.1, None],
        updates=[1e-3, 2e-3],
        dead=[0.25, None],
    ),
    MediaLogged(kind="image", name="a/b", step=3, epoch=1, done=2, file="000001-a-b.png", caption="so"),
    RunFinished(status="failed", error="ValueError: x", traceback="Traceback ...\n"),
]


def test_every_event_is_tried_here() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_round_trip(event: Event) -> None:
    line = to_json(event, "a-run")
    assert "\n" not in line
    assert from_json(line) == event
    assert from_json(line.encode()) == event
    head = json.loads(line)
    assert (head["v"], head["run"], head["time"]) == (1, "a-run", event.time)


def test_event_is_the_class_name_in_snake_case() -> None:
    names = {json.loads(to_json(event, ""))["event"] for event in EVENTS}
    assert {"run_started", "step_logged", "epoch_finished", "checkpoint_saved", "evaluation_finished"} < names


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_become_null_and_come_back_nan(value: float) -> None:
    event = EpochFinished(
        epoch=1,
        step=2,
        train={"loss": value, "accuracy": 0.5},
        validation={"loss": value},
        lr=0.1,
        seconds=1.0,
        best_epoch=0,
        best_metrics={"loss": value},
    )
    line = to_json(event, "")
    assert json.loads(line)["train"] == {"loss": None, "accuracy": 0.5}
    back = from_json(line)
    assert isinstance(back, EpochFinished)
    for metrics in (back.train, back.validation, back.best_metrics):
        assert math.isnan(metrics["loss"])
    assert back.train["accuracy"] == 0.5


def test_an_undefined_metric_stays_none() -> None:
    back = from_json(to_json(EVENTS[4], ""))
    assert isinstance(back, EvaluationFinished)
    assert back.metrics["roc_auc_macro"] is None


def test_a_file_name_that_is_not_utf8_comes_back() -> None:
    event = Notice(time=1.0, level="info", message="cannot read \udcff.csv")
    assert from_json(to_json(event, "r")) == event


def test_keys_of_a_newer_version_are_left_out() -> None:
    line = json.dumps({**json.loads(to_json(EVENTS[5], "")), "v": 2, "mood": "sunny"})
    assert from_json(line) == EVENTS[5]


def test_an_event_of_a_newer_version_is_none() -> None:
    assert from_json('{"v": 2, "event": "coffee_made", "cups": 2}') is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"event": []}',
        '{"event": {}}',
        '{"event": "run_paused"}',
        b"\xff\xfe",
        b"\x00" * 80,
        pytest.param("[" * 100_000, id="deep"),
        to_json(EVENTS[0], "")[:-9],
    ],
)
def test_a_damaged_line_is_told(line: str | bytes) -> None:
    with pytest.raises(RunDamaged):
        from_json(line)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_line_that_lacks_a_part_is_damaged(event: Event) -> None:
    needed = [
        item.name for item in fields(event) if item.default is MISSING and item.default_factory is MISSING
    ]
    for name in needed:
        values = json.loads(to_json(event, ""))
        del values[name]
        with pytest.raises(RunDamaged, match=name):
            from_json(json.dumps(values))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(sorted({key for event in EVENTS for key in asdict(event)} | {"event", "v"}))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.binary(max_size=60)
    | JSON.map(json.dumps)
    | st.tuples(st.sampled_from(EVENTS), st.dictionaries(KEYS, JSON, max_size=3)).map(
        lambda pair: json.dumps({**json.loads(to_json(pair[0], "")), **pair[1]})
    )
)
def test_any_line_is_an_event_or_none_or_damaged(line: Any) -> None:
    try:
        event = from_json(line)
    except RunDamaged:
        return
    assert event is None or isinstance(event, Event)
