"""The command that resumes a run where it trained last."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.runs.folder import Run
from core.runs.summary import summarise
from core.torchrun import STARTED_WITH
from tests.support.written_runs import write_run
from tui.forms.resuming import command_to_resume


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs, with one that failed after a checkpoint."""
    monkeypatch.delenv(STARTED_WITH, raising=False)
    run = write_run(tmp_path, "lost", status="failed")
    run.checkpoint_file("last").parent.mkdir(parents=True, exist_ok=True)
    run.checkpoint_file("last").touch()
    return tmp_path


def test_as_many_processes_are_started_as_trained_it(saved: Path) -> None:
    summary = summarise(Run(saved / "lost"))
    assert command_to_resume(summary) == f"tui train --no-ui --resume lost --runs {saved}"
    assert (
        command_to_resume(replace(summary, processes=2))
        == f"tui train --no-ui --resume lost --processes 2 --runs {saved}"
    )


def test_one_of_them_names_what_they_were_started_with(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STARTED_WITH, "--processes 2 --restarts 3")
    summary = replace(summarise(Run(saved / "lost")), processes=2)
    assert command_to_resume(summary) == (
        f"tui train --no-ui --resume lost --processes 2 --restarts 3 --runs {saved}"
    )
