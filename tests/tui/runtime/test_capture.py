"""Capture of all that is printed while the app owns the terminal, and the console of the run that is trained."""

import ctypes
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.files.console import older_part
from core.runs.creating import create_run
from core.runs.folder import Run
from tests.support.killed import in_a_killed_process
from tui.runtime import capture as capturing
from tui.runtime.capture import Capture
from tui.runtime.console import MAX_EARLY, RunConsole, bounded_output

# -- what is captured -------------------------------------------------------------------------------------------


def with_files(folder: Path, act: Callable[[], None]) -> tuple[str, str]:
    """Act in a fork whose standard output and error are files; what they hold in the end."""

    def check() -> None:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc] # noqa: SIM115
        sys.stderr = sys.__stderr__ = open(2, "w", 1, closefd=False)  # type: ignore[misc] # noqa: SIM115
        act()
        sys.stdout.flush()

    in_a_killed_process(check)
    return (folder / "out").read_text(), (folder / "err").read_text()


def print_in_every_way() -> None:
    print("print")
    print("error", file=sys.stderr)
    os.write(1, b"descriptor\n")
    ctypes.CDLL(None).printf(b"library\n")
    subprocess.run(["echo", "process"], check=True)
    if not (process := os.fork()):
        print("fork")
        os._exit(0)
    os.waitpid(process, 0)


def test_everything_is_captured_and_the_streams_come_back(tmp_path: Path) -> None:
    def act() -> None:
        print("before")
        before = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
        with Capture() as capture:
            capture.buffer_lines()
            print_in_every_way()
            said = {b"print", b"error", b"descriptor", b"library", b"process", b"fork"}
            assert set(capture.read().split()) == said
            assert capture.read() == b""
            sys.stdout = None  # an app puts its own there
            capture.take_streams()
            print("again")
            assert capture.read() == b"again\n"
            print("to the screen", file=sys.__stderr__)
            print("a crash", file=capture.errors)
            print("left in the buffer", end="")
        assert capture.read() == b"left in the buffer", "what comes last is not lost"
        assert (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__) == before
        os.write(1, b"after\n")

    assert with_files(tmp_path, act) == ("before\nafter\n", "to the screen\na crash\n")


def test_the_screen_is_drawn_on_whichever_output_is_the_terminal(tmp_path: Path) -> None:
    """As in `tui 2>file`."""

    def act() -> None:
        terminal, child = os.openpty()
        os.dup2(child, 1)
        with Capture() as capture:
            print("a frame", file=sys.__stderr__, flush=True)
            capture.tell("saved")
        assert select.select([terminal], [], [], 60)[0]
        assert os.read(terminal, 100).split() == [b"a", b"frame"]

    assert with_files(tmp_path, act) == ("", "saved\n")


def test_a_crash_gives_the_streams_back(tmp_path: Path) -> None:
    def act() -> None:
        try:
            with Capture():
                raise RuntimeError("a defect")
        except RuntimeError as error:
            print(error, file=sys.stderr)

    assert with_files(tmp_path, act) == ("", "a defect\n")


def test_the_spool_is_emptied_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capturing, "MAX_SPOOL", 1000)
    monkeypatch.setattr(capturing, "READ_BYTES", 300)

    def act() -> None:
        with Capture() as capture:
            read = b""
            for number in range(200):
                os.write(1, b"line %d\n" % number)
                read += capture.read()
                assert os.fstat(1).st_size < 2000
            assert read == b"".join(b"line %d\n" % number for number in range(200))
            with open("/dev/stdout", "w") as anew:  # truncates it
                anew.write("anew\n")
            assert capture.read() == b"anew\n"

    assert with_files(tmp_path, act) == ("", "")


def test_without_memory_files_it_is_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)

    def act() -> None:
        with Capture() as capture:
            print_in_every_way()
            assert len(capture.read().split()) >= 5

    assert with_files(tmp_path, act) == ("", "")


def test_who_leaves_without_the_app_writes_nothing_to_what_is_no_terminal(tmp_path: Path) -> None:
    def act() -> None:
        with Capture() as capture:
            capture.leave_screen("\a")
            print("a last frame", file=sys.__stderr__)
            capture.tell("saved")

    assert with_files(tmp_path, act) == ("", "saved\n")


# -- the run that gets it ----------------------------------------------------------------------------------------


class Printer:
    """Stands for a capture, and for the app that trains a run or none."""

    def __init__(self) -> None:
        self.printed: list[bytes] = []
        self.run: Run | None = None
        self.told: list[str] = []
        self.console = RunConsole(self.read, lambda: self.run, self.told.append)

    def read(self) -> bytes:
        return self.printed.pop(0) if self.printed else b""

    def print(self, *pieces: bytes) -> None:
        self.printed += pieces
        self.console.poll()


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return [create_run(tmp_path, TrainConfig()) for _ in range(2)]


def test_each_run_keeps_what_is_printed_while_it_is_trained(runs: list[Run]) -> None:
    printer = Printer()
    printer.print(b"building the network\n")
    printer.run = runs[0]
    printer.print(b"loading\n", b"\r50%")
    assert printer.console.open_text == "50%"
    printer.run = None
    printer.print(b"\r99%")
    assert printer.console.open_text == ""
    printer.print(b"previewing\n")
    printer.run = runs[1]
    printer.print(b"training")
    printer.console.start()
    printer.console.close()
    assert runs[0].console_file.read_text() == "building the network\nloading\n99%\n"
    assert runs[1].console_file.read_text() == "previewing\ntraining\n"


def test_a_run_that_prints_nothing_has_no_console(runs: list[Run]) -> None:
    printer = Printer()
    printer.run = runs[0]
    printer.print()
    printer.run = None
    printer.print()
    assert not runs[0].console_file.exists()


def test_a_console_that_cannot_be_written_is_told_once_per_run_and_ends_nothing(runs: list[Run]) -> None:
    printer = Printer()
    for run in runs:
        run.console_file.mkdir()
        printer.run = run
        printer.print(b"one\n")
        printer.print(b"two\n")
    assert [message.count("\n") for message in printer.told] == [0, 0]
    for run, message in zip(runs, printer.told, strict=True):
        assert message.startswith(f"printed output is not kept: cannot write {run.console_file}: ")
    runs[1].console_file.rmdir()
    printer.print(b"three\n")
    assert runs[1].console_file.read_text() == "three\n"


def test_what_no_run_gets_is_bounded(runs: list[Run]) -> None:
    printer = Printer()
    printer.print((b"x" * 999 + b"\n") * 100)
    printer.run = runs[0]
    printer.print(b"last\n")
    assert MAX_EARLY - 1000 <= runs[0].console_file.stat().st_size <= MAX_EARLY + 1


def test_the_console_of_a_background_run_is_kept_bounded(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.files.console.MAX_BYTES", 100)
    monkeypatch.setattr("core.files.console.LOOK_SECONDS", 0.01)
    run, other = runs

    def check() -> None:
        os.dup2(os.open(run.console_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        with bounded_output(None), bounded_output(other.console_file), bounded_output(run.console_file):
            os.write(1, b"line\n" * 100)
            while os.fstat(1).st_size:
                pass

    in_a_killed_process(check)
    assert older_part(run.console_file).read_bytes() == b"line\n" * 20
    assert not older_part(other.console_file).exists()
