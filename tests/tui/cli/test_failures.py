"""Failures of the machine: each is told in one sentence, without a traceback."""

import errno
import gc
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import InputError, OutOfMemory, RunError
from tests.tui.cli.conftest import Tui
from tui.cli import main
from tui.cli.failures import as_error
from tui.cli.opening import open_app


@pytest.mark.parametrize("words", [["config"], ["--help"], ["runs"], ["datasets"]])
def test_a_full_disk_under_the_output_is_one_sentence(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "runs" / "2026-01-01_0000_iris-mlp").mkdir(parents=True)
    (tmp_path / "runs" / "2026-01-01_0000_iris-mlp" / "config.yaml").touch()
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(sys, "argv", ["tui", *words])
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as end:
        main()
    full.close()  # what it still held has vanished
    assert end.value.code == 2
    reason = os.strerror(errno.ENOSPC)
    assert capsys.readouterr().err == f"error: a file or the output cannot be read or written: {reason}\n"


def test_a_deleted_current_folder_is_one_sentence(
    tui: Tui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    answer = tui("runs")
    assert (answer.code, answer.out) == (2, "")
    reason = os.strerror(errno.ENOENT)
    assert answer.err == f"error: the current folder cannot be used: {reason}. Change to one that exists\n"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        RuntimeError("can't start new thread"),
    ],
)
def test_memory_that_is_limited_is_told_as_such(error: Exception) -> None:
    told = as_error(error)
    assert isinstance(told, OutOfMemory)
    assert told.message.startswith("out of memory")
    assert "ulimit -v" in str(told)


def test_the_app_needs_a_terminal_of_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(**how: object) -> None:
        raise AssertionError("the app starts")

    monkeypatch.setattr("tui.terminal.graphics.ask_for_graphics", begin)
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for encoding in ("ISO-8859-1", "ANSI_X3.4-1968", "utf-8", "UTF8"):
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding=encoding, isatty=lambda: True))
        unfit = pytest.raises(InputError, match=f"characters of this terminal are {encoding}")
        with unfit if encoding[0] in "IA" else pytest.raises(AssertionError, match="the app starts"):
            open_app()


def test_other_errors_of_the_system_name_their_file_and_defects_keep_their_traceback() -> None:
    told = as_error(PermissionError(errno.EACCES, os.strerror(errno.EACCES), "there.csv"))
    assert isinstance(told, RunError)
    assert told.message == "there.csv cannot be read or written: Permission denied"
    assert as_error(ValueError("a defect")) is None
    assert as_error(ImportError("x.so: cannot allocate memory in static TLS block")) is None


@pytest.mark.parametrize(
    ("on_terminal", "term", "said"),
    [
        (True, "dumb", "needs a terminal that can move its cursor, and TERM is dumb"),
        (False, "xterm-256color", "needs a terminal, and this is not one"),
    ],
)
def test_the_app_says_which_terminal_it_needs(
    monkeypatch: pytest.MonkeyPatch, on_terminal: bool, term: str, said: str
) -> None:
    def begin(**how: object) -> None:
        raise AssertionError("the app starts")

    monkeypatch.setattr("tui.terminal.graphics.ask_for_graphics", begin)
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.setenv("TERM", term)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: on_terminal, raising=False)
    with pytest.raises(InputError, match=said) as told:
        open_app()
    assert "tui train --no-ui" in str(told.value)
