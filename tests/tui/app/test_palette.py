"""The palette, and what can be taken from the table that is shown."""

import csv
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.narrow import instance
from tests.support.waiting import until
from tests.support.written_runs import write_run
from tui.app.app import TuiApp
from tui.screens.runs.screen import RunsScreen
from tui.screens.table_dialog import TableDialog
from tui.terminal.table_text import TableText, as_csv, as_lines, distinct


def test_tables_as_text() -> None:
    table = TableText(["name", "loss"], [["a,b", "0.1"], ["c\nd", "2"]])
    assert as_csv(table) == 'name,loss\n"a,b",0.1\n"c\nd",2\n'
    assert distinct(["", "acc", "95 %", "F1", "95 %"]) == ["", "acc", "95 %", "F1", "F1 95 %"]
    assert as_lines([table.head, *table.rows]) == "name\tloss\na,b\t0.1\nc d\t2"


@pytest.mark.slow
async def test_commands_are_listed_once_by_screen_and_a_table_is_copied_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "2026-01-02_0900_digits-mlp_abc", {"data": "digits"}, loss=0.123456789)
    write_run(tmp_path / "runs", "2026-01-03_0900_digits-mlp_def", {"data": "digits"}, accuracy=0.5)
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(
            pilot,
            lambda: app.screen.query("RunsTable") and len(instance(RunsScreen, app.screen).table.rows) == 2,
        )
        screen = instance(RunsScreen, app.screen)
        await until(pilot, lambda: screen.check_action("use", ()))
        titles = [command.title for command in app.get_system_commands(screen)]
        assert len(titles) == len(set(titles))
        assert not {"Focus Next", "Copy selected text", "Previous run", "Scroll Left", "Open"} & {*titles}
        asked = [
            "Delete",
            "Report",
            "Export",
            "Predict",
            "Cross-validate",
            "Seeds",
            "Go to Runs",
            "Queue",
            "Quit",
        ]
        assert [title for title in titles if title in asked] == asked
        assert "Stop" not in titles  # neither run trains

        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TableDialog))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert app.clipboard == "2026-01-03_0900_digits-mlp_def"

        (tmp_path / "mine.csv").write_text("mine")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TableDialog))
        field = app.screen.query_one(Input)
        field.value = "mine.csv"
        field.focus()
        await pilot.press("enter")
        await pilot.press("enter")  # the first one asks, since the file is there
        await until(pilot, lambda: app.screen is screen)
        with open("mine.csv", newline="") as file:
            rows = {row["id"][-3:]: row for row in csv.DictReader(file)}
        assert rows["abc"]["data"] == "digits"
        assert rows["abc"]["validation.loss"] == "0.123456789"
        assert rows["def"]["validation.accuracy"] == "0.5"
