"""A hundred ``tui runs`` at once, while a run trains beside them: all list the same runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fixtures import WriteRun
from tests.support.fork_server import Command

pytestmark = pytest.mark.heavy

LISTINGS, RUNS = 100, 30


def test_all_of_them_list_the_same(
    command: Callable[[str], Command], write_run: WriteRun, tmp_path: Path
) -> None:
    names = {f"2026-01-{day:02}_0900_digits-mlp_aaa" for day in range(1, RUNS + 1)}
    for name in names:
        write_run(name, [0.5, 0.4])
    training = command("train --no-ui --data digits --epochs 200 --device cpu --threads 1 --quiet")
    listings = [command("runs --json") for _ in range(LISTINGS)]
    for listing in listings:
        output, errors = listing.communicate()
        assert (listing.returncode, errors) == (0, "")
        listed = {run["id"]: run["status"] for run in json.loads(output)["runs"]}
        assert names <= listed.keys()
        assert {listed[name] for name in names} == {"completed"}
        assert set(listed.values()) <= {"completed", "running", "preparing"}, "never interrupted or damaged"
        assert len(listed) <= RUNS + 1
    _, errors = training.communicate()
    assert (training.returncode, errors) == (0, "")
