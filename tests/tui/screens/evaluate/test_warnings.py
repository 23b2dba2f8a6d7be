"""Warnings of what looked suspicious before training: shown wherever the numbers that rest on it are."""

from pathlib import Path

import pytest
from textual.widgets import Static

from core.data.registry import load
from core.report.build import build
from core.runs.data_facts import kept_warnings
from tests.support.screen import plain
from tests.tui.conftest import TrainHere, Visits
from tui.forms.data_overview import data_facts
from tui.forms.preview_drawings import warning_lines

pytestmark = [pytest.mark.slow, pytest.mark.heavy]

LINE = "patient_id looks like an id and repeats"


async def test_a_leak_is_reported_in_the_data_view_in_summary_and_in_the_report(
    visit: Visits, train_here: TrainHere, tmp_path: Path
) -> None:
    path = tmp_path / "visits.csv"
    rows = [f"{at % 20},{at * 7 % 13}.5,{'ab'[at * at % 11 % 2]}" for at in range(100)]
    path.write_text("\n".join(["patient_id,value,kind", *rows]))
    run = train_here({"data": str(path)})
    kept = kept_warnings(run)
    assert [line.partition(":")[0] for line in kept] == [LINE]
    facts = data_facts(load(run.config().data, examine=True))
    assert warning_lines(facts.warnings).endswith(f" {kept[0]}")
    assert LINE in build([run])
    async with visit() as at:
        await at.open(run, "summary")
        assert any(f"▲ {LINE}" in plain(each) for each in at.app.screen.query(Static))
