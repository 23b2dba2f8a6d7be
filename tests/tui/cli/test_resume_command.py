"""The printed command resumes what it was printed for, wherever runs are kept."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.runs.folder import all_runs
from core.runs.summary import summarise
from core.tuning.study.folder import all_studies

Tui = Callable[..., Any]

PLACES = [
    (None, "runs"),
    (None, "my runs"),
    ("elsewhere", "elsewhere"),
    ("elsewhere", "runs"),
]
"""`TUI_RUNS`, and the folder given as ``--runs``."""


def printed(out: str) -> str:
    """Return the arguments of the command in the last line."""
    label, tui, command = out.splitlines()[-1].split(maxsplit=2)
    assert (label, tui) == ("resume", "tui")
    return command


@pytest.fixture(params=PLACES, ids=str)
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """The folder of runs, and its option."""
    environment, folder = request.param
    if environment is not None:
        monkeypatch.setenv("TUI_RUNS", environment)
    return Path(folder), f"--runs {shlex.quote(folder)}"


@pytest.mark.slow
def test_of_a_run(train: Tui, tui: Tui, where: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_at_once(control: Any) -> bool:
        control.stop()
        return True

    folder, option = where
    with monkeypatch.context() as patch:
        patch.setattr("core.control.RunControl.attention", property(stop_at_once))
        command = printed(train(option).out)
    answer = tui(command)
    assert (answer.code, answer.err) == (0, "")
    (run,) = all_runs(folder)
    assert summarise(run).status == "completed"


@pytest.mark.slow
def test_of_a_study(tui: Tui, where: tuple[Path, str]) -> None:
    from core.tuning.study.study import open_study
    from tui.forms.command_line import resume_command

    folder, option = where
    model = "--data iris --epochs 1 --device cpu --threads 1"
    assert tui(f"tune --no-ui --quiet {model} --trials 1 -p optimizer.lr=0.1,0.2 {option}").code == 0
    (study,) = all_studies(folder)
    answer = tui(resume_command("tune", study.path).removeprefix("tui ") + " --trials 2")
    assert (answer.code, answer.err) == (0, "")
    assert len(open_study(folder, "latest").records()) == 2
