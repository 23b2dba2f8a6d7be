"""SIGUSR1, a hung-up terminal, a reader that leaves, a second writer: each ends or outlives a run as documented."""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.control import RunControl
from core.events import CheckpointSaved
from core.runs.folder import find_run
from core.runs.log import all_events
from core.runs.summary import summarise
from tui.runtime.signals import GuardedOutput

ENDLESS = "train --no-ui --data iris --model mlp --epochs 1000000 --device cpu --threads 1"


def read_to(process: Any, start: str) -> None:
    """Read what a process prints, to a line that begins so."""
    assert any(line.startswith(start) for line in process.stdout), "it never came"


@pytest.mark.slow
def test_slurms_early_warning_and_what_does_not_end_a_run(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    process = command(ENDLESS)
    read_to(process, "epoch 1/")
    run = find_run(tmp_path / "runs", "latest")

    second = tui(f"train --no-ui --resume {run.path}")
    assert second.code == 2
    assert second.err.startswith(f"error: {run.id} is being trained by process {process.pid} on ")

    process.send_signal(signal.SIGHUP)
    done = summarise(run).epoch
    read_to(process, f"epoch {done + 10}/")

    process.send_signal(signal.SIGUSR1)
    out, err = process.communicate()
    assert (process.returncode, err) == (138, "")
    assert f"tui train --no-ui --resume {run.id}" in out
    assert summarise(run).status == "stopped"
    saved = [event for event in all_events(run.log_file) if isinstance(event, CheckpointSaved)]
    assert saved[-1].kind == "last"


@pytest.mark.slow
def test_a_dropped_connection_does_not_end_what_is_still_prepared(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    (tmp_path / "slow.py").write_text(
        "import numpy as np\n"
        "def make():\n"
        "    print('waiting', flush=True)\n"
        "    open('gate').read(1)  # comes as soon as it is written\n"
        "    return np.eye(40, 4, dtype='float32'), np.arange(40) % 2\n"
    )
    process = command("train --no-ui --data slow.py:make --epochs 2 --device cpu --threads 1 --trust-code")
    read_to(process, "waiting")
    process.send_signal(signal.SIGHUP)
    os.write(gate, b"x")
    out, err = process.communicate()
    os.close(gate)
    assert (process.returncode, err) == (0, "")
    assert "completed: 2 of 2 epochs" in out


@pytest.mark.slow
def test_a_reader_that_leaves_ends_the_run_and_all_is_saved(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    """``tui train --no-ui | head``"""
    process = command(ENDLESS)
    read_to(process, "epoch 1/")
    process.stdout.close()
    assert process.wait() == 128 + signal.SIGPIPE
    assert process.stderr.read() == ""
    run = find_run(tmp_path / "runs", "latest")
    assert summarise(run).status == "stopped"
    assert run.checkpoint_file("last").is_file()


# -- standard output that fails --------------------------------------------------------------------------------


@pytest.fixture
def printed_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], io.TextIOWrapper]:
    """Lets standard output be an open file of ours."""

    def printed_to(handle: int) -> io.TextIOWrapper:
        stream = os.fdopen(handle, "w")
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return printed_to


def say(text: str) -> None:
    print(text, flush=True)


def test_a_pipe_that_nobody_reads_asks_to_stop_once(printed_to: Callable[..., Any]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = printed_to(writing)
    control = RunControl()
    received: list[int] = []
    outlet = GuardedOutput(control, received)
    outlet(say, "one")
    outlet(say, "two")
    stream.close()
    assert control.stop_requested
    assert received == [signal.SIGPIPE]


def test_a_full_disk_under_the_output_ends_nothing(printed_to: Callable[..., Any]) -> None:
    stream = printed_to(os.open("/dev/full", os.O_WRONLY))
    control = RunControl()
    received: list[int] = []
    outlet = GuardedOutput(control, received)
    outlet(say, "one")
    outlet(say, "two")
    stream.close()
    assert not control.stop_requested
    assert received == []


def test_a_dead_terminal_silences_errors_too(
    printed_to: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stream = printed_to(os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT))
    errors = (tmp_path / "err").open("w")
    monkeypatch.setattr(sys, "stderr", errors)

    def fail() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    control = RunControl()
    outlet = GuardedOutput(control, [])
    outlet(fail)
    outlet(say, "nobody is there")
    print("nobody is there", file=errors, flush=True)
    for file in (stream, errors):
        file.close()
    assert (tmp_path / "out").read_text() == (tmp_path / "err").read_text() == ""
    assert not control.stop_requested


def test_an_error_of_another_kind_is_not_swallowed() -> None:
    def fail() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        GuardedOutput(RunControl(), [])(fail)


# -- damaged runs on the command line --------------------------------------------------------------------------


@pytest.mark.slow
def test_damaged_files_are_listed_and_the_run_goes_on(
    train: Callable[..., Any], tui: Callable[..., Any]
) -> None:
    assert train("").code == 0
    run = find_run(Path("runs"), "latest")
    run.checkpoint_file("best").write_bytes(b"")
    (run.evaluation_folder("test") / "report.json").write_text("{")
    shown = tui("runs show latest")
    assert shown.code == 0
    damaged = [line for line in shown.out.splitlines() if line.startswith("damaged ")]
    assert ["best.pt" in line or "report.json" in line for line in damaged] == [True, True]

    resumed = tui("train --no-ui --resume latest --epochs 4")
    assert resumed.code == 0
    assert "best.pt could not be read (it is empty, truncated or damaged" in resumed.out
    assert "damaged" not in tui("runs show latest").out


@pytest.mark.slow
def test_a_cut_configuration_does_not_become_the_default(
    train: Callable[..., Any], tui: Callable[..., Any]
) -> None:
    assert train("--optimizer adam").code == 0
    run = find_run(Path("runs"), "latest")
    whole = run.config_file.read_text()
    run.config_file.write_text(whole[: whole.index("optimizer:")])
    answer = tui("train --no-ui --resume latest --epochs 4")
    assert answer.code == 2
    assert "config.yaml lacks optimizer, schedule, training" in answer.err

    run.config_file.write_text(whole.replace("lr: 0.001", "lr: 0.002"))
    told = "optimizer.lr is 0.002, was 0.001"
    assert told in tui("runs show latest").out
    assert told in tui("train --no-ui --resume latest --epochs 4").out
