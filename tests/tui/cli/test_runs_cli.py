"""`tui runs`: names, tags and notes."""

import json
from pathlib import Path

import pytest

from core.runs.folder import Run, find_run
from core.runs.labels import read_labels
from core.runs.summary import summarise
from tests.support.written_runs import write_run
from tests.tui.cli.conftest import Tui


@pytest.fixture
def runs(tui: Tui) -> list[Run]:
    """Three runs, the newest last."""
    folder = Path("runs")
    return [
        write_run(folder, "2026-01-01_0900_digits-mlp_aaa", {"optimizer": {"lr": 0.01}}, accuracy=0.8),
        write_run(folder, "2026-01-02_0900_digits-cnn_bbb", {"model": "cnn"}, status="failed"),
        write_run(folder, "2026-01-03_0900_iris-mlp_ccc", {"data": "iris"}, accuracy=0.95),
    ]


def test_runs_are_renamed_tagged_and_noted(tui: Tui, runs: list[Run]) -> None:
    assert tui("runs rename aaa 'wider net'").code == 0
    assert tui("runs tag aaa paper baseline").out == "paper baseline\n"
    assert tui("runs tag aaa --remove paper").out == "baseline\n"
    assert tui("runs tag aaa").out == "baseline\n"
    assert tui("runs note 'wider net' 'loss rises'").code == 0
    assert tui("runs note aaa").out == "loss rises\n"
    shown = json.loads(tui("runs show aaa --json").out)
    assert (shown["name"], shown["tags"], shown["note"]) == ("wider net", ["baseline"], "loss rises")
    shown_text = tui("runs show 'wider net'").out
    assert "name    wider net" in shown_text
    refused = tui("runs tag aaa 'two words'")
    assert refused.code == 2
    assert "tag: got 'two words'" in refused.err


def test_a_run_is_named_as_it_starts_and_again_as_it_resumes(train: Tui, tui: Tui) -> None:
    assert train("--name 'first try' --quiet").code == 0
    run = find_run(Path("runs"), "first try")
    assert summarise(run).title == "first try"
    assert tui("train --no-ui --quiet --resume latest --epochs 4 --name second").code == 0
    assert read_labels(run.path).name == "second"


def test_seeds_get_a_name_each(train: Tui) -> None:
    assert train("--name wide --seeds 2 --seed 3 --quiet").code == 0
    assert {read_labels(run).name for run in Path("runs").iterdir()} == {"wide seed 3", "wide seed 4"}


def test_a_name_that_does_not_fit_starts_nothing(train: Tui) -> None:
    refused = train(f"--name {'x' * 81}")
    assert refused.code == 2
    assert not Path("runs").exists()
