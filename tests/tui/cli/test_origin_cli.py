"""`tui runs diff`, `bundle`, `open` and `rerun`."""

import json
from pathlib import Path

import pytest

from core.runs.folder import all_runs
from tests.tui.cli.conftest import Tui


@pytest.mark.slow
def test_a_run_is_trained_again_bundled_opened_and_compared(train: Tui, tui: Tui) -> None:
    assert train("--quiet --seed 3").code == 0
    (first,) = all_runs(Path("runs"))
    again = tui(f"runs rerun {first.id} --json")
    verdict = json.loads(again.out)
    assert (again.code, verdict["equal"], verdict["of"], verdict["weights"]) == (0, True, first.id, True)
    assert tui("runs bundle latest --to run.zip").code == 0
    opened = tui("runs open run.zip --runs elsewhere").out.strip()
    assert opened == verdict["run"]
    assert train("--quiet --seed 4").code == 0
    shown = tui(f"runs diff {first.id} latest").out
    assert "training.seed" in shown
    table = json.loads(tui(f"runs diff {first.id} latest --json").out)
    assert ["settings", "training.seed", 3, 4] in [list(value.values()) for value in table["values"]]
    (first.path / "events.jsonl").write_text(
        (first.path / "events.jsonl")
        .read_text()
        .replace('"validation": {"loss": ', '"validation": {"loss": 1')
    )
    differs = tui(f"runs rerun {first.id}")
    assert differs.code == 1
    assert "not equal, from epoch 1 on: validation loss" in differs.out
