"""Compare: runs that differ in their seed alone are one row and one curve, which open to the runs."""

from pathlib import Path

import pytest

from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.folder import all_runs
from tests.support.fixtures import WriteRun
from tests.support.narrow import instance
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.comparison import View, chart
from tui.charts.plot import Plot
from tui.screens.compare.screen import CompareScreen
from tui.terminal.themes import faded, sign_of
from tui.widgets.table import Table

pytestmark = pytest.mark.slow


def write_seeds(write_run: WriteRun) -> None:
    for place, seed in enumerate((0, 1, 2)):
        values = {"training": {"seed": seed, "epochs": 2}}
        write_run(
            f"2026-01-02_030{place}_digits-mlp_ab{seed}", [0.9, 0.5 + seed / 10], values=values, accuracy=0.9
        )
    write_run("2026-01-02_0304_digits-mlp_ghk", [0.9, 0.8], values={"optimizer": {"lr": 0.5}}, accuracy=0.8)


async def test_a_group_is_one_row_that_opens_to_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_run: WriteRun
) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    write_seeds(write_run)
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode in ("runs", "configure") and app.screen.is_current)
        await pilot.pause()
        app.action_go("compare")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and len(app.screen.entries) == 4)
        await pilot.pause()
        screen = instance(CompareScreen, app.screen)
        table, first = screen.query_one("#standings", Table), screen.query_one("#first", Plot)

        def names() -> list[str]:
            return [str(table._cells(row)[1]) for row in range(table.row_count)]

        assert [name.strip()[-2:] for name in names()] == ["hk", "×3"]
        assert len({*app.compared.slots.values()}) == 2
        table.cursor = 1
        await pilot.press("g")
        await pilot.pause()
        assert [name.strip() for name in names()[2:]] == ["seed 0", "seed 1", "seed 2"]
        assert len(first.chart.series) == 4
        table.cursor = 3
        await pilot.press("x")
        await pilot.pause()
        assert [name.strip() for name in names()[2:]] == ["seed 0", "seed 2"]
        await pilot.press("g")
        await pilot.pause()
        assert [name.strip()[-2:] for name in names()] == ["hk", "×2"]


def test_a_mean_is_drawn_between_lines_one_deviation_away(tmp_path: Path, write_run: WriteRun) -> None:
    write_seeds(write_run)
    entries = [EntryReader(run).read() for run in all_runs(tmp_path / "runs")]
    drawn = chart(grouped(entries[1:]), "validation loss", View(), slots=[2])
    low, high, mean = drawn.series
    assert (low.color, high.color, mean.color) == (*[faded(sign_of(2)[1])] * 2, sign_of(2)[1])
    assert mean.y.tolist() == pytest.approx([0.9, 0.6])
    assert (high.y - mean.y).tolist() == pytest.approx([0.0, 0.1])
