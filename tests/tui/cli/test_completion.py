"""Completion by Tab and its cost: names of choices and of runs, without PyTorch."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fixtures import WriteRun
from tests.support.repository import REPOSITORY
from tests.support.streams import streams_kept
from tui.cli import main

PROGRAM = """
import sys
sys.argv = ["tui"]
from tui.cli import main
try:
    main()
finally:
    print("heavy:", *sorted({"torch", "textual", "sklearn", "plotext"} & set(sys.modules)), file=sys.stderr)
"""


Complete = Callable[[str], list[str]]


def asked_for(line: str) -> dict[str, str]:
    """Return the environment in which a shell asks how the last word of a line goes on."""
    return {
        "_TUI_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """Return the completions for a line, without a process."""

    def complete(line: str) -> list[str]:
        with monkeypatch.context() as patch, streams_kept():
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["tui"])
            patch.setattr(
                sys.modules["__main__"], "__package__", ""
            )  # else that of the tests names the command
            for name, value in asked_for(line).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit):
                main()
        return capsys.readouterr().out.split()

    return complete


@pytest.fixture
def complete_afresh(tmp_path: Path) -> Complete:
    """Return the completions for a line, from a process that loads no large library for them."""

    def complete(line: str) -> list[str]:
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **asked_for(line)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.stderr.strip() == "heavy:"
        return answer.stdout.split()

    return complete


@pytest.mark.slow
def test_neither_choices_nor_runs_cost_more_than_their_names(
    complete_afresh: Complete, write_run: WriteRun
) -> None:
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.5])
    assert {"linear", "mlp", "cnn"} <= set(complete_afresh("tui train --model "))
    assert complete_afresh("tui evaluate ") == ["latest", run.id]


def test_commands_and_choices_are_completed(complete: Complete) -> None:
    assert complete("tui ev") == ["evaluate"]
    assert complete("tui train --data i")[0] == "iris"


def test_runs_are_completed_by_their_beginning_and_by_their_last_letters(
    complete: Complete, write_run: WriteRun
) -> None:
    old = write_run("2026-01-02_0300_digits-mlp_abc", [0.5])
    new = write_run("2026-01-02_0301_digits-mlp_xyz", [0.5])
    assert complete("tui evaluate ") == ["latest", new.id, old.id]
    assert complete("tui compare latest 2026-01-02_0300") == [old.id]
    assert complete("tui report x") == ["xyz"]
    assert complete(f"tui runs show --runs {new.path.parent} la") == ["latest"]


def test_the_folder_of_runs_may_be_missing_or_be_named(
    complete: Complete, write_run: WriteRun, tmp_path: Path
) -> None:
    assert complete("tui stop ") == ["latest"]
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.5])
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert complete("tui export --runs elsewhere a") == ["abc"]
    assert complete("tui --runs elsewhere export a") == ["abc"]
    assert run.id in complete("tui train --runs elsewhere --resume ")
