"""Processes of one run: started again after one was lost, not after an error, and stopped together."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ProcessLost
from core.processes.launcher import Launcher
from core.remedies import plain

Make = Callable[..., Launcher]


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a launcher of two processes that carry out a few lines, told their rank and the attempt."""
    head = "import os, signal, sys, time\nrank, attempt = (int(os.environ[name]) for name in {})\n"
    head = head.format(("RANK", "TORCHELASTIC_RESTART_COUNT"))

    def make(lines: str, **given: object) -> Launcher:
        command = [sys.executable, "-S", "-E", "-c", head + lines]
        return Launcher(command, 2, environment=dict(os.environ), **given)  # type: ignore[arg-type]  # of several types

    return make


def test_all_are_started_again_after_one_was_killed(launcher: Make, tmp_path: Path) -> None:
    lines = f"""
open(f"{tmp_path}/{{rank}}-{{attempt}}", "w").write(os.environ["TORCHELASTIC_RUN_ID"])
if attempt < 2:
    if not rank: time.sleep(600)
    first = f"{tmp_path}/0-{{attempt}}"
    while not (os.path.exists(first) and os.path.getsize(first)): time.sleep(0.01)  # it would be ended before it began
    os.kill(os.getpid(), 9)
sys.exit(3 * rank)
"""
    told: list[str] = []
    assert launcher(lines, restarts=5, report=told.append).run() == 3
    assert told == [
        f"the process of rank 1 was killed by SIGKILL: restart {n} of 5, from the last checkpoint"
        for n in (1, 2)
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"]
    assert len({file.read_text() for file in tmp_path.iterdir()}) == 1


def test_a_run_whose_restarts_are_used_fails_with_a_sentence(
    launcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.processes.launcher.GRACE_SECONDS", 0.0)
    lines = "os.kill(os.getpid(), 9) if rank else time.sleep(600)"
    with pytest.raises(ProcessLost, match="rank 1 was killed by SIGKILL after 1 restart"):
        launcher(lines, restarts=1, report=lambda text: None).run()


@pytest.mark.parametrize(
    ("number", "advice"),
    [(signal.SIGKILL, "memory is full"), (signal.SIGABRT, "different paths"), (signal.SIGSEGV, "Its output")],
)
def test_the_advice_fits_the_signal(launcher: Make, number: signal.Signals, advice: str) -> None:
    with pytest.raises(ProcessLost, match=f"killed by {number.name}") as lost:
        launcher(f"os.kill(os.getpid(), {int(number)}) if rank else None").run()
    assert advice in str(lost.value.worded(plain))


def test_an_error_is_not_tried_again(launcher: Make) -> None:
    assert launcher("sys.exit(2 if rank else 0)", restarts=3, report=pytest.fail).run() == 2


def test_why_another_failed_is_told_where_the_first_waits_for_it(
    launcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.processes.launcher.GRACE_SECONDS", 0.0)
    lines = """
if not rank: time.sleep(600)
os.write(int(os.environ["TUI_REASON"]), b"the process of rank 1 failed: why\\n")
sys.exit(1)
"""
    with pytest.raises(ProcessLost, match="the process of rank 1 failed: why"):
        launcher(lines).run()


def test_a_signal_reaches_all_and_is_the_exit_code(launcher: Make, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    lines = f"""
signal.signal(signal.SIGUSR1, lambda number, frame: sys.exit(128 + number))
open("{ready}", "w").write("x")
time.sleep(600)
"""
    codes: list[int] = []
    started = launcher(lines, restarts=3)
    thread = threading.Thread(target=lambda: codes.append(started.run()))
    thread.start()
    seen = ""
    while len(seen) < 2:
        seen += ready.read_text()
    started.send(signal.SIGUSR1)
    thread.join()
    assert codes == [138]
