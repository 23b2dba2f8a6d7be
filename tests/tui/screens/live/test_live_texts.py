"""Texts of Live: one clock over all starts of a run, what to do once it has ended, and what trains it."""

import json
from dataclasses import replace

import pytest

from core.events import Notice, RunFinished, RunStarted, from_json, to_json
from core.runs.history.history import History
from tui.headless.train_views import PlainView
from tui.screens.live.live_texts import facts, messages
from tui.terminal.machine import machinery


def started(time: float, epoch: int = 0) -> RunStarted:
    return RunStarted(
        time=time,
        config={},
        task="multiclass",
        samples={},
        classes=[],
        sample_shape=[4],
        parameters=1,
        device="cpu",
        threads=1,
        epochs=4,
        steps_per_epoch=2,
        epoch=epoch,
        step=2 * epoch,
    )


def test_times_of_messages_go_on_after_a_run_was_resumed() -> None:
    history = History()
    for event in (
        started(1000.0),
        Notice(time=1001.0, level="info", message="first"),
        RunFinished(time=1247.0, status="stopped"),
        started(1250.0, epoch=1),
        RunFinished(time=1300.0, status="completed"),
    ):
        history.apply(event)
    shown = messages(history, "completed").plain.splitlines()
    assert shown[0].startswith("next: 4 evaluates it, 6 compares it")
    assert [line.split()[0] for line in shown[1:]] == ["5:00", "4:10", "4:07", "0:01"]
    assert not messages(history, "running").plain.startswith("next")


def test_why_a_run_never_started_is_among_its_messages() -> None:
    history = History()
    history.apply(Notice(time=50.0, level="error", message="no network"))
    assert messages(history, "failed").plain.splitlines()[1] == "0:00 ✗ no network"


@pytest.mark.parametrize(
    ("device", "processes", "threads", "shown"),
    [
        ("cpu", 1, 1, "cpu 1 thread"),
        ("cpu", 2, 1, "2 processes, cpu, 1 thread each"),
        ("cuda:0", 4, 8, "4 processes, cuda, 8 threads each"),
        ("cpu", 2, 0, "2 processes, cpu"),
    ],
)
def test_the_line_of_facts_says_how_many_processes_train(
    device: str, processes: int, threads: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history, event = History(), replace(started(0.0), device=device, threads=threads, processes=processes)
    history.apply(event)
    assert facts(history, in_app=False) == f"1 parameters   {shown}"
    PlainView().show(event)
    assert capsys.readouterr().out.endswith("  ".join(machinery(event)) + "\n")


def test_a_log_that_does_not_know_of_processes_is_that_of_one() -> None:
    values = json.loads(to_json(started(0.0), "run"))
    assert values.pop("processes") == 1
    read = from_json(json.dumps(values))
    assert isinstance(read, RunStarted)
    assert read.processes == 1
