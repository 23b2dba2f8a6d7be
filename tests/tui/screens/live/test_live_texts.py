"""Messages of Live: one clock over all starts of a run, and what to do once it has ended."""

from dataclasses import replace

from core.events import Notice, RunFinished, RunStarted
from core.runs.history.history import History
from tui.screens.live.live_texts import facts, messages


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


def test_a_run_in_several_processes_says_so() -> None:
    history = History()
    history.apply(replace(started(50.0), processes=4))
    assert "cpu 4 processes, 1 thread each" in facts(history, in_app=False)
    history.apply(started(60.0))
    assert "cpu 1 thread" in facts(history, in_app=False)
