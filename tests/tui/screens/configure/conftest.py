"""Configure in an app: the form when it is there, its fields, and what the user types."""

from pathlib import Path
from typing import Any, Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from core.config.schema import TrainConfig
from tests.support.narrow import some
from tests.support.screen import rendered
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime.hosts.host import Host
from tui.screens.configure import screen as configure
from tui.screens.configure.screen import ConfigureScreen

LARGE, SMALL = (120, 40), (80, 24)


class Recorder(TuiApp):
    """Notes what would be started."""

    started: tuple[TrainConfig, Host | None] | None = None

    def start_run(self, config: TrainConfig, host: Host | None = None) -> None:
        self.started = (config, host)


class Make(Protocol):
    """See the fixture `make`."""

    def __call__(self, values: dict[str, Any] | None = None) -> Recorder: ...


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes an app whose form holds some values."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(configure, "DEBOUNCE_SECONDS", 0.001)

    def make(values: dict[str, Any] | None = None) -> Recorder:
        return Recorder(runs_dir=tmp_path / "runs", data_root=tmp_path / "data", values=values or {})

    return make


def form_screen(app: App[Any]) -> ConfigureScreen | None:
    """The screen with the form; None before it is there."""
    return next((screen for screen in app.screen_stack if isinstance(screen, ConfigureScreen)), None)


async def built(pilot: Pilot[None]) -> ConfigureScreen:
    """Wait for the form."""
    await until(pilot, lambda: (screen := form_screen(pilot.app)) and screen.built)
    return some(form_screen(pilot.app))


async def settled(pilot: Pilot[None]) -> ConfigureScreen:
    """Wait for the form, and for the preview of what it says now."""
    screen = await built(pilot)
    await pilot.pause()
    await until(pilot, lambda: not screen.computing and screen.state.previewed)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return screen


async def put(pilot: Pilot[None], path: str, *keys: str) -> ConfigureScreen:
    """Focus a field, replace what is in it, and wait."""
    some(form_screen(pilot.app)).form.fields[path].editor.focus()
    await pilot.pause()
    await pilot.press(*keys)
    return await settled(pilot)


def shown(screen: Screen[Any], selector: str) -> str:
    """The text of a static widget."""
    return str(screen.query_one(selector, Static).content)


def row(screen: ConfigureScreen, path: str) -> str:
    """The text beside a field."""
    return rendered(screen.form.fields[path])
