"""The load of the machine in Live, the terminal's title and its bell, and logs of other tools on the screen."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import RunError
from core.events import SystemSampled
from core.interop.readers.following import ForeignLog
from core.interop.readers.logs import find_log
from core.interop.writer import RunWriter
from core.runs.folder import Run
from core.runs.log import EventLog
from tests.support.narrow import instance, some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.runtime.foreign_host import ForeignHost
from tui.screens.live.screen import LiveScreen


class App(TuiApp):
    """Notes what it would tell the terminal beside its screen."""

    def __init__(self, runs_dir: Path, follow: Run | ForeignLog) -> None:
        super().__init__(runs_dir=runs_dir, follow=follow)
        self.titles: list[str] = []
        self.bells: list[str] = []

    def bell(self) -> None:
        self.bells.append(some(self.feed).status)

    def set_terminal_title(self, text: str) -> None:
        super().set_terminal_title(text)
        self.titles.append(text)


Opened = Callable[[Run | ForeignLog], App]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Makes an app that follows a run."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setenv("TUI_SYSTEM", "0")
    return lambda follow: App(tmp_path / "runs", follow)


def sampled(run: RunWriter, gpu: float | None = None) -> None:
    log = EventLog(run.run)
    for minute in range(3):
        moment = time.time() + 60 * minute
        log.write(SystemSampled(time=moment, cpu=10.0 * minute, memory=40.0, process=1 << 30, gpu=gpu))
    log.close()


def is_live(app: TuiApp) -> object:
    return isinstance(app.screen, LiveScreen) and some(app.feed).history.epoch


@pytest.mark.slow
@pytest.mark.parametrize(("size", "at_first"), [((200, 60), True), ((120, 40), False), ((80, 24), False)])
async def test_the_load_is_shown_where_there_is_room_or_by_a_key(
    opened: Opened, tmp_path: Path, size: tuple[int, int], at_first: bool
) -> None:
    with RunWriter("load", runs_dir=tmp_path / "runs") as run:
        run.epoch({"loss": 1.0, "accuracy": 0.5})
        sampled(run, gpu=80.0)
        app = opened(run.run)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: is_live(app) and "gpu" in some(app.feed).history.system)
            instance(LiveScreen, app.screen).draw()
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
            assert app.screen.query_one("#chart-2-panel").display == (size[0] > 80)
            await pilot.press("m")
            await pilot.pause()
            assert not panel.display


@pytest.mark.slow
async def test_title_and_bell_tell_how_a_followed_run_stands(opened: Opened, tmp_path: Path) -> None:
    run = RunWriter("named", runs_dir=tmp_path / "runs", epochs=4)
    run.epoch({"loss": 1.0})
    app = opened(run.run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: any("running 1/4 named_" in title for title in app.titles))
        assert app.bells == []
        run.close("failed", "out of cheese")
        await until(pilot, lambda: app.bells)
        assert any("failed 1/4 named_" in title for title in app.titles)
    assert app.bells == ["failed"]


@pytest.mark.slow
async def test_no_bell_for_what_had_ended_before(opened: Opened, tmp_path: Path) -> None:
    with RunWriter("old", runs_dir=tmp_path / "runs") as run:
        run.epoch({"loss": 1.0})
    app = opened(run.run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: any("completed" in title for title in app.titles))
        await pilot.pause(0.3)
    assert app.bells == []


def test_a_log_in_this_folder_has_the_folders_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "version_3"
    folder.mkdir()
    (folder / "metrics.csv").write_text("step,train_loss\n1,0.9\n")
    monkeypatch.chdir(folder)
    assert {ForeignHost(find_log(Path(name))).name for name in ("metrics.csv", ".")} == {"version_3"}


@pytest.mark.slow
async def test_a_log_of_another_tool_is_followed(opened: Opened, tmp_path: Path) -> None:
    table = tmp_path / "version_3" / "metrics.csv"
    table.parent.mkdir()
    table.write_text("step,train_loss,val_loss\n1,0.9,\n2,,0.8\n")
    app = opened(find_log(table))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: is_live(app))
        assert (some(app.feed).status, some(app.feed).host.name) == ("running", "version_3")
        with table.open("a") as file:
            file.write("3,0.7,\n4,,0.6\n")
        await until(pilot, lambda: some(app.feed).history.epoch == 2)
        instance(LiveScreen, app.screen).draw()
        assert app.screen.query_one("#chart-1", Plot).chart.series[1].y.tolist() == [0.8, 0.6]
        with pytest.raises(RunError, match="written by another tool"):
            some(app.feed).host.request("stop")
        instance(ForeignHost, some(app.feed).host)._latest = 0.0
        assert some(app.feed).status == "stopped"
        await pilot.press("e", "d", "c")
