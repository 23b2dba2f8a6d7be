"""Options of the observers beside a training."""

import os
from pathlib import Path

import pytest

from core.runs.folder import find_run
from core.runs.log import LogReader
from tests.tui.cli.conftest import Tui


@pytest.mark.slow
def test_options_reach_the_run_and_the_processes_it_starts(tui: Tui, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    small = "train --no-ui --quiet --data iris --model mlp --epochs 2 --device cpu"
    line = f"{small} --log tensorboard --no-system --notify false"
    answer = tui(line)
    assert answer.code == 0
    run = find_run(tmp_path / "here" / "runs", "latest")
    assert list((run.path / "tensorboard").glob("events.out.tfevents.*"))
    assert "the command exited with code 1" in str(LogReader(run.log_file).read()[-2])
    assert (os.environ["TUI_LOG"], os.environ["TUI_NOTIFY"], os.environ["TUI_SYSTEM"]) == (
        "tensorboard",
        "false",
        "0",
    )
    assert "notify" not in run.config_file.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", ["--notify http://127.0.0.1:1/SECRET", "--notify=http://127.0.0.1:1/SECRET"]
)
def test_the_address_that_is_notified_stands_in_no_file(tui: Tui, tmp_path: Path, option: str) -> None:
    answer = tui(
        f"train --no-ui --quiet --data iris --model mlp --epochs 1 --device cpu --no-system {option}"
    )
    assert answer.code == 0, answer.err
    files = [path for path in (tmp_path / "here").rglob("*") if path.is_file()]
    assert any(path.name == "environment.json" and b"--notify" in path.read_bytes() for path in files)
    assert [path.name for path in files if b"SECRET" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("--log wandb", "--log: got 'wandb'. Should be 'tensorboard' or 'mlflow'"),
        ("--stall-minutes 0", "--stall-minutes: got '0.0'. Should be greater than 0"),
        ("--notify no-such-thing", "notify: command not found: 'no-such-thing'"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    tui: Tui, tmp_path: Path, options: str, error: str
) -> None:
    answer = tui(f"train --no-ui {options}")
    assert answer.code == 2
    assert error in answer.err
    assert list((tmp_path / "here").iterdir()) == []
