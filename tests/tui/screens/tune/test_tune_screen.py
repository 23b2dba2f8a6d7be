"""Searching for hyper-parameters: the space is edited, a study runs in the background, its trials are shown."""

import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from core.config import schema as configuration
from core.errors import RunError
from core.runs.comparison.entries import Entry
from core.tuning.executors.protocol import Resources
from core.tuning.executors.where import Where
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.presence import Presence
from core.tuning.study.records import TrialRecord, TrialStatus
from core.tuning.study.study import create_study, open_study
from tests.support.fixtures import WriteRun
from tests.support.narrow import instance, some
from tests.support.screen import screen_text
from tests.support.slurm_answers import stand_in
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.explore.window import WHOLE
from tui.charts.study import best_chart, curves_chart, places, slice_chart
from tui.forms.search_form import default_search, review
from tui.forms.search_texts import Search
from tui.runtime import study_process
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.profiles import save_profile
from tui.runtime.hosts.slurm import Slurm
from tui.runtime.study_follower import Standing
from tui.runtime.study_process import is_worked_on
from tui.screens.compare.screen import CompareScreen
from tui.screens.configure.screen import ConfigureScreen
from tui.screens.dialogs import Ask
from tui.screens.run_in.section import RunIn
from tui.screens.tune.cluster_line import ClusterLine
from tui.screens.tune.dialogs import AskNumber, OpenStudy, SelectTrials, TryValues
from tui.screens.tune.screen import TuneScreen
from tui.screens.tune.trial_columns import columns_of, headline
from tui.screens.tune.trials_panel import TrialsPanel
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.choice import Choice, ChoiceList, Several
from tui.widgets.field import Field

LARGE, SMALL = (120, 40), (80, 24)
Make = Callable[[], TuiApp]
IRIS: dict[str, Any] = {
    "data": {"name": "iris"},
    "model": {"name": "mlp"},
    "training": {"epochs": 2, "threads": 1, "device": "cpu"},
}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))

    def make(values: dict[str, Any] = IRIS) -> TuiApp:
        return TuiApp(runs_dir=tmp_path / "runs", data_root=tmp_path / "data", values=values)

    return make


async def opened(pilot: Pilot[Any]) -> TuneScreen:
    """Go to Tune, and wait for its form."""
    app = instance(TuiApp, pilot.app)
    await until(pilot, lambda: app.current_mode in ("runs", "configure") and app.screen.is_current)
    await pilot.pause()
    app.action_go("tune")
    await until(pilot, lambda: isinstance(app.screen, TuneScreen) and app.screen.built)
    await pilot.pause()
    return instance(TuneScreen, app.screen)


async def put(pilot: Pilot[Any], path: str, text: str) -> None:
    """Replace what is in a row."""
    row = instance(TuneScreen, pilot.app.screen).editor.rows[path]
    row.editor.focus()
    await pilot.pause()
    await pilot.press("ctrl+u", *text)
    await pilot.pause()


def shown(screen: TuneScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).content)


def hint(screen: TuneScreen, path: str) -> str:
    return str(screen.editor.rows[path].query_one(".range-hint", Static).content)


@pytest.mark.slow
async def test_the_default_space_of_the_form_is_shown_with_its_command(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        ranges = {path: row.text for path, row in screen.editor.rows.items()}
        assert ranges == default_search(IRIS).ranges
        assert ranges["optimizer.lr"] == "log:0.0001..1"
        assert hint(screen, "optimizer.lr") == "log, 4 decades"
        assert shown(screen, "#search-state") == "✓ ready: 30 trials of 2 epochs, by bayes"
        command = shown(screen, "#command")
        assert command.startswith("tui tune --no-ui --data iris")
        assert "--trials 30 -p optimizer.lr=log:0.0001..1 " in command
        await pilot.press("escape", "y")
        assert app.clipboard == command


@pytest.mark.slow
async def test_what_starting_a_study_waits_for_is_told_with_the_share_that_is_done(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        screen.show_progress("decoding images", 4_000, 10_000)
        assert screen.starting_note == "decoding images 40 % ..."


@pytest.mark.slow
async def test_a_wrong_range_is_told_beside_its_field_and_keeps_a_study_from_starting(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await put(pilot, "optimizer.lr", "1..0.1")
        assert hint(screen, "optimizer.lr") == "✗ a range must increase, got 1..0.1"
        assert "Can't start: optimizer.lr: a range must increase" in shown(screen, "#search-state")
        assert screen.query_one("#start-search", Button).disabled
        await pilot.press("ctrl+r")
        assert not screen.starting
        await put(pilot, "optimizer.lr", "0.1..1")
        assert hint(screen, "optimizer.lr") == "any number"
        assert not screen.query_one("#start-search", Button).disabled


@pytest.mark.slow
async def test_fields_are_added_and_removed(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        screen.editor.rows["optimizer.lr"].editor.focus()
        await pilot.pause()
        await pilot.press("ctrl+d")
        assert "optimizer.lr" not in screen.editor.rows
        await pilot.press("ctrl+n")
        listed = screen.query_one(ChoiceList)
        names = [str(option.prompt).split()[0] for option in listed.options]
        assert "optimizer.lr" in names
        assert "model.hidden" not in names
        assert not any(name.startswith("data.") for name in names)
        listed.highlighted = names.index("optimizer.name")
        await pilot.press("enter")
        await until(pilot, lambda: "optimizer.name" in screen.editor.rows)
        assert "enter a range" in hint(screen, "optimizer.name")
        await pilot.press(*"adam,sgd")
        await pilot.pause()
        assert hint(screen, "optimizer.name") == "2 values"
        # The fields of a searched name can be searched too.
        assert "optimizer.beta1" in screen.editor.adder.labels
        await pilot.click(screen.editor.rows["optimizer.name"].query_one(".range-remove"))
        await until(pilot, lambda: "optimizer.name" not in screen.editor.rows)


@pytest.mark.slow
async def test_a_grid_says_its_size_first(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        screen.query(Field).first().editor.focus()
        await pilot.press("enter", "g", "enter")
        await until(pilot, lambda: screen.search.method == "grid" and screen.state.plan is not None)
        assert "combinations, all of them" in shown(screen, "#search-state")
        await put(pilot, "optimizer.lr", "log:1e-4..1")
        assert "a grid needs choices or a step" in hint(screen, "optimizer.lr")


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("optimizer.lr", "log:1e-4..1:1.0000001", "more than 1,000 values"),
        ("training.batch_size", "1..1000000", "1,000,000 values are too many for a grid"),
        ("optimizer.lr", "1..", "takes a number"),
        ("optimizer.lr", "", "enter a range"),
    ],
)
def test_what_one_types_never_holds_up_the_screen(path: str, text: str, told: str) -> None:
    state = review({}, Search({path: text}, method="grid", trials="all"))
    assert state.plan is None
    assert told in state.problems[path]


def test_a_form_that_is_wrong_is_said_to_be(make: Make) -> None:
    state = review({"optimizer": {"name": "sgd", "lr": "x"}}, default_search({}))
    assert state.plan is None
    assert "optimizer.lr in the form" in state.sentence


@pytest.mark.slow
@pytest.mark.heavy
async def test_a_study_goes_on_by_itself_and_its_best_trial_opens(make: Make, tmp_path: Path) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        for path in list(screen.editor.rows)[1:]:
            await screen.editor.remove_row(screen.editor.rows[path])
        await choose(pilot, "method", "random")
        instance(Input, setting(screen, "trials").editor).value = "3"
        await until(pilot, lambda: "ready: 3 trials" in shown(screen, "#search-state"))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: screen.standing is not None)
        assert screen.view == "study"
        await until(pilot, lambda: some(screen.standing).status == "completed")
        folder = some(screen.standing).folder
        assert not is_worked_on(folder)
        panel = screen.query_one(TrialsPanel)
        assert len(panel.rows) == 3
        assert [record.state for record in panel.rows] == ["completed"] * 3
        values = [some(record.value) for record in panel.rows]
        assert values == sorted(values)
        assert panel._cells(0)[0] == f"★ {some(screen.standing).best}"
        assert panel._cells(0)[1][0] == "✓ completed"
        assert "completed  3/3  ★ loss" in shown(screen, "#study-facts")
        best = screen.query_one("#best-panel", ChartPanel).plot
        assert len(best.chart.series) == 2
        best.focus()
        await pilot.press("right", "plus")
        await until(pilot, lambda: best.window.cross is not None and best.window.x is not None)
        await pilot.press("0")
        await until(pilot, lambda: best.window == WHOLE)

        panel.table.focus()
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AskNumber))
        await pilot.press("ctrl+u", "1", "enter")
        await until(pilot, lambda: some(screen.standing).done == 4 and not some(screen.standing).active)
        assert len(panel.rows) == 4

        chosen = some(panel.selected)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ConfigureScreen))
        assert app.form_values["optimizer"]["lr"] == chosen.params["optimizer.lr"]

        app.action_go("tune")
        await until(pilot, lambda: app.screen is screen)
        panel.table.focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "live")
        assert some(some(app.feed).host.run).path == chosen.run


def entries_of(app: TuiApp) -> list[Entry]:
    return instance(CompareScreen, app.screen).entries


@pytest.mark.slow
async def test_the_best_trials_are_compared(make: Make, standing: Standing, write_run: WriteRun) -> None:
    runs = {
        record.number: write_run(f"trial_{record.number:04}", record.curve) for record in standing.records
    }
    records = tuple(replace(record, run=runs[record.number].path) for record in standing.records)
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await app.workers.wait_for_complete()
        screen.standing = replace(standing, records=records)
        screen.show_study()
        screen.show_standing()
        await pilot.pause()
        await pilot.press("C")
        await until(pilot, lambda: app.current_mode == "compare" and len(entries_of(app)) == 2)
        assert [entry.run for entry in entries_of(app)] == [runs[2], runs[0]]


@pytest.fixture
def damaged(tmp_path: Path) -> None:
    """A study of a name with markup in it, whose storage is no database, and one without any."""
    for name, content in (("study_2026-01-01_0900_[b]x", b"no database at all" * 100), ("study_empty", None)):
        folder = StudyFolder(tmp_path / "runs" / name)
        folder.trials_dir.mkdir(parents=True)
        if content:
            folder.database.write_bytes(content)


@pytest.mark.slow
async def test_a_damaged_study_is_told_and_another_one_can_be_opened(make: Make, damaged: None) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.problem)
        await pilot.press("ctrl+t")
        assert shown(screen, "#study-notice").startswith("✗ ")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, OpenStudy))
        names = list(instance(OpenStudy, app.screen).studies)
        assert names == ["study_2026-01-01_0900_[b]x", "study_empty"]
        screen.problem = ""
        await pilot.press("enter")
        await until(pilot, lambda: screen.problem)
        assert "cannot" in screen.problem


@pytest.mark.slow
async def test_a_network_that_nobody_has_named_is_asked_for_before_a_study_of_it(
    make: Make, tmp_path: Path
) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'was_run')!r}, 'w')\n")
    base = configuration.from_dict({**IRIS, "model": f"{evil}:Net"})
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        screen.start(make_plan(base, {"optimizer.lr": [0.1, 0.2]}))
        await until(pilot, lambda: isinstance(app.screen, Ask) and bool(app.screen.query("#answer-no")))
        assert str(evil) in instance(Ask, app.screen).question
        app.screen.query_one("#answer-no", Button).press()
        await until(pilot, lambda: app.screen is screen)
        assert not screen.starting
    assert not (tmp_path / "was_run").exists()


@pytest.mark.slow
async def test_a_storage_that_a_folder_names_is_opened_once_the_user_agrees(
    make: Make, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    plan = make_plan(configuration.from_dict(IRIS), {"optimizer.lr": [0.1, 0.2]})
    study = create_study(tmp_path / "runs", plan, f"sqlite:///{elsewhere}")
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: "is not opened without being asked for" in screen.problem)
        for answer in ("leave", "connect"):
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(app.screen, OpenStudy))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Ask))
            assert screen.standing is None
            app.screen.query_one(f"#answer-{answer}", Button).press()
            await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: screen.standing is not None)
        assert some(screen.standing).folder == study.folder


def trial(
    number: int, state: TrialStatus, value: float | None, curve: Sequence[float], **params: Any
) -> TrialRecord:
    return TrialRecord(number, state, params, value, len(curve), tuple(curve), seconds=1.0)


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """Three trials, the second one pruned."""
    config = configuration.from_dict(IRIS)
    plan = make_plan(
        config, {"optimizer.lr": {"low": 0.1, "high": 1}, "model.hidden": [[64], [32, 32]]}, trials=4
    )
    records = (
        trial(0, "completed", 0.5, [0.9, 0.5], **{"optimizer.lr": 0.1, "model.hidden": [64]}),
        trial(1, "pruned", 2.0, [2.0], **{"optimizer.lr": 0.9, "model.hidden": [64]}),
        trial(2, "completed", 0.3, [0.8, 0.3], **{"optimizer.lr": 0.3, "model.hidden": [32, 32]}),
    )
    return Standing(StudyFolder(tmp_path / "study_x"), plan, records, best=2)


def test_a_study_without_a_completed_trial_has_charts_that_say_so(standing: Standing) -> None:
    failed = replace(
        standing, records=(trial(0, "failed", None, []), trial(1, "running", None, [])), best=None
    )
    assert failed.status == "failed"
    charts = [
        best_chart(failed, True),
        curves_chart(failed, True, None),
        slice_chart(failed, "optimizer.lr", True),
    ]
    assert [chart.series for chart in charts] == [()] * 3


def test_the_charts_show_what_the_trials_were_worth(standing: Standing) -> None:
    pruned, points, best = best_chart(standing, False).series
    assert (list(pruned.x), list(pruned.y)) == ([1], [2.0])
    assert list(points.y) == [0.5, 0.3]
    assert list(best.y) == [0.5, 0.3, 0.3]
    curves = {series.label: list(series.y) for series in curves_chart(standing, False, chosen=0).series}
    assert curves == {"pruned": [2.0], "chosen": [0.9, 0.5], "best": [0.8, 0.3]}
    blown_up = replace(standing, records=(*standing.records, trial(3, "diverged", None, [1e9])))
    assert curves_chart(blown_up, False, None).y_range == (0.3, 2.0)
    waits = replace(standing, records=(*standing.records, trial(3, "paused", 1.0, [1.0])))
    assert best_chart(waits, False).series[0].label == "pruned or paused"
    assert [series.label for series in curves_chart(waits, False, None).series] == [
        *("pruned", "paused", "done", "best")
    ]
    chart = slice_chart(standing, "model.hidden", False)
    assert [list(series.x) for series in chart.series] == [[1], [1, 2]], (
        "the pruned one, and those that completed"
    )
    assert [(mark.x, mark.y) for mark in chart.marks] == [(2, 0.3)]
    assert places(standing.plan.space.domains["model.hidden"]) == "1 64  2 32, 32"


@pytest.mark.slow
async def test_the_table_sorts_and_small_screens_show_one_panel_at_a_time(
    make: Make, standing: Standing
) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await app.workers.wait_for_complete()
        screen.standing = standing
        screen.show_study()
        screen.show_standing()
        await pilot.pause()
        panel = screen.query_one(TrialsPanel)
        assert [record.number for record in panel.rows] == [2, 0, 1]
        assert "★ 0.3000" in shown(screen, "#study-facts")
        assert screen.query_one("#study-facts").size.height == 1
        trouble = (
            "its worker was killed, as where memory is full; --trial-memory GB runs fewer trials at once"
        )
        screen.standing = replace(standing, problem=trouble)
        screen.show_standing()
        await pilot.pause()
        assert trouble in " ".join(screen_text(app).split())
        screen.standing = standing
        screen.show_standing()
        await pilot.press("down")
        await pilot.press("o")
        assert [record.params["optimizer.lr"] for record in panel.rows] == [0.1, 0.3, 0.9]
        assert some(panel.selected).number == 0
        await pilot.press("O")
        assert [record.params["optimizer.lr"] for record in panel.rows] == [0.9, 0.3, 0.1]
        seen = []
        for _ in range(7):
            await pilot.press("t")
            seen.append([part.id for part in screen.query("StudyView Panel") if part.region.height > 0])
        assert seen == [
            ["best-panel"],
            ["curves-panel"],
            ["importance-panel"],
            ["slices-panel"],
            ["parallel-panel"],
            ["contour-panel"],
            ["trials-panel"],
        ]
        await pilot.press("h")
        assert [record.number for record in panel.rows] == [2, 0]
        await pilot.press("h", "slash")
        await until(pilot, lambda: isinstance(app.screen, SelectTrials))
        await pilot.press(*"lr=0.2..0.4", "enter")
        await until(pilot, lambda: app.screen is screen)
        assert "1 trial with lr 0.2..0.4" in str(screen.query_one("#parallel-panel").border_subtitle)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ConfigureScreen))
        assert app.form_values["training"]["epochs"] == 6
        app.action_go("tune")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AskNumber))
        await pilot.press("escape")


@pytest.mark.slow
async def test_a_study_of_another_process_is_paused_goes_on_and_is_stopped(
    make: Make, tmp_path: Path
) -> None:
    """One that some other process works on: here this one, which holds the lock of one."""
    study = create_study(
        tmp_path / "runs", make_plan(configuration.from_dict(IRIS), {"optimizer.lr": [1, 2]})
    )
    presence = Presence(study.folder, study.optuna)
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.standing is not None)
        assert (screen.view, some(screen.standing).status) == ("study", "running")
        assert {"pause", "stop"} <= screen.possible()
        await pilot.press("space")
        await until(pilot, lambda: some(screen.standing).status == "paused")
        assert bool(study.paused)
        assert "‖ paused" in shown(screen, "#study-facts")
        assert "unpause" in screen.possible()
        await pilot.press("space")
        await until(pilot, lambda: some(screen.standing).status == "running")
        assert not bool(study.paused)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("left", "enter")
        await until(pilot, lambda: study.last_stop != "")
        presence.close()
        await until(pilot, lambda: some(screen.standing).status == "stopped")
        assert {"pause", "stop"}.isdisjoint(screen.possible())


@pytest.mark.slow
async def test_a_trial_is_added_by_hand(make: Make, tmp_path: Path) -> None:
    ranges = {"optimizer.lr": {"low": 0.001, "high": 0.1}}
    study = create_study(tmp_path / "runs", make_plan(configuration.from_dict(IRIS), ranges, trials=3))
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.standing is not None)
        screen.show_study()
        await pilot.press("plus")
        await until(pilot, lambda: isinstance(app.screen, TryValues))
        await pilot.press(*"lr=5", "enter")
        said = str(app.screen.query_one("#trials-problem", Static).content)
        assert said.startswith("✗ optimizer.lr takes 0.001 to 0.1, got 5")
        await pilot.press("ctrl+u", *"lr=0.02", "enter")
        await until(pilot, lambda: some(screen.standing).records)
        (added,) = study.records()
        assert (added.origin, study.optuna.trials[0].system_attrs["fixed_params"]) == (
            "added by hand",
            {"optimizer.lr": 0.02},
        )


def setting(screen: TuneScreen, name: str) -> Field:
    return next(field for field in screen.query(Field) if field.spec.path == name)


async def choose(pilot: Pilot[Any], name: str, text: str) -> Field:
    """Choose something in a setting."""
    screen = instance(TuneScreen, pilot.app.screen)
    field = setting(screen, name)
    field.editor.focus()
    await pilot.press("enter")
    listed = screen.query_one(ChoiceList)
    listed.highlighted = [str(option.prompt).split()[0] for option in listed.options].index(text)
    await pilot.press("enter")
    await until(pilot, lambda: getattr(screen.search, name) == text)
    return field


@pytest.mark.slow
async def test_where_trials_train_is_chosen_with_their_number(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Any] = []
    monkeypatch.setattr(
        study_process, "launch", lambda folder, *given, **named: launched.append((given, named))
    )
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        instance(Input, setting(screen, "timeout").editor).value = "10m"
        await choose(pilot, "executor", "ray")
        await until(pilot, lambda: screen.search.jobs == "auto" and screen.given.seconds == 600)
        assert shown(screen, "#search-state") == "✓ ready: 30 trials of 2 epochs, by bayes, on a Ray cluster"
        assert "--timeout 10m" in shown(screen, "#command")
        assert "--executor ray -p" in shown(screen, "#command")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: launched)
        where = Where(None, None, "ray")
        assert launched == [((where, app.data_root), {"seconds": 600.0, "trials": None, "storage_url": None})]
        (first,) = open_study(app.runs_dir, "latest").records()
        assert (first.number, first.origin) == (0, "the current configuration")
        await until(pilot, lambda: screen.view == "study")
        await pilot.press("ctrl+t")
        await choose(pilot, "executor", "local")
        await until(pilot, lambda: screen.search.jobs == "1")
        assert "--executor" not in shown(screen, "#command")


@pytest.mark.slow
async def test_what_is_free_on_a_cluster_is_shown_before_a_study_starts(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Callable[[], bool]]] = []

    def ask(address: str, should_stop: Callable[[], bool]) -> str:
        asked.append((address, should_stop))
        if address != "auto":
            raise RunError("cannot reach a Ray cluster: nobody listens")
        return "3 of 4 CPUs and 0 of 1 GPU free"

    monkeypatch.setattr("tui.screens.tune.cluster_line.ask_cluster", ask)
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        line = screen.query_one(ClusterLine)
        assert not line.display
        own = ("gpus", "trial_memory", "ray_address", "gpus_per_trial")
        assert [setting(screen, name).display for name in own] == [True, True, False, False]
        await choose(pilot, "executor", "ray")
        await until(pilot, lambda: "none runs here: the study starts one" in str(line.content))
        address = instance(Input, setting(screen, "ray_address").editor)
        address.value = "there:6379"
        await until(pilot, lambda: "✗ cannot reach a Ray cluster: nobody listens" in str(line.content))
        address.value = "auto"
        await until(pilot, lambda: "cluster" in str(line.content) and "0 of 1 GPU free" in str(line.content))
        assert [setting(screen, name).display for name in own] == [False, False, True, True]
        await choose(pilot, "executor", "local")
        await until(pilot, lambda: not line.display)
        assert setting(screen, "ray_address").display, "what is wrong now can be seen"
        assert "only for the executor ray" in setting(screen, "ray_address").problem
        assert [address for address, _ in asked] == ["", "there:6379", "auto"]
        assert all(should_stop() for _, should_stop in asked), "nobody waits for the answer any more"


def test_a_study_on_a_cluster_says_what_is_free_and_what_a_trial_waits_for(tmp_path: Path) -> None:
    plan = make_plan(configuration.from_dict(IRIS), {"optimizer.lr": {"choices": [0.1, 0.2]}}, trials=2)
    records = tuple(TrialRecord(number, "running", {"optimizer.lr": 0.1}) for number in (0, 1))
    known = Resources("0 of 2 CPUs and 0 of 1 GPU free", "1 CPU and 0.5 GPU", (1,))
    standing = Standing(StudyFolder(tmp_path / "study"), plan, records, active=True, resources=known)
    said = headline(standing, roomy=True).plain
    assert "Ray: 0 of 2 CPUs and 0 of 1 GPU free, trial 1 waits for 1 CPU and 0.5 GPU" in said
    state = columns_of(standing)[1]
    assert [state.cell(record)[0] for record in records] == ["● running", "◌ waits for 1 CPU and 0.5 GPU"]
    assert state.column.width >= len("◌ waits for 1 CPU and 0.5 GPU")
    promoted = replace(records[0], promoted=12)
    state = columns_of(replace(standing, records=(promoted,), resources=None))[1]
    assert state.column.width == len("● promoted, resumed at 12")
    alone = replace(standing, resources=None)
    assert "Ray" not in headline(alone, roomy=True).plain


@pytest.mark.slow
async def test_a_study_is_submitted_to_slurm_with_a_profile_followed_and_stopped(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", "31\n")
    answer("squeue", "31_1|PENDING|Priority|N/A||0:00|1:00:00|gpu\n")
    save_profile("big", Slurm(partition="gpu", nodes=2))
    save_profile("elsewhere", Background())
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        assert not screen.query(RunIn)
        await choose(pilot, "executor", "slurm")
        await until(pilot, lambda: bool(screen.query(RunIn)))
        panel = screen.query_one(RunIn)
        assert not {"run_in", "run_in.nodes"} & {*panel.fields}
        panel.profile.editor.focus()
        await pilot.press("right")
        await until(pilot, lambda: "--executor slurm --partition gpu -p" in shown(screen, "#command"))
        assert [*instance(Choice, panel.profile.editor).labels] == ["–", "big"]
        panel.fields["run_in.time"].editor.focus()
        await pilot.press("x")
        await until(pilot, lambda: "Can't start: run_in.time" in shown(screen, "#search-state"))
        await pilot.press("backspace", "ctrl+r")
        await until(pilot, lambda: screen.view == "study" and screen.standing is not None)
        standing = some(screen.standing)
        assert standing.status == "pending"
        assert (
            " --nodes=1 --ntasks-per-node=1 --partition=gpu\n"
            in (standing.folder.path / "job.sh").read_text()
        )
        await until(pilot, lambda: "job 31" in shown(screen, "#study-facts"))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("left", "enter")
        await until(pilot, (tmp_path / "bin" / "scancel.asked").exists)


@pytest.mark.slow
async def test_runs_and_studies_are_chosen_by_name(make: Make, write_run: WriteRun) -> None:
    """The list stays open, and a second choice of a name takes it back."""
    app = make()
    first, second = write_run("2026-01-01_a", [0.5]), write_run("2026-01-02_b", [0.4])
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        several = instance(Several, setting(screen, "start_with").editor)
        await until(pilot, lambda: set(several.labels) == {first.id, second.id})
        several.focus()
        await pilot.press("enter")
        await until(pilot, lambda: bool(several.query(ChoiceList)))
        newest, oldest = several.labels
        await pilot.press("enter", "down", "enter")
        await until(pilot, lambda: screen.given.start_with == (newest, oldest))
        assert f"--start-with {newest} --start-with {oldest} -p" in shown(screen, "#command")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: screen.given.start_with == (newest,) and not several.query(ChoiceList))
        assert screen.focused is several


@pytest.mark.slow
async def test_a_study_does_not_begin_where_ray_is_missing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await choose(pilot, "executor", "ray")
        monkeypatch.setitem(sys.modules, "ray", None)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.screen is not screen)
        said = " ".join(str(each.content) for each in app.screen.query(Static))
        assert "Ray is not installed Install it with: pip install 'torchtui[ray]'" in said
        assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("jobs", "executor", "problem"),
    [
        ("auto", "local", ""),
        ("auto", "ray", ""),
        ("two", "ray", "enter a number ≥ 1, or auto"),
        ("0", "ray", "enter"),
    ],
)
def test_how_many_train_at_once(jobs: str, executor: str, problem: str) -> None:
    state = review({}, Search({"optimizer.lr": "1,2"}, executor=executor, jobs=jobs))
    assert state.problems.get("jobs", "").startswith(problem)
    assert bool(state.problems) == bool(problem)
    assert state.given.where.jobs is None


@pytest.mark.slow
async def test_digits_switch_modes_where_no_text_is_edited(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        assert screen.focused is screen.editor.method
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "configure")


@pytest.mark.slow
def test_the_background_process_is_known_by_its_lock_and_stops_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stand-in for the process of a study: one that does not work on any."""
    patient = tmp_path / "patient"
    patient.write_text("#!/bin/sh\nexec sleep 600\n")
    patient.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(patient))
    study = create_study(
        tmp_path / "runs", make_plan(configuration.from_dict(IRIS), {"optimizer.lr": [1, 2]})
    )
    folder = study.folder
    process = study_process.launch(folder, Where(jobs=1), None)
    assert study_process.is_worked_on(folder)
    with pytest.raises(RunError, match="already"):
        study_process.launch(folder, Where(jobs=1), None)
    study_process.stop(study)
    assert process.wait(timeout=600) == -signal.SIGTERM
    assert not study_process.is_worked_on(folder)


def test_the_last_words_of_a_process_that_failed_are_kept(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    console = tmp_path / "console.log"
    console.write_text('{"event": "trial_finished"}\nerror: the disk is full\n')
    assert study_process.last_words(folder) == "error: the disk is full"
    console.write_text('error: of yesterday\n{"event": "study_finished"}\n')
    assert study_process.last_words(folder) == ""


def test_pausing_and_stopping_come_first_of_all_keys_so_that_small_windows_list_them() -> None:
    bindings = some(TuneScreen._merged_bindings).key_to_bindings.values()
    listed = [binding.action for each in bindings for binding in each if binding.show]
    assert listed[:3] == ["pause", "unpause", "stop"]
