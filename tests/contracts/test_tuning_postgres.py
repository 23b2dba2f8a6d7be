"""Studies that several machines share, on a real PostgreSQL server: the empty database at ``TUI_TEST_POSTGRES``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import RunError
from core.tuning.study.study import open_study
from tests.support.repository import REPOSITORY

URL = os.environ.get("TUI_TEST_POSTGRES", "")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.xdist_group("postgres"),  # one database
    pytest.mark.skipif(not URL, reason="needs the URL of a PostgreSQL database in TUI_TEST_POSTGRES"),
]

GRID = "--method grid -p lr=0.1,0.03,0.01,0.003 -p batch_size=16,32"
TUNE = "tune --no-ui --json --data iris --model mlp --epochs 60 --device cpu --threads 1"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts ``tui`` as on a machine of its own: with its own folder of runs, and the storage alone in common."""

    started: list[subprocess.Popen[str]] = []

    def machine(name: str, line: str) -> "subprocess.Popen[str]":
        (tmp_path / name).mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", *line.split(), "--storage", URL],
            cwd=tmp_path / name,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield machine
    for process in started:
        process.kill()
        process.communicate()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_two_machines_share_a_grid(machine: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    first = machine("first", f"{TUNE} {GRID}")
    assert first.stdout is not None
    began = json.loads(first.stdout.readline())
    second = machine("second", f"tune --no-ui --json --resume {began['study']}")
    out, err = first.communicate()
    *mine, my_end = [began, *lines(out)]
    also, problems = second.communicate()
    *theirs, their_end = lines(also)
    assert (first.returncode, err, second.returncode, problems) == (0, "", 0, "")
    assert sorted(trial["trial"] for trial in mine + theirs) == list(range(8))
    assert my_end["trials"] == their_end["trials"] == 8
    mine_best, their_best = (
        {**end["best"], "run": Path(end["best"]["run"]).name} for end in (my_end, their_end)
    )
    assert mine_best == their_best  # each finds trials in its own folder
    for trials, name in ((mine, "first"), (theirs, "second")):
        assert all(Path(trial["run"]).is_relative_to(tmp_path / name) for trial in trials)


def test_a_killed_study_goes_on(machine: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    process = machine("only", f"{TUNE} {GRID}")
    assert process.stdout is not None
    done = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGKILL)
    done += lines(process.communicate()[0])
    again = machine("only", f"tune --no-ui --json --resume {done[0]['study']}")
    out, err = again.communicate()
    *rest, end = lines(out)
    assert (again.returncode, err, end["completed"]) == (0, "", 8)
    assert sorted(trial["trial"] for trial in done + rest) == list(range(8))


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot open the study's storage") as caught:
        open_study(tmp_path, "x", "postgresql://someone:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(caught.value)
