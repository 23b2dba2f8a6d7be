"""SIGKILL at random moments, again and again: every run ends as if nothing had happened, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("kill")]

HERE = Path(__file__).parent
KILLS = 9
"""Of each of the six configurations."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the outcome of all runs."""
    folder = tmp_path_factory.mktemp("killed")
    answer = subprocess.run(
        [sys.executable, str(HERE / "kill_server.py"), str(folder), str(KILLS)],
        cwd=HERE.parents[2],
        env={"PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_run_killed_again_and_again_ends_alike(told: list[dict[str, Any]]) -> None:
    """Weights, best weights, optimizer, random state, progress, every epoch and evaluation, by their hashes."""
    assert sum(run["kills"] for run in told) >= 50
    assert len({run["run"] for run in told}) == 6
    assert [run for run in told if run["status"] or run["wrong"] or run["damaged"] or run["leftovers"]] == []


def test_kills_come_in_the_middle_of_writing_checkpoints(told: list[dict[str, Any]]) -> None:
    """Otherwise this suite would prove little: checkpoints are written all the time, and many are left unfinished."""
    assert sum(run["half_written"] for run in told) >= 5


def test_a_killed_run_is_never_shown_as_running(told: list[dict[str, Any]]) -> None:
    assert {status for run in told for status in run["shown"]} <= {"interrupted", "completed"}
    assert any("interrupted" in run["shown"] for run in told)
