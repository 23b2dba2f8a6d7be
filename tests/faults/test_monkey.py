"""Random keys, clicks, resizes and pastes over every screen and dialog, while a run trains: it goes on.

``TUI_TEST_MONKEY=20000`` sends that many events, ``TUI_TEST_MONKEY_SEED`` others.
"""

import os
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from core.errors import TorchtuiError
from tests.support.fixtures import WriteRun
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime.hosts import AppHost

pytestmark = pytest.mark.heavy

EVENTS = int(os.environ.get("TUI_TEST_MONKEY", "400"))
SEED = int(os.environ.get("TUI_TEST_MONKEY_SEED", "3"))
KEYS = [
    "up",
    "down",
    "left",
    "right",
    "tab",
    "shift+tab",
    "enter",
    "escape",
    "space",
    "pageup",
    "pagedown",
    "home",
]
KEYS += [
    "end",
    "backspace",
    "delete",
    "ctrl+p",
    "slash",
    "question_mark",
    "f1",
    "comma",
    "full_stop",
    "ctrl+r",
]
KEYS += ["ctrl+pagedown", "ctrl+pageup", *string.ascii_lowercase, *string.digits]
PASTES = ["0.1", "c\x1b[31m", "[bold]", "", "digits", "名前", "x" * 500]
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60), (300, 80), (20, 5)]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_run: WriteRun) -> Iterator[TuiApp]:
    """An app with a run that trains until the end of the test, and nothing that a key could start or stop."""

    def refuse(*given: object, **named: object) -> None:
        raise TorchtuiError("not in this test")

    request = AppHost.request

    def ignore_stop(host: AppHost, wish: Any) -> None:
        if wish != "stop":
            request(host, wish)

    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    monkeypatch.chdir(tmp_path)
    write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.6], accuracy=0.9)
    write_run("2026-01-03_0300_digits-mlp_abd", [0.8, 0.5], accuracy=0.8)
    for name in ("tui.app.handover.launch_in_background", "tui.runtime.study_process.launch"):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setattr("tui.app.handover.quit_after", lambda app, answer: None)
    monkeypatch.setattr(TuiApp, "leave", lambda app, message="": None)
    monkeypatch.setattr(AppHost, "request", ignore_stop)
    app = TuiApp(
        runs_dir=tmp_path / "runs",
        values={"data": "iris", "training": {"epochs": 1_000_000, "baselines": "none"}},
        start=True,
    )
    yield app
    if app.feed is not None:
        request(app.feed.host, "stop")  # type: ignore[arg-type]  # a run of this app
        app.feed.host.join(600)


def act(app: TuiApp, chance: random.Random) -> None:
    """Send one event, or a few in one burst."""
    kind = chance.choices(["key", "burst", "click", "paste", "size"], [60, 10, 20, 5, 5])[0]
    if kind == "size":
        size = Size(*chance.choice(SIZES))
        app.post_message(events.Resize(size, size))
    elif kind == "paste":
        app.post_message(events.Paste(chance.choice(PASTES)))
    elif kind == "click":
        x, y = chance.randrange(app.size.width), chance.randrange(app.size.height)
        for press in (events.MouseDown, events.MouseUp) * chance.choice([1, 1, 2]):
            app.post_message(press(None, x, y, 0, 0, 1, False, False, False))
    else:
        for key in chance.choices(KEYS, k=1 if kind == "key" else 4):
            app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_no_event_ends_a_run(app: TuiApp) -> None:
    chance = random.Random(SEED)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "live" and app.training_here)
        for number in range(EVENTS):
            act(app, chance)
            await _rest(pilot, number)
        assert app.is_running
        assert app.training_here
        app._exception = None  # a fault was shown: which ones there are depends on how fast this machine is


async def _rest(pilot: Pilot[Any], number: int) -> None:
    """Let some events be handled one by one, and others pile up."""
    if number % 5 == 0:
        await pilot.pause()
