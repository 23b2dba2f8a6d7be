"""Runs written by a user's own script, on the screens."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import RunWriter
from tests.support.narrow import instance, some
from tests.support.screen import screen_text
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.screens.dialogs import ErrorDialog
from tui.screens.live.screen import LiveScreen
from tui.screens.runs.run_actions import possible_actions
from tui.screens.runs.screen import RunsScreen
from tui.widgets.runs_table import RunsTable

SIZE = (120, 40)
Make = Callable[..., TuiApp]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    return lambda **options: TuiApp(runs_dir=tmp_path / "runs", **options)


def write(tmp_path: Path, epochs: int = 2) -> RunWriter:
    run = RunWriter("mine", {"lr": 0.1, "depth": 3}, runs_dir=tmp_path / "runs")
    for epoch in range(1, epochs + 1):
        run.log(loss=1 / epoch, perplexity=9.0)
        run.epoch(validation={"loss": 1 / epoch, "perplexity": 5.0}, confusion=[[1, 0], [0, 1]])
    return run


@pytest.mark.slow
async def test_it_is_followed_live_to_its_end(make: Make, tmp_path: Path) -> None:
    with write(tmp_path) as run:
        app = make(follow=run.run)
        async with app.run_test(size=SIZE) as pilot:
            await until(
                pilot, lambda: isinstance(app.screen, LiveScreen) and some(app.feed).history.epoch == 2
            )
            instance(LiveScreen, app.screen).draw()
            await pilot.pause()
            assert some(app.feed).status == "running"
            assert app.screen.query_one("#chart-2", Plot).chart.series[0].label == "train"
            text = screen_text(app)
            assert all(words in text for words in ("epoch 2", "perplexity", "mine.py", "lr 0.1"))
            above_footer = text.rpartition("\n")[0]
            assert not any(
                words in above_footer for words in ("0 samples", "0 parameters", "0 threads", "left", " ? ")
            )
            run.epoch({"loss": 0.1})
            run.close()
            await until(pilot, lambda: some(app.feed).status == "completed")


@pytest.mark.slow
async def test_the_list_shows_it_and_says_why_it_cannot_go_on(make: Make, tmp_path: Path) -> None:
    run = write(tmp_path)
    run.close("stopped")
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query(RunsTable) and app.screen.query_one(RunsTable).rows)
        summary = app.screen.query_one(RunsTable).selected
        assert possible_actions(summary) >= {"resume", "evaluate", "delete"}
        assert "configure" not in possible_actions(summary)
        await until(pilot, lambda: "settings" in screen_text(app))
        instance(RunsScreen, app.screen).action_resume()
        await until(
            pilot, lambda: isinstance(app.screen, ErrorDialog) and "written by mine.py" in screen_text(app)
        )


async def test_a_script_that_told_no_settings_is_not_said_to_have_defaults(
    make: Make, tmp_path: Path
) -> None:
    RunWriter("mine", runs_dir=tmp_path / "runs").close()
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "settings none reported" in screen_text(app))


@pytest.mark.slow
async def test_what_the_script_evaluated_opens_and_what_needs_its_data_says_so(
    make: Make, tmp_path: Path
) -> None:
    run = write(tmp_path)
    run.predictions("validation", [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]] * 5, [0, 1, 1] * 5)
    run.close()
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query(RunsTable))
        app.evaluate_run(run.run)
        await until(pilot, lambda: "15 samples  as mine.py evaluated them" in screen_text(app))
        await pilot.press("T")  # from the first tab to the last, the slices
        await until(pilot, lambda: "Run mine.py again" in screen_text(app))
        await pilot.press("T")  # the mistakes
        await until(pilot, lambda: "was written by mine.py" in screen_text(app))


@pytest.mark.slow
async def test_evaluate_says_why_it_cannot(make: Make, tmp_path: Path) -> None:
    run = write(tmp_path)
    run.close()
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query(RunsTable))
        app.evaluate_run(run.run)
        await until(pilot, lambda: "was written by mine.py" in screen_text(app))
