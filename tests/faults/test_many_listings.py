"""Many ``tui runs`` at once, while a run trains beside them: all list the same runs."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.events import EpochFinished
from core.runs.folder import all_runs
from core.runs.log import all_events
from tests.support.fixtures import WriteRun
from tests.support.fork_server import Command

pytestmark = pytest.mark.heavy

LISTINGS, RUNS = 12, 30
SECONDS = 600
TRAINING = "train --no-ui --data iris --model mlp --epochs 1000000 --device cpu --threads 1 --quiet"


def test_all_of_them_list_the_same(
    command: Callable[[str], Command], write_run: WriteRun, tmp_path: Path
) -> None:
    names = {f"2026-01-{day:02}_0900_digits-mlp_aaa" for day in range(1, RUNS + 1)}
    for name in names:
        write_run(name, [0.5, 0.4])
    training = command(TRAINING)
    early = statuses([command("runs --json") for _ in range(LISTINGS // 2)], names)
    assert early <= {"preparing", "running"}, "never interrupted or damaged"
    wait_for_an_epoch(tmp_path / "runs", names)
    assert statuses([command("runs --json") for _ in range(LISTINGS // 2)], names) == {"running"}
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate()
    assert (training.returncode, errors) == (128 + signal.SIGINT, "")
    assert statuses([command("runs --json")], names) == {"stopped"}


def statuses(listings: list[Command], completed: set[str]) -> set[str]:
    """Return how the run that trains stands in lists that have all `completed` ones, and at most one more."""
    found = set[str]()
    for listing in listings:
        output, errors = listing.communicate()
        assert (listing.returncode, errors) == (0, "")
        listed = {run["id"]: run["status"] for run in json.loads(output)["runs"]}
        assert {listed.pop(name) for name in completed} == {"completed"}
        assert len(listed) <= 1
        found |= set(listed.values())
    return found


def wait_for_an_epoch(folder: Path, others: set[str]) -> None:
    """Return once the run that trains has finished an epoch."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        logs = [run.log_file for run in all_runs(folder) if run.id not in others]
        if any(isinstance(event, EpochFinished) for log in logs for event in all_events(log)):
            return
        time.sleep(0.05)
    raise AssertionError("no epoch has finished")
