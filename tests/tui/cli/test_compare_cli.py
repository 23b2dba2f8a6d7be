"""`tui compare`: its output as JSON and as text, and what it refuses."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.folder import all_runs
from tests.support.fixtures import WriteRun
from tests.tui.cli.conftest import Tui
from tui.charts.comparison import View
from tui.headless.comparison_report import print_comparison


@pytest.fixture
def runs(write_run: WriteRun) -> Path:
    """Two runs that can be compared, and one on other data."""
    write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.4, 0.3], accuracy=0.9)
    write_run("2026-01-02_0301_digits-mlp_def", [0.9, 0.5], values={"optimizer": {"lr": 0.5}}, accuracy=0.89)
    return write_run("2026-01-02_0302_iris-mlp_ghk", [0.7], values={"data": {"name": "iris"}}).path.parent


def test_json_holds_numbers_intervals_leaders_and_differences(tui: Tui, runs: Path) -> None:
    answer = tui(f"compare abc def --runs {runs} --json")
    assert answer.code == 0
    told = json.loads(answer.out)
    first, second = told["runs"]
    assert told["v"] == 1
    assert told["split"] == "validation"
    assert first["id"].endswith("abc")
    assert first["seconds"] == 6.0
    low, high = first["intervals"]["accuracy"]
    assert low <= first["metrics"]["accuracy"] <= high
    assert told["leaders"]["accuracy"] == first["id"]
    assert told["level"]["accuracy"] == [second["id"]]
    assert told["differences"] == {"optimizer.lr": [0.01, 0.5], "training.epochs": [3, 2]}
    assert told["note"] == ""


def test_tables_and_a_curve_are_printed(tui: Tui, runs: Path) -> None:
    answer = tui(f"compare abc def --runs {runs} --plot 'validation loss' --by time")
    assert answer.code == 0
    lines = answer.out.splitlines()
    accuracy = next(line for line in lines if line.split()[:1] == ["accuracy"])
    assert "★ 0.9028" in accuracy
    assert "≈ 0.8889" in accuracy
    assert any(line.split() == ["optimizer.lr", "0.01", "0.5"] for line in lines)
    assert "validation loss by time" in answer.out
    assert "seconds" in lines[-1]
    assert "★" in answer.out


def test_ids_are_whole_in_every_width(runs: Path) -> None:
    groups = grouped([EntryReader(run).read() for run in all_runs(runs)])
    for width in (120, 80, 60):
        console = Console(width=width, file=StringIO(), record=True)
        print_comparison(groups, "validation", console, None, View())
        words = console.export_text().split()
        assert {run.id for run in all_runs(runs)} <= {*words}
        assert words.count("completed") == 3 or width == 60


def test_runs_on_other_data_are_said_not_to_compare(tui: Tui, runs: Path) -> None:
    answer = tui(f"compare abc ghk --runs {runs} --split test")
    assert "not the same data: digits, iris: their numbers are not comparable" in answer.out
    assert "none of the runs was evaluated on test" in answer.out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("compare abc", "2 to 40 different runs, got 1"),
        ("compare abc abc", "2 to 40 different runs, got 1"),
        ("compare abc nothing", "no run 'nothing'"),
        ("compare abc def --plot losss", "no curve 'losss'. There is validation loss"),
        ("compare abc def --by day", "'day'"),
        ("compare", "compare [OPTIONS]"),
    ],
)
def test_what_is_wrong_is_one_line(tui: Tui, runs: Path, line: str, told: str) -> None:
    answer = tui(f"{line} --runs {runs}")
    assert answer.code == 2
    assert told in answer.err
    assert answer.out == ""
