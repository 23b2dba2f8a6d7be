"""Compare: runs are chosen, drawn, refreshed while they train, pinned and removed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from core.events import EpochFinished, StepLogged, to_json
from core.palette import MAX_MEMBERS, MAX_RUNS
from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.folder import Run
from core.runs.opening import is_test_open
from core.runs.summary import RunSummary
from tests.support.fixtures import WriteRun
from tests.support.narrow import instance
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.comparison import View, chart, score_text
from tui.charts.plot import Plot
from tui.runtime.compared_runs import ComparedRuns
from tui.screens.compare.charts import ChartPair
from tui.screens.compare.picker import PickRuns
from tui.screens.compare.screen import CompareScreen
from tui.screens.compare.tables import DifferencesPanel, StandingsPanel
from tui.screens.dialogs import Ask, HelpDialog
from tui.screens.runs.screen import RunsScreen
from tui.terminal.themes import SIGNS, sign_of
from tui.widgets.runs_table import RunsTable
from tui.widgets.table import Table

pytestmark = pytest.mark.slow

LARGE, SMALL = (160, 40), (80, 24)
Make = Callable[[], TuiApp]
NAMES = ("2026-01-02_0300_digits-mlp_abc", "2026-01-02_0301_digits-mlp_def", "2026-01-02_0302_digits-mlp_ghk")


@pytest.fixture
def runs(write_run: WriteRun) -> list[Run]:
    """Three runs on digits; the first one leads in loss, the second one in accuracy."""
    values: tuple[dict[str, Any], ...] = ({}, {"optimizer": {"lr": 0.5}}, {"optimizer": {"name": "adam"}})
    finals = (0.88, 0.9, None)
    return [
        write_run(name, [0.9, 0.6 + place / 10, 0.3 + place / 10], values=value, accuracy=final)
        for place, (name, value, final) in enumerate(zip(NAMES, values, finals, strict=True))
    ]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    return lambda: TuiApp(runs_dir=tmp_path / "runs")


async def opened(pilot: Pilot[Any], entries: int) -> CompareScreen:
    """Go to Compare, and wait until so many runs are shown."""
    app = instance(TuiApp, pilot.app)
    await until(pilot, lambda: app.current_mode in ("runs", "configure") and app.screen.is_current)
    await pilot.pause()
    app.action_go("compare")
    await until(pilot, lambda: isinstance(app.screen, CompareScreen) and len(app.screen.entries) == entries)
    await pilot.pause()
    return instance(CompareScreen, app.screen)


def row(screen: CompareScreen, place: int) -> list[str]:
    return [
        cell if isinstance(cell, str) else cell[0]
        for cell in screen.query_one("#standings", Table)._cells(place)
    ]


def shown(screen: Screen[Any], selector: str) -> str:
    return str(screen.query_one(selector, Static).content)


async def test_the_newest_runs_on_the_same_data_are_there_at_first(
    make: Make, runs: list[Run], write_run: WriteRun
) -> None:
    write_run("2026-01-01_0000_iris-mlp_old", [0.5], values={"data": {"name": "iris"}})
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        assert [entry.run.id for entry in screen.entries] == [run.id for run in reversed(runs)]
        plotted = screen.query_one("#first", Plot).chart
        assert len(plotted.series) == 3
        assert {mark.symbol for mark in plotted.marks} == {*SIGNS[:3], "★"}
        assert screen.query_one("#first-panel")._border_title == "validation loss by epoch"
        leader = row(screen, 2)
        assert leader[:5] == ["▲", "digits-mlp_abc", "✓ 3/3", "★ 0.3000", "3"]
        assert row(screen, 1)[5] == "★ 0.9028"
        assert leader[5] == "≈ 0.8819"
        assert leader[6].count("…") == 1
        assert row(screen, 0)[5:7] == ["–", ""]


async def test_test_is_asked_for_and_left_when_an_unopened_run_comes(
    make: Make, runs: list[Run], write_run: WriteRun
) -> None:
    for run in runs[:2]:
        shutil.copytree(run.evaluation_folder("validation"), run.evaluation_folder("test"))
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        app.compared.toggle(runs[1])
        screen.look()
        await until(pilot, lambda: len(screen.entries) == 2)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert "This run has not been opened on it yet" in instance(Ask, app.screen).question
        await pilot.press("escape")
        assert screen.split == "validation"
        assert not is_test_open(runs[0])
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.click("#answer-test")
        await until(pilot, lambda: screen.split == "test")
        assert is_test_open(runs[0])
        app.compared.toggle(runs[1])
        screen.look()
        await until(pilot, lambda: len(screen.entries) == 3)
        await until(pilot, lambda: screen.split == "validation")
        assert not is_test_open(runs[1])


async def test_settings_that_differ_are_listed_with_the_value_of_each_run(
    make: Make, runs: list[Run]
) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        panel = screen.query_one(DifferencesPanel)
        table = panel.query_one("#differences", Table)
        listed = {
            str(table._cells(at)[0]): [cell[0] for cell in table._cells(at)[1:]]
            for at in range(table.row_count)
        }
        assert listed["optimizer"] == ["adam", "momentum", "momentum"]
        assert listed["lr"][1:] == ["0.5", "0.01"]
        assert "batch_size" not in listed


async def test_keys_change_curve_axis_and_split(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        await pilot.press("m", "b", "b", "greater_than_sign", "l")
        title = screen.query_one("#first-panel")._border_title
        assert title == "validation accuracy by time  smooth 0.5"
        assert screen.query_one("#first", Plot).chart.x_label == "seconds"
        assert not screen.query_one("#first", Plot).chart.log_y
        await pilot.press("M")
        assert screen.query_one("#first", Plot).chart.log_y
        plots = screen.query_one(ChartPair).plots
        await pilot.press("plus")
        shown = {plot.window.x for plot in plots}
        assert len(shown) == 1, "both charts show the same part"
        assert None not in shown
        await pilot.press("0")
        assert {plot.window.x for plot in plots} == {None}
        await pilot.press("v")
        assert "none was evaluated on test" in str(screen.query_one(StandingsPanel).border_subtitle)
        await pilot.press("y")
        assert app.clipboard.startswith(f"tui compare {runs[2].id} ")
        assert "--split test" in app.clipboard


async def test_a_pinned_run_is_the_reference_and_stays_when_the_rest_is_let_go(
    make: Make, runs: list[Run]
) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        await pilot.press("down", "p")
        assert row(screen, 1)[1] == "digits-mlp_def ref"
        assert row(screen, 1)[5] == "★ 0.9028"
        assert row(screen, 2)[5] == "≈ -0.0208"
        await pilot.press("X")
        await until(pilot, lambda: len(screen.entries) == 1)
        assert screen.entries[0].run == app.compared.pinned == runs[1]
        assert row(screen, 0)[0] == "■"  # it keeps its sign
        await pilot.press("x")
        await until(pilot, lambda: not screen.entries)
        assert "Press a to choose runs" in shown(screen, "#compare-notice")
        assert screen.has_class("-nothing")


async def test_a_run_that_goes_on_is_followed(make: Make, runs: list[Run], write_run: WriteRun) -> None:
    running = write_run("2026-01-02_0303_digits-mlp_run", [0.9, 0.2], finished=False)
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 4)
        await pilot.press("end")
        before = {entry.run: entry for entry in screen.entries}
        event = EpochFinished(
            epoch=3,
            step=30,
            train={"loss": 0.1},
            validation={"loss": 0.01},
            lr=0.1,
            seconds=2.0,
            best_epoch=3,
            best_metrics={"loss": 0.01},
            epochs=5,
        )
        with running.log_file.open("a") as log:
            log.write(to_json(event, running.id) + "\n")
        await until(pilot, lambda: row(screen, 0)[3] == "★ 0.0100")
        after = {entry.run: entry for entry in screen.entries}
        assert [run for run in after if after[run] is not before[run]] == [running]
        assert screen.query_one("#standings", Table).cursor == 3


def table_of(app: TuiApp) -> RunsTable:
    """The runs that are listed, or that one can pick from."""
    return app.screen.query_one(RunsTable)


def runs_of(app: TuiApp) -> dict[str, RunSummary]:
    return instance(RunsScreen, app.screen).runs.all


async def test_runs_are_picked_in_a_window(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        await pilot.press("X", "a")
        await until(pilot, lambda: isinstance(app.screen, PickRuns) and len(table_of(app).rows) == 3)
        await pilot.press("space", "space")
        assert list(app.compared.slots) == [runs[2], runs[1]]
        assert table_of(app)._marks == {runs[2]: 0, runs[1]: 1}
        await pilot.press("home", "space")
        assert list(app.compared.slots) == [runs[1]]
        await pilot.press("slash", *"loss<0.35")
        await until(pilot, lambda: len(table_of(app).rows) == 1)
        await pilot.press(*"x")
        assert "✗" in shown(app.screen, "#pick-note")
        app.screen.query_one(Input).value = ""
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.screen is screen and len(screen.entries) == 1)
        assert screen.entries[0].run == runs[1]


async def test_runs_are_marked_in_the_list_of_runs(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        await until(
            pilot,
            lambda: (
                app.current_mode == "runs"
                and [len(table.rows) for table in app.screen.query(RunsTable)] == [3]
            ),
        )
        await pilot.press("space", "space")
        assert list(app.compared.slots) == [runs[2], runs[1]]
        assert "2 marked, 6 compares" in str(app.screen.query_one("#runs-panel").border_subtitle)
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and len(app.screen.entries) == 2)


async def test_a_mark_in_the_list_of_runs_takes_the_place_of_what_compare_chose_by_itself(
    make: Make, runs: list[Run]
) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot, 3)
        await pilot.press("1")
        await until(pilot, lambda: app.screen.is_current and app.screen.query("RunsTable"))
        await until(pilot, lambda: table_of(app).rows)
        assert table_of(app)._marks == {}
        await pilot.press("space")
        assert list(app.compared.slots) == [runs[2]]
        assert table_of(app)._marks == {runs[2]: 0}


async def test_the_runs_that_one_has_worked_with_in_compare_are_marked_in_the_list(
    make: Make, runs: list[Run]
) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot, 3)
        await pilot.press("p", "1")
        await until(pilot, lambda: app.screen.is_current and app.screen.query("RunsTable"))
        await until(pilot, lambda: len(table_of(app)._marks) == 3)
        await pilot.press("space")
        assert list(app.compared.slots) == [runs[1], runs[0]]


async def test_a_run_that_is_deleted_is_compared_no_more(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.current_mode == "runs" and len(runs_of(app)) == 3)
        await pilot.press("space", "space")
        await until(pilot, lambda: len(app.compared.slots) == 2)
        shutil.rmtree(runs[1].path)
        instance(RunsScreen, app.screen).look()
        await until(pilot, lambda: len(runs_of(app)) == 2)
        assert list(app.compared.slots) == [runs[2]]
        await pilot.press("x")
        await until(pilot, lambda: app.screen.query("#answer-delete"))
        await pilot.click("#answer-delete")
        await until(pilot, lambda: app.current_mode == "runs" and len(runs_of(app)) == 1)
        assert app.compared.slots == {}


async def test_runs_on_other_data_get_a_warning(make: Make, runs: list[Run], write_run: WriteRun) -> None:
    other = write_run("2026-01-03_0000_iris-mlp_[b]x", [0.5], values={"data": {"name": "iris"}})
    app = make()
    app.compared.add(runs[0])
    app.compared.add(other)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 2)
        line = shown(screen, "#compare-line")
        assert line.startswith("▲ not the same data: digits, iris: final metrics are not comparable")
        assert "[b]x" in line


async def test_small_screens_show_one_table_at_a_time(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, 3)
        panels = ("#standings-panel", "#differences-panel")

        def seen() -> list[bool]:
            return [screen.query_one(name).region.height > 0 for name in panels]

        assert seen() == [True, False]
        await pilot.press("t")
        await pilot.pause()
        assert seen() == [False, True]


async def test_a_folder_without_runs_says_how_to_begin(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, 0)
        await until(pilot, lambda: "No runs are compared" in shown(screen, "#compare-notice"))
        await pilot.press("m", "b", "x", "p", "v", "y", "e", "enter")
        assert app.screen is screen


async def test_a_run_that_was_deleted_meanwhile_is_damaged_not_a_crash(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 3)
        runs[0].log_file.unlink()
        await until(pilot, lambda: "damaged" in row(screen, 2)[-1])


def test_a_run_keeps_its_slot_and_there_are_eight() -> None:
    runs = [Run(Path(f"run {number}")) for number in range(MAX_RUNS + 1)]
    compared = ComparedRuns()
    assert [compared.toggle(run) for run in runs] == [True] * MAX_RUNS + [False]
    compared.toggle(runs[2])
    assert compared.slots[runs[3]] == 3
    assert compared.toggle(runs[8])
    assert compared.slots[runs[8]] == 2
    assert len({sign_of(slot) for slot in compared.slots.values()}) == MAX_RUNS


def test_more_groups_than_colours_have_signs_of_their_own() -> None:
    assert len({sign_of(slot) for slot in range(MAX_MEMBERS)}) == MAX_MEMBERS
    assert len({sign for sign, _ in map(sign_of, range(MAX_RUNS))}) == MAX_RUNS


def test_every_curve_ends_with_the_sign_of_its_run_and_the_chosen_one_lies_on_top(runs: list[Run]) -> None:
    entries = [EntryReader(run).read() for run in runs]
    drawn = chart(grouped(entries), "validation loss", View(axis="step", on_top=1), slots=[4, 0, 7])
    assert drawn.series[-1].label.endswith("def")
    assert drawn.series[-1].color == sign_of(0)[1]
    ends = {mark.symbol for mark in drawn.marks if mark.x == 30}
    assert ends == {SIGNS[4], SIGNS[0], SIGNS[7], "★"}
    assert chart([], "validation loss", View()).series == ()


def test_a_score_is_shown_with_its_rank_or_against_the_reference(runs: list[Run]) -> None:
    from core.runs.comparison.standings import standings

    accuracy = standings(grouped([EntryReader(run).read() for run in runs]), "validation")[0]
    assert [score_text(accuracy, place) for place in range(3)] == ["≈ 0.8819", "★ 0.9028", "–"]
    assert score_text(accuracy, 1, reference=0) == "★ +0.0208"
    assert score_text(accuracy, 0, reference=2) == "≈ 0.8819"


async def test_a_script_in_its_first_epoch_is_drawn_by_step_until_its_epochs_are_known(
    make: Make, runs: list[Run], write_run: WriteRun
) -> None:
    script = write_run("2026-01-02_0303_mine_xyz", [], finished=False)
    begun = {**json.loads(script.log_file.read_text()), "epochs": 0, "steps_per_epoch": 0}
    said = StepLogged(
        epoch=1, step=1234, train={"loss": 0.25}, lr=0.1, samples_per_second=0.0, time=begun["time"] + 2
    )
    script.log_file.write_text(f"{json.dumps(begun)}\n{to_json(said, script.id)}\n")
    app = make()
    for run in (script, runs[0]):
        app.compared.toggle(run)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot, 2)
        screen.metric = "train loss by step"
        screen.draw()
        panel = screen.query_one("#first-panel")
        assert str(Content.from_markup(str(panel.border_title))) == "train loss by step, over epochs"
        assert "until then, see by step" in screen.query_one("#first", Plot).chart.empty
        assert str(Content.from_markup(str(panel.border_subtitle))).endswith("0.2500 at step 1234")
        assert row(screen, 0)[2].endswith(" 0")  # of how many epochs is unknown
        assert row(screen, 0)[3:5] == ["★ 0.2500", "–"]
        await pilot.press("b")
        assert str(Content.from_markup(str(panel.border_title))) == "train loss by step"
        assert screen.query_one("#first", Plot).chart.series[0].x.tolist() == [1234]


async def test_what_a_key_does_is_told_in_lines_of_one_margin(make: Make, runs: list[Run]) -> None:
    app = make()
    async with app.run_test(size=(60, 24)) as pilot:
        await opened(pilot, 3)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.pause()
        meanings = app.screen.query(".meaning")
        assert {text.region.x for text in meanings} == {meanings.first().region.x}
        assert max(text.size.height for text in meanings) > 1
        assert all(
            key.size.width >= len(str(key.content)) for key in app.screen.query(".key").results(Static)
        )
