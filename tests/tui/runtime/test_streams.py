"""Closed standard streams end nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.killed import in_a_killed_process
from tests.support.repository import REPOSITORY
from tests.support.streams import streams_kept
from tui.runtime.streams import open_closed_streams, print_result, result_stream, set_results_apart


def closed(number: int, name: str) -> None:
    """Leave a standard stream as Python finds it after ``>&-``."""
    os.close(number)
    setattr(sys, name, None)


@pytest.mark.parametrize(
    ("number", "name", "use"),
    [
        (0, "stdin", lambda: sys.stdin.read()),
        (1, "stdout", lambda: print("nobody reads this", flush=True)),
        (2, "stderr", lambda: print("nor this", file=sys.stderr, flush=True)),
    ],
)
def test_a_closed_stream_is_opened_to_nowhere(
    number: int, name: str, use: Callable[[], object], tmp_path: Path
) -> None:
    def check() -> None:
        closed(number, name)
        open_closed_streams()
        use()
        assert not getattr(sys, name).isatty()
        mine = os.open(tmp_path / "mine", os.O_WRONLY | os.O_CREAT)
        assert mine > 2, "no file of ours gets what a library writes to a standard stream"
        if number:
            os.write(number, b"from a library")
        assert (tmp_path / "mine").read_bytes() == b""
        answer = subprocess.run(["cat"], stdin=None if number == 0 else subprocess.DEVNULL, check=True)
        assert answer.returncode == 0, "what is started inherits it"

    in_a_killed_process(check)


def test_open_streams_stay() -> None:
    before = sys.stdin, sys.stdout, sys.stderr
    open_closed_streams()
    assert (sys.stdin, sys.stdout, sys.stderr) == before


@pytest.mark.heavy
@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_command_ends_as_it_does_with_open_streams(redirection: str, tmp_path: Path) -> None:
    train = f"'{sys.executable}' -m tui train --no-ui --data iris --epochs 2 --device cpu --runs '{tmp_path}'"
    answer = subprocess.run(
        ["sh", "-c", f"{train} {redirection}"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert len(list(tmp_path.glob("*/evaluation/test/report.json"))) == 1


# -- results apart from all else ------------------------------------------------------------------------------


def test_results_alone_reach_standard_output(tmp_path: Path) -> None:
    """Neither what Python prints, nor a C library, nor a process that is started, before and after a result."""

    def check() -> None:
        for number, name in ((1, "out"), (2, "err")):
            handle = os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT)
            os.dup2(handle, number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", 1, closefd=False)  # noqa: SIM115
        set_results_apart()
        set_results_apart()
        print("printed")
        print_result("{}")
        os.write(1, b"from a library\n")
        subprocess.run(["echo", "from a process"], check=True)
        print_result("[]")
        sys.stdout.flush()

    in_a_killed_process(check)
    assert (tmp_path / "out").read_text() == "{}\n[]\n"
    assert sorted((tmp_path / "err").read_text().splitlines()) == [
        "from a library",
        "from a process",
        "printed",
    ]


def test_an_output_that_was_replaced_is_still_that_of_results(capsys: pytest.CaptureFixture[str]) -> None:
    with streams_kept():
        assert result_stream() is sys.stdout
        set_results_apart()
        print("printed")
        print_result("{}")
    print("as before")
    assert capsys.readouterr() == ("{}\nas before\n", "printed\n")
