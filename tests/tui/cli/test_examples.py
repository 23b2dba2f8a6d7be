"""The examples of own data and own models run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY


@pytest.mark.parametrize(("name", "least"), [("own_model", 0.5), ("own_arrays", 0.6)])
def test_an_example_trains(name: str, least: float, tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(REPOSITORY / "examples" / f"{name}.py"),
        "--device",
        "cpu",
        "--threads",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    (line,) = (line for line in ended.stdout.splitlines() if line.startswith(" accuracy "))
    assert float(line.split()[1]) > least
