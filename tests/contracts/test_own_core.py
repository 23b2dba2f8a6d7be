"""Projects with packages called ``core`` and ``tui`` of their own: scripts and the command work beside them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.runs.folder import all_runs
from core.runs.summary import summarise
from tests.support.repository import REPOSITORY

SCRIPT = """
import torchtui
import core.layers
import tui
from torchtui import RunWriter

with RunWriter("mine", config={"lr": 0.1}, epochs=1) as run:
    run.log(loss=core.layers.LOSS)
    run.epoch(validation={"loss": tui.LOSS})
    run.predictions("test", [[2.0, 0.0], [0.0, 1.0]], [0, 1])

import core.later
assert "torchtui.core.interop.writer" in __import__("sys").modules
assert not any(name.startswith("core.interop") for name in __import__("sys").modules)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with packages of its own of these names, and a script."""
    folder = tmp_path / "project"
    for name in ("core", "tui"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("LOSS = 0.5\n")
    (folder / "core" / "layers.py").write_text("LOSS = 2.0\n")
    (folder / "core" / "later.py").write_text("from core.layers import LOSS\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_script_imports_its_own_packages_and_writes_a_run(project: Path) -> None:
    answer = run(project, "script.py", PYTHONPATH=str(REPOSITORY), TUI_RUNS=str(project / "runs"))
    assert (answer.returncode, answer.stderr) == (0, "")
    (written,) = all_runs(project / "runs")
    assert summarise(written).status == "completed"


def test_the_command_finds_its_own_packages_whatever_the_path_names(project: Path) -> None:
    path = os.pathsep.join((str(project), str(REPOSITORY)))
    answer = run(project, "-P", "-m", "torchtui", "--version", PYTHONPATH=path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("torchtui ")
