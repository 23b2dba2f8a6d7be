"""Event logs that somebody has edited: every command says something about them, and none ends with a traceback."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import TrainConfig, to_dict, to_yaml
from core.events import Notice
from core.report import figures
from core.report.build import MAX_DRAWN, build
from core.runs.comparison.entries import Entry
from core.runs.folder import Run
from core.runs.history.history import MAX_CURVES, PACE, History
from core.runs.history.outline import Outline
from core.runs.log import all_events
from core.runs.problems import problems
from core.runs.summary import summarise
from tests.tui.cli.conftest import Tui

START: dict[str, Any] = {
    "event": "run_started",
    "time": 1767322800.0,
    "config": to_dict(TrainConfig()),
    "task": "multiclass",
    "samples": {"train": 10, "validation": 5},
    "classes": ["a", "b"],
    "sample_shape": [4],
    "parameters": 5,
    "device": "cpu",
    "threads": 1,
    "epochs": 3,
    "steps_per_epoch": 2,
}
EPOCH: dict[str, Any] = {
    "event": "epoch_finished",
    "time": 1767322801.0,
    "epoch": 1,
    "step": 2,
    "train": {"loss": 0.5, "accuracy": 0.5},
    "validation": {"loss": 0.5, "accuracy": 0.5},
    "lr": 0.1,
    "seconds": 1.0,
    "best_epoch": 1,
    "best_metrics": {"loss": 0.5, "accuracy": 0.5},
    "confusion": [[1, 2], [3, 4]],
}
END: dict[str, Any] = {"event": "run_finished", "time": 1767322802.0, "status": "completed"}
EVALUATED: dict[str, Any] = {
    "event": "evaluation_finished",
    "time": 1767322802.0,
    "split": "validation",
    "metrics": {"loss": 0.5},
}
STEP: dict[str, Any] = {
    "event": "step_logged",
    "epoch": 1,
    "step": 1,
    "train": {"loss": 1.0},
    "lr": 0.1,
    "samples_per_second": 5.0,
}
ODD: list[Any] = [
    None,
    True,
    -1,
    2**70,
    -1e308,
    "x",
    "",
    [],
    [[]],
    {},
    {"a": {"b": []}},
    [None, -3, "\ud800"],
    "1e999",
]
"""Values of types and sizes that nothing expects."""


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def odd_values() -> Iterator[tuple[str, bytes]]:
    """Yield logs with every odd value in the place of every field of every event, one at a time."""
    whole = (START, STEP, EPOCH, EVALUATED, END)
    for place, event in enumerate(whole):
        for name in event:
            for odd in ODD:
                changed = lines(*whole[:place], {**event, name: odd}, *whole[place + 1 :])
                yield f"{event['event']}.{name} is {odd!r}", changed


DEEP = b"[" * 100_000 + b"]" * 100_000
NAN, INFINITE = float("nan"), float("inf")
UP_TO_20_000 = {f"m{number}": 1.0 for number in range(20_000)}
IN_BETWEEN: dict[str, bytes] = {
    "nothing": b"",
    "NaN": lines({**EPOCH, "train": {"loss": NAN}, "lr": INFINITE}),
    "a NaN of an integer": lines({**EPOCH, "epoch": NAN}),
    "nested": b'{"event": ' + DEEP + b'}\n{"event": "notice", "message": ' + DEEP + b"}\n",
    "not UTF-8": b'{"event": "notice", "level": "error", "message": "\xff\xfe\xc3("}\n' + lines(EPOCH),
    "negative epochs": lines({**EPOCH, "epoch": -1, "step": -2, "best_epoch": -7}, {**START, "epochs": -3}),
    "epochs backwards": lines({**EPOCH, "epoch": 3, "step": 6}, EPOCH, {**EPOCH, "epoch": 2, "step": 4}),
    "duplicated keys": b'{"event": "epoch_finished", "event": "run_finished", "epoch": 1, "epoch": []}\n',
    "ends of all kinds": lines(
        END, {**END, "status": "failed", "error": "x" * 100_000}, {**END, "status": "odd"}
    ),
    "a ragged matrix": lines({**EPOCH, "confusion": [[1], [2, 3], []]}),
    "a large matrix": lines({**EPOCH, "confusion": [[1] * 2000] * 200}),
    "thousands of metrics": lines({**EPOCH, "train": UP_TO_20_000}),
    "a thousand starts": lines(*[{**START, "epoch": number, "step": number} for number in range(1000)]),
    "null bytes": bytes(10_000) + b"\n" + lines(EPOCH),
}
"""Of a log that starts and ends as it should."""
LOGS: dict[str, bytes] = {
    **{name: lines(START) + text + lines(END) for name, text in IN_BETWEEN.items()},
    "nested start": b'{"event": "run_started", "config": ' + DEEP + b"}\n" + lines(EPOCH, END),
    "start not UTF-8": lines(START).replace(b'"a"', b'"\xff"') + lines(EPOCH, END),
    "UTF-16": lines(START, EPOCH, END).decode().encode("utf-16"),
    "an end alone": lines(END),
}
COMMANDS = ["runs", "runs --json", "runs show aaa", "compare aaa bbb", "report aaa --output page.html"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes, str], Run]:
    def write(log: bytes, letters: str = "aaa") -> Run:
        run = Run(tmp_path / "here" / "runs" / f"2026-01-01_0900_digits-mlp_{letters}")
        run.path.mkdir(parents=True, exist_ok=True)
        run.config_file.write_text(to_yaml(TrainConfig()))
        run.log_file.write_bytes(log)
        return run

    return write


@pytest.mark.slow
def test_any_value_of_any_field_is_taken_or_left_out(write: Callable[[bytes, str], Run]) -> None:
    for name, log in odd_values():
        run = write(log, "aaa")
        history = History()
        try:
            for event in all_events(run.log_file):
                history.apply(event)
            summary = summarise(run)
            assert summary.status in ("completed", "damaged", "interrupted", "stopped", "failed"), name
            problems(run)
            json.dumps(summary.config)
        except Exception as error:
            error.add_note(name)
            raise


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
def test_every_command_takes_it(name: str, tui: Tui, write: Callable[[bytes, str], Run]) -> None:
    write(LOGS[name], "aaa")
    write(lines(START, STEP, EPOCH, EVALUATED, END), "bbb")
    for command in COMMANDS:
        answer = tui(command)
        assert answer.code in (0, 1, 2), command
        assert "Traceback" not in answer.out + answer.err
        assert "no run" not in answer.err


def test_thousands_of_metrics_cost_memory_for_the_first_ones_alone(
    write: Callable[[bytes, str], Run],
) -> None:
    """Each curve may become 360 kB large."""
    run = write(LOGS["thousands of metrics"] * 3, "aaa")
    tracemalloc.start()
    try:
        outline = Outline(run)
        while outline.read():
            pass
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()
    assert MAX_CURVES <= len(outline.history.curves) <= MAX_CURVES + len(PACE)
    (told,) = [event.message for event in outline.history.messages if isinstance(event, Notice)]
    assert told == "only the first 1000 curves of this run are kept; train m1000 is not"


def test_a_report_draws_some_of_thousands_of_metrics(
    write: Callable[[bytes, str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def draw(entry: Entry, metric: str) -> bytes:
        drawn.append(metric)
        return b"<svg/>"

    monkeypatch.setattr(figures, "train_and_validation", draw)
    page = build([write(LOGS["thousands of metrics"], "aaa")])
    assert len(drawn) == MAX_DRAWN
    assert f"{MAX_CURVES - MAX_DRAWN} more metrics are in events.jsonl" in page


def test_a_number_below_zero_is_damage_and_not_an_epoch(write: Callable[[bytes, str], Run]) -> None:
    summary = summarise(write(LOGS["negative epochs"], "aaa"))
    assert (summary.status, summary.epoch) == ("damaged", 0)
