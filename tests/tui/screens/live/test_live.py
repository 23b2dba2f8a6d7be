"""Watching a run: start, pause, step through epochs, stop, and what goes wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.widget import Widget

from core.errors import TorchtuiError
from core.events import Notice
from core.interop.readers.logs import find_log
from core.runs.folder import all_runs
from core.runs.log import EventLog
from core.runs.summary import summarise
from tests.support.narrow import instance, some
from tests.support.own_metrics import write_own_metrics
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.live import View, metric_chart, subtitle
from tui.charts.plot import Plot
from tui.runtime.feed import FrameBudget
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.log_host import LogHost
from tui.screens.dialogs import Ask, ErrorDialog
from tui.screens.live.epoch_table import EpochTable
from tui.screens.live.screen import LiveScreen
from tui.screens.live.status_line import StatusLine
from tui.terminal.text import number
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.confusion import ConfusionGrid

SIZE = (120, 40)
Make = Callable[..., TuiApp]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))

    def make(**values: Any) -> TuiApp:
        return TuiApp(runs_dir=tmp_path / "runs", values=values, start=True)

    return make


def live(app: TuiApp) -> LiveScreen:
    assert isinstance(app.screen, LiveScreen)
    return app.screen


def shown_messages(app: TuiApp) -> str:
    return str(live(app).query_one("#messages").render())


@pytest.mark.slow
async def test_a_run_is_watched_to_its_end(make: Make) -> None:
    app = make(training={"epochs": 3})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        screen = live(app)
        screen.draw()
        offered = {key for key, active in screen.active_bindings.items() if active.enabled}
        assert "e" in offered
        assert not offered & {"space", "s", "c", "d"}  # there is nothing left to pause, stop, save or detach
        loss = screen.query_one("#chart-1", Plot).chart
        assert [series.label for series in loss.series] == ["train", "validation"]
        assert loss.series[1].x.tolist() == [1.0, 2.0, 3.0]
        assert [mark.symbol for mark in loss.marks] == ["★"]
        assert [row.event.epoch for row in screen.query_one(EpochTable).rows] == [1, 2, 3]
        await pilot.press("comma", "comma")
        assert screen.chosen_epoch == 1
        assert "epoch 1" in str(screen.query_one("#confusion-panel").border_title)
        await pilot.press("full_stop", "full_stop", "full_stop")
        assert screen.chosen_epoch == 0
        await pilot.press("l", "greater_than_sign", "z")
        assert screen.query_one("#chart-1", Plot).chart.log_y
        assert (screen.view.smoothing, screen.zoom) == (1, 1)


@pytest.mark.slow
async def test_only_what_changed_is_drawn_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(training={"epochs": 3})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        screen = live(app)
        screen.draw()
        await pilot.pause()
        drawn: list[str | None] = []
        for widget in screen.query("*"):
            refresh = widget.refresh

            def noted(
                *regions: Region, refresh: Any = refresh, name: str | None = widget.id, **options: bool
            ) -> Widget:
                drawn.append(name)
                return instance(Widget, refresh(*regions, **options))

            monkeypatch.setattr(widget, "refresh", noted)
        screen.draw()
        assert set(drawn) <= {"status", "facts"}  # the memory of this process may be another
        await pilot.press("comma")
        assert {"confusion", "epochs"} <= set(drawn)


@pytest.mark.slow
async def test_pause_checkpoint_and_stop(make: Make, tmp_path: Path) -> None:
    # Products of large matrices leave the interpreter to the app, which many small steps would not.
    large = {"name": "mlp", "hidden": [1024, 1024]}
    app = make(model=large, training={"epochs": 1_000_000, "batch_size": 512, "threads": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.history.step > 0)
        assert {"space", "s", "c", "d"} <= app.screen.active_bindings.keys()
        await pilot.press("space")
        await until(pilot, lambda: some(app.feed).status == "paused")
        await pilot.press("space")
        await until(pilot, lambda: some(app.feed).status == "running")
        await pilot.press("c")
        await until(pilot, lambda: some(some(app.feed).host.run).checkpoint_file("last").exists())
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("escape")
        assert some(app.feed).status == "running"
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.click("#answer-stop")
        await until(pilot, lambda: some(app.feed).status == "stopped")
    (run,) = all_runs(tmp_path / "runs")
    assert summarise(run).status == "stopped"


@pytest.mark.slow
async def test_a_second_start_is_refused_while_one_runs(make: Make) -> None:
    from core.config.schema import from_dict

    app = make(training={"epochs": 1_000_000})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.history.step > 0)
        first = some(app.feed)
        app.start_run(from_dict({}))
        assert app.feed is first
        app.stop_training()
        assert first.status == "stopped"
        app.start_run(from_dict({"training": {"epochs": 1}}))
        assert app.feed is not first
        await until(pilot, lambda: some(app.feed).status == "completed")


@pytest.mark.slow
async def test_what_does_not_fit_is_told_in_a_dialog_and_the_app_lives_on(make: Make, tmp_path: Path) -> None:
    app = make(data="iris", model="cnn")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "cnn takes images" in instance(TorchtuiError, instance(ErrorDialog, app.screen).error).message
        screen = instance(LiveScreen, app.screen_stack[0])
        screen.draw()
        status = screen.query_one(StatusLine)
        assert status.render_line(0).text.split() == ["new", "run", "✗", "failed"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: "cnn takes images" in shown_messages(app))
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "runs")
    assert all_runs(tmp_path / "runs") == []


@pytest.mark.slow
async def test_an_exception_while_training_becomes_a_dialog_with_its_traceback(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("[red]division[/]\x1b[31m")

    monkeypatch.setattr("core.training.learner.validate", broken)
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("t")
        assert app.screen.query_one("#trace").display
        assert "ZeroDivisionError" in instance(ErrorDialog, app.screen).trace
        await pilot.press("escape")
        assert some(app.feed).status == "failed"
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await until(pilot, lambda: "failed: ZeroDivisionError: [red]division[/]" in shown_messages(app))
    (run,) = all_runs(tmp_path / "runs")
    assert summarise(run).status == "failed"


@pytest.mark.slow
async def test_divergence_brings_the_messages_to_the_front(make: Make) -> None:
    app = make(data="wine", model="mlp", optimizer={"lr": 1e30})
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "diverged")
        await until(pilot, lambda: live(app).query_one("#messages-panel").has_class("-chosen"))
        live(app).draw()
        assert any(mark.symbol == "✗" for mark in live(app).query_one("#chart-2", Plot).chart.marks)


@pytest.mark.slow
async def test_class_names_are_text_wherever_they_come_from(make: Make) -> None:
    app = make(data="wine", training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        names = ["[red]x[/]", "\x1b[31mred", "日本"]
        some(some(app.feed).history.started).classes[:] = names
        live(app).draw()
        await pilot.pause()
        picture = app.export_screenshot()
        assert "\x1b" not in picture
        assert len(live(app).query_one(ConfusionGrid).render_line(1).text) > 0


@pytest.mark.slow
async def test_the_loss_of_the_best_epoch_is_the_best_loss_only_where_loss_chose_it(make: Make) -> None:
    app = make(data="iris", training={"epochs": 3, "monitor": "accuracy"})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        history = some(app.feed).history
        best, at = history.best_metrics, f"at epoch {history.best_epoch}"
        assert subtitle(history, "accuracy") == f"best {number(best['accuracy'])} {at}"
        assert subtitle(history, "loss") == f"{number(best['loss'])} {at} (best by accuracy)"
        for metric in ("loss", "accuracy"):
            (star,) = metric_chart(history, metric, View()).marks
            assert (star.x, star.y) == (history.best_epoch, best[metric]), "where the subtitle says"


@pytest.mark.slow
async def test_metrics_of_the_user_s_own_have_a_chart_and_a_column(make: Make, tmp_path: Path) -> None:
    own = write_own_metrics(tmp_path)
    metrics = [f"{own}Cost", "roc_auc", f"{own}never"]
    app = make(data="breast_cancer", training={"epochs": 3, "metrics": metrics, "monitor": "Cost"})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        screen = live(app)
        screen.draw()
        panel, shown = screen.query_one("#chart-2-panel", ChartPanel), []
        for _ in range(5):
            shown.append(str(panel.border_title).split()[0])
            await pilot.press("v")
        assert shown == ["Cost", "accuracy", "ROC", "never", "Cost"], "the monitored one comes first"
        history = some(app.feed).history
        values = [row.event.validation["Cost"] for row in history.epochs]
        assert history.best_epoch == values.index(min(values)) + 1
        assert subtitle(history, "Cost") == f"best {number(min(values))} at epoch {history.best_epoch}"
        assert subtitle(history, "never") == ""
        table = screen.query_one(EpochTable)
        assert table._head(120).split()[-8:] == ["val", "acc", "Cost", "ROC", "AUC", "never", "seconds", "lr"]
        assert table._row(history.epochs[0], 120).replace("★", " ").split()[7] == "–"
        assert history.diverged_at is None


@pytest.mark.heavy
async def test_a_background_process_looks_the_same(make: Make) -> None:
    from core.config.schema import from_dict

    app = make(training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        app.start_run(from_dict({"training": {"epochs": 4}}), Background())
        await until(pilot, lambda: some(app.feed).status == "completed")
        live(app).draw()
        assert live(app).query_one("#chart-1", Plot).chart.series[1].x.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.heavy
async def test_a_background_process_that_cannot_begin_says_why(make: Make) -> None:
    from core.config.schema import from_dict

    app = make(training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        app.start_run(from_dict({"data": "iris", "model": "cnn"}), Background())
        await until(pilot, lambda: some(app.feed).status == "failed")
        await until(pilot, lambda: "cnn takes images" in shown_messages(app))


@pytest.mark.slow
async def test_what_another_process_logs_is_shown_at_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the screen would look at the log by itself."""
    app = make(training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        run = some(some(app.feed).host.run)
        app.open_run(run)
        await until(pilot, lambda: some(app.feed).status == "completed" and live(app)._drawn is app.feed)
        monkeypatch.setattr(LiveScreen, "_tick", lambda screen: None)
        monkeypatch.setattr(FrameBudget, "charts_due", lambda budget: False)
        log = EventLog(run)
        log.write(Notice(level="info", message="from elsewhere"))
        log.close()
        await until(pilot, lambda: "from elsewhere" in shown_messages(app))


@pytest.mark.slow
async def test_a_run_that_has_ended_here_is_followed_anew(make: Make) -> None:
    """Another process may resume it, and only the log records that."""
    app = make(training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        run = some(some(app.feed).host.run)
        app.open_run(run)
        assert isinstance(some(app.feed).host, LogHost)
        await until(pilot, lambda: some(app.feed).status == "completed")
        feed = app.feed
        app.open_run(run)
        assert app.feed is feed


def offered(app: TuiApp) -> set[str]:
    return {active.binding.action for active in live(app).active_bindings.values() if active.enabled}


OF_A_RUN = {"pause", "stop", "checkpoint", "detach", "evaluate", "layers", "log_scale", "zoom", "machine"}


@pytest.mark.slow
async def test_without_a_run_nothing_is_offered_that_needs_one(make: Make) -> None:
    app = make()
    app._start_at_once = False
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.current_mode == "configure")
        await pilot.press("escape", "3")
        await until(pilot, lambda: app.current_mode == "live")
        assert not offered(app) & OF_A_RUN
        await pilot.press("y")
        assert not live(app).has_class("-layers")


@pytest.mark.slow
async def test_nothing_is_asked_of_another_tool(make: Make, tmp_path: Path) -> None:
    table = tmp_path / "version_3" / "metrics.csv"
    table.parent.mkdir()
    table.write_text("step,train_loss,val_loss\n1,0.9,\n2,,0.8\n")
    app = make(training={"epochs": 1})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        await pilot.press("y")
        assert live(app).has_class("-layers")
        app.open_run(find_log(table))
        await until(pilot, lambda: some(app.feed).status == "running")
        live(app).draw()
        assert offered(app) & OF_A_RUN == {"log_scale", "zoom", "machine"}
        assert not live(app).has_class("-layers")  # no key would lead back to the charts
        assert not app._notifications


async def test_the_next_mode_waits_for_the_first(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TuiApp, "_load", lambda app: None)
    app = make()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+pagedown")
        assert app.current_mode == "_default"
