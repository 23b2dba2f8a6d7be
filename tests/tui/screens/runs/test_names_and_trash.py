"""Runs: names, columns, filters, marks, the trash and studies, in one session each."""

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from core.runs.folder import Run
from core.runs.labels import read_labels, write_labels
from tests.support.narrow import instance
from tests.support.screen import lines
from tests.support.waiting import until
from tests.support.written_runs import write_run
from tui.app.app import TuiApp
from tui.runtime.settings import load_settings
from tui.screens.dialogs import Ask
from tui.screens.runs.columns_dialog import ChooseColumns, offered
from tui.screens.runs.filter_field import remember
from tui.screens.runs.labels_dialog import Labelled, LabelRuns, changed_tags
from tui.screens.runs.lookout import Looked
from tui.screens.runs.screen import RunsScreen
from tui.widgets.runs_table import RunsTable

SIZE = (120, 30)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """Three runs, the newest last, and a study of two trials."""
    folder = tmp_path / "runs"
    found = [
        write_run(folder, "2026-01-01_0900_digits-mlp_aaa", {"optimizer": {"lr": 0.3}}, time=1.7e9),
        write_run(
            folder, "2026-01-02_0900_digits-cnn_bbb", {"model": "cnn"}, status="failed", time=1.7e9 + 1
        ),
        write_run(folder, "2026-01-03_0900_iris-mlp_ccc", {"data": "iris"}, time=1.7e9 + 2),
    ]
    study = folder / "study_2022-12-31_0915_digits-mlp_k3f"
    (study / "processes").mkdir(parents=True)
    for letters in ("ttt", "uuu"):
        write_run(study / "trials", f"2022-12-31_0916_digits-mlp_{letters}", time=1.6e9)
    return found


def shown(app: TuiApp) -> list[str]:
    """The last letters of the rows."""
    return [row.run.id[-3:] for table in app.screen.query(RunsTable) for row in table.rows]


def text(app: TuiApp) -> str:
    """The table, and the message beside the filter."""
    message = app.screen.query_one("#filter-message", Static)
    return "\n".join([*lines(app.screen.query_one(RunsTable)), str(message.visual)])


async def opened(pilot: Pilot[Any]) -> RunsScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen) and len(shown(pilot.app)) == 4)  # type: ignore[arg-type]  # the app of these tests
    return instance(RunsScreen, pilot.app.screen)


@pytest.mark.slow
async def test_what_is_marked_is_tagged_deleted_and_brought_back(tmp_path: Path, runs: list[Run]) -> None:
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        # One run: name, tags and note
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, LabelRuns) and app.screen.query("#label-save"))
        app.screen.query_one("#label-name", Input).value = "[b]x[/b]"
        app.screen.query_one("#label-tags", Input).value = "paper, old"
        await pilot.press("enter")
        await until(pilot, lambda: read_labels(runs[2].path).name == "[b]x[/b]")
        assert read_labels(runs[2].path).tags == ("paper", "old")
        await until(pilot, lambda: "[b]x[/b]" in text(app))
        # All marked ones: Space steps down by itself
        await pilot.press("space", "space", "n")
        await until(pilot, lambda: isinstance(app.screen, LabelRuns) and app.screen.query("#label-save"))
        app.screen.query_one("#label-tags", Input).value = "-old new"
        await pilot.press("enter")
        await until(pilot, lambda: read_labels(runs[1].path).tags == ("new",))
        assert read_labels(runs[2].path).tags == ("paper", "new")
        assert len(screen.chosen) == 2
        assert not screen.check_action("stop", ())  # none of them trains
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Ask) and app.screen.query("#answer-delete"))
        assert "2 runs" in instance(Ask, app.screen).question
        await until(pilot, lambda: app.screen.query_one("#answer-delete").region)
        await pilot.click("#answer-delete")
        await until(pilot, lambda: not runs[1].path.exists() and not runs[2].path.exists())
        await until(pilot, lambda: shown(app) == ["aaa", "k3f"])
        await pilot.press("u")
        await until(pilot, lambda: shown(app) == ["ccc", "bbb", "aaa", "k3f"])
        await pilot.press("asterisk")
        assert len(screen.marked_runs) == 4
        await pilot.press("asterisk")
        assert screen.marked_runs == []


@pytest.mark.slow
async def test_columns_filters_and_studies(tmp_path: Path, runs: list[Run]) -> None:
    write_labels(runs[0].path, name="wide")
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        # A wrong or half-typed filter shows what was shown before
        await pilot.press("slash", *"model:cnn", "enter")
        await until(pilot, lambda: shown(app) == ["bbb"])
        await pilot.press("slash", "end", *" or lr")
        await until(pilot, lambda: "Add a comparison" in text(app))
        await pilot.press(*">=")
        await until(pilot, lambda: "needs a number" in text(app))
        assert shown(app) == ["bbb"]
        await pilot.press(*"0.05", "enter")
        await until(pilot, lambda: set(shown(app)) == {"bbb", "aaa"})
        # Earlier filters come back
        await pilot.press("slash", "up", "up")
        assert screen.query_one("#filter", Input).value == "model:cnn"
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(shown(app)) == 4)
        # A study opens where it stands, and its trials can be filtered
        await pilot.press("end", "enter")
        await until(pilot, lambda: set(shown(app)[-2:]) == {"ttt", "uuu"})
        assert shown(app)[-3] == "k3f"
        assert "▾ 2 trials" in text(app)
        await pilot.press("enter")
        assert len(shown(app)) == 4
        await pilot.press("slash", *"study:k3f", "enter")
        await until(pilot, lambda: len(shown(app)) == 3)
        await pilot.press("escape", "escape")
        # Columns are chosen and remembered
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ChooseColumns))
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count > 0)
        await pilot.press("slash", *"seed", "enter", "escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert "seed" in app.settings.columns
        await until(pilot, lambda: "seed" in text(app))
        app.leave()
    assert "seed" in load_settings()[0].columns
    assert load_settings()[0].filters[0] == "study:k3f"


@pytest.mark.slow
async def test_at_rest_nothing_is_sent_to_the_terminal(
    tmp_path: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, sent = TuiApp(runs_dir=tmp_path / "runs"), list[str]()
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        await app.workers.wait_for_complete()
        await until(pilot, lambda: not screen._looking)
        await pilot.pause()
        with monkeypatch.context() as patch:
            patch.setattr(RunsTable, "refresh", lambda self, *regions, **options: sent.append("table"))
            patch.setattr(Static, "update", lambda self, *content, **options: sent.append(str(self.id)))
            screen._rest(Looked(0.0, None))
    assert sent == []


def test_a_study_alone_is_no_empty_folder(tmp_path: Path, runs: list[Run]) -> None:
    from core.tuning.listed import StudyList
    from tui.widgets.run_list import RunList

    listed = RunList()
    listed.apply_studies(StudyList(tmp_path / "runs").changes())
    assert [row.run.id[-3:] for row in listed.rows()] == ["k3f"]


def test_a_history_keeps_each_filter_once_the_latest_first() -> None:
    history = ["a", "b"]
    for text in ("b", " ", "c", *map(str, range(60))):
        remember(history, text)
    assert history[0] == "59"
    assert len(history) == 50


def test_columns_are_offered_by_what_was_typed() -> None:
    assert offered(["lr", "run"], "")[:2] == ["lr", "run"]
    assert "cfg.optimizer.momentum" in offered([], "momentum")
    assert offered([], "no such thing") == []


def test_tags_of_several_runs_are_added_and_taken_away() -> None:
    from core.runs.labels import RunLabels

    asked = Labelled(None, ("new", "b"), None, removed=("a",))
    assert changed_tags(RunLabels(tags=("a", "b")), asked) == ["b", "new"]


def test_settings_of_another_kind_have_their_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.json"
    monkeypatch.setenv("TUI_CONFIG", str(file))
    file.write_text(json.dumps({"columns": [1], "filters": "x"}))
    settings, damage = load_settings()
    assert (settings.columns, settings.filters) == ([], [])
    assert damage.endswith("columns, filters")
