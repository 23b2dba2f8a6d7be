"""From the form to moving curves in a real terminal, by keys alone, at the sizes people have."""

from pathlib import Path

import pytest

from core.runs.folder import all_runs
from core.runs.summary import summarise
from tests.support.fixtures import OpenTerminal

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60)])
def test_from_the_form_to_results_by_keys_alone(
    terminal: OpenTerminal, tmp_path: Path, columns: int, rows: int
) -> None:
    window = terminal(columns=columns, rows=rows)
    window.wait_for("dataset")
    window.wait_for("ready")
    window.press("\x12")
    window.wait_for("completed")
    window.press("1")
    window.wait_for(lambda text: "filter" in text and "completed" in text)
    window.press("4")
    window.wait_for(lambda text: "accuracy" in text and "baseline" in text)
    window.press("\x11")
    assert window.end() == 0
    assert window.is_clean()
    (run,) = all_runs(tmp_path / "runs")
    assert summarise(run).status == "completed"


def test_what_is_wrong_stands_beside_its_field_and_start_waits(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    window = terminal("train", "--epochs", "1", columns=120, rows=40)
    window.wait_for("completed")
    window.press("2")
    window.wait_for("ready")
    window.press("\x1b[B", "\x7f\x7f\x7f\x7f")
    window.wait_for("got '', takes a number")
    window.press("1.5")
    window.wait_for("takes a number < 1")
    window.press("\x12")
    window.wait_for(lambda text: "✗" in text and "Start" in text)
    window.press("\x7f\x7f\x7f")
    window.wait_for("got '', takes a number")
    window.press("0.2")
    window.wait_for("ready")
    window.press("\x12")
    window.wait_for(lambda text: "epoch 1/1" in text and "completed" in text)
    window.press("\x11")
    assert window.end() == 0
    assert len(all_runs(tmp_path / "runs")) == 2
