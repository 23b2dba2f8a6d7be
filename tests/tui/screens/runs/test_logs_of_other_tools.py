"""Runs of other tools on the screen of all runs: listed with their tool, opened in Live."""

import os
from pathlib import Path

import pytest

from core.status import is_ended
from tests.support.narrow import some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime.foreign_host import ForeignHost
from tui.screens.runs.run_actions import possible_actions
from tui.screens.runs.screen import RunsScreen
from tui.widgets.runs_table import RunsTable

HOSTILE = "\x1b[2J[red]x"


@pytest.mark.slow
async def test_logs_are_listed_with_their_tool_and_open_in_live(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    for name, loss in (("first", 2), ("second", 1)):
        file = runs_dir / name / "results.csv"
        file.parent.mkdir(parents=True)
        file.write_text(f"epoch,train/loss,metrics/accuracy_top1,val/loss,{HOSTILE}\n1,3,0.5,{loss},4\n")
        os.utime(file, (1_000_000_000, 1_000_000_000))
    app = TuiApp(runs_dir=runs_dir)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, RunsScreen)
                and any(len(table.rows) == 2 for table in app.screen.query(RunsTable))
            ),
        )
        table = app.screen.query_one(RunsTable)
        assert "tool" in table.columns
        assert {summary.tool for summary in table.rows} == {"Ultralytics"}
        await until(pilot, lambda: all(is_ended(summary.status) for summary in table.rows))
        assert possible_actions(table.selected) == {"copy", "copy_path", "label", "use", "job"}
        some(table.selected).run.media_folder.mkdir()  # as of a log with images
        assert possible_actions(table.selected) == {"copy", "copy_path", "label", "use", "job", "media"}
        title = some(table.selected).title
        await pilot.press("enter")
        await until(pilot, lambda: app.feed is not None and app.feed.history.epoch == 1)
        assert isinstance(some(app.feed).host, ForeignHost)
        assert some(app.feed).host.name == title
        shown = app.export_screenshot()
        assert "\x1b" not in shown
        assert some(app.feed).history.reported == ["accuracy_top1", "\x1b[2j[red]x"]
