"""The load of the machine in Live, the terminal's title and its bell, and logs of other tools on the screen."""

import time
from pathlib import Path

import pytest

from core.errors import RunError
from core.events import SystemSampled
from core.interop.readers.logs import find_log
from core.interop.writer import RunWriter
from core.runs.log import EventLog
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.runtime.foreign_host import ForeignHost
from tui.screens.live.screen import LiveScreen


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """An app, and what it writes to the terminal beside its screen."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setenv("TUI_SYSTEM", "0")
    written, bells = [], []

    class App(TuiApp):
        def bell(self):
            bells.append(self.feed.status)

        def set_terminal_title(self, text):
            super().set_terminal_title(text)
            written.append(text)

    def opened(follow):
        return App(runs_dir=tmp_path / "runs", follow=follow)

    opened.titles, opened.bells = written, bells
    return opened


def sampled(run, gpu=None):
    log = EventLog(run.run)
    for minute in range(3):
        moment = time.time() + 60 * minute
        log.write(SystemSampled(time=moment, cpu=10.0 * minute, memory=40.0, process=1 << 30, gpu=gpu))
    log.close()


def is_live(app):
    return isinstance(app.screen, LiveScreen) and app.feed.history.epoch


@pytest.mark.slow
@pytest.mark.parametrize(("size", "at_first"), [((200, 60), True), ((120, 40), False), ((80, 24), False)])
async def test_the_load_is_shown_where_there_is_room_or_by_a_key(opened, tmp_path, size, at_first):
    with RunWriter("load", runs_dir=tmp_path / "runs") as run:
        run.epoch({"loss": 1.0, "accuracy": 0.5})
        sampled(run, gpu=80.0)
        app = opened(run.run)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: is_live(app) and "gpu" in app.feed.history.system)
            app.screen.draw()
            await pilot.pause()
            panel = app.screen.query_one("#system-panel")
            assert panel.display == at_first
            if not at_first:
                await pilot.press("m")
                await pilot.pause()
            assert panel.display
            assert panel.size.width > 20
            chart = app.screen.query_one("#system", Plot).chart
            assert [series.label for series in chart.series] == ["processor", "memory", "GPU"]
            assert chart.x_range[0] == 0
            assert chart.series[0].y.tolist() == [0.0, 10.0, 20.0]
            assert app.screen.query_one("#score-panel").display == (size[0] > 80)
            await pilot.press("m")
            await pilot.pause()
            assert not panel.display


async def test_title_and_bell_tell_how_a_followed_run_stands(opened, tmp_path):
    run = RunWriter("named", runs_dir=tmp_path / "runs", epochs=4)
    run.epoch({"loss": 1.0})
    app = opened(run.run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: any("running 1/4 named_" in title for title in opened.titles))
        assert opened.bells == []
        run.close("failed", "out of cheese")
        await until(pilot, lambda: opened.bells)
        assert any("failed 1/4 named_" in title for title in opened.titles)
    assert opened.bells == ["failed"]


async def test_no_bell_for_what_had_ended_before(opened, tmp_path):
    with RunWriter("old", runs_dir=tmp_path / "runs") as run:
        run.epoch({"loss": 1.0})
    app = opened(run.run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: any("completed" in title for title in opened.titles))
        await pilot.pause(0.3)
    assert opened.bells == []


def test_a_log_in_this_folder_has_the_folders_name(tmp_path, monkeypatch):
    folder = tmp_path / "version_3"
    folder.mkdir()
    (folder / "metrics.csv").write_text("step,train_loss\n1,0.9\n")
    monkeypatch.chdir(folder)
    assert {ForeignHost(find_log(Path(name))).name for name in ("metrics.csv", ".")} == {"version_3"}


@pytest.mark.slow
async def test_a_log_of_another_tool_is_followed(opened, tmp_path):
    table = tmp_path / "version_3" / "metrics.csv"
    table.parent.mkdir()
    table.write_text("step,train_loss,val_loss\n1,0.9,\n2,,0.8\n")
    app = opened(find_log(table))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: is_live(app))
        assert (app.feed.status, app.feed.host.name) == ("running", "version_3")
        with table.open("a") as file:
            file.write("3,0.7,\n4,,0.6\n")
        await until(pilot, lambda: app.feed.history.epoch == 2)
        app.screen.draw()
        assert app.screen.query_one("#loss", Plot).chart.series[1].y.tolist() == [0.8, 0.6]
        with pytest.raises(RunError, match="written by another tool"):
            app.feed.host.request("stop")
        app.feed.host._latest = 0.0
        assert app.feed.status == "stopped"
        await pilot.press("e", "d", "c")
