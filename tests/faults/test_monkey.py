"""Random keys, clicks, wheels, resizes and pastes over every screen and dialog, while a run trains: it goes on.

``TUI_TEST_MONKEY=20000`` sends that many events, of which none may be a fault, and tells which dialogs were met;
``TUI_TEST_MONKEY_SEED`` sends others.
"""

import os
import random
import string
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.geometry import Size

from core.config import schema as configuration
from core.control import RunControl
from core.errors import TorchtuiError
from core.tuning.search.plan import make_plan
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune
from tests.support.fixtures import TrainRun, WriteRun
from tests.support.instant import Instant
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime.hosts.app_host import AppHost
from tui.screens.dialog import Dialog

pytestmark = pytest.mark.heavy

EVENTS = int(os.environ.get("TUI_TEST_MONKEY", "400"))
LONG = 5000
"""Events from which on a test tells what it met, and takes no fault."""
SEED = int(os.environ.get("TUI_TEST_MONKEY_SEED", "3"))
WORDS = """
up down left right tab shift+tab enter escape space pageup pagedown home end backspace delete ctrl+p slash
question_mark f1 comma full_stop plus minus asterisk right_square_bracket less_than_sign ctrl+r ctrl+s ctrl+o ctrl+l
ctrl+n ctrl+t ctrl+g ctrl+pagedown ctrl+pageup shift+left shift+right
"""
KEYS = [*WORDS.split(), *string.ascii_letters, *string.digits]
TRIPS = [
    "1 down* e",
    "1 down* w e|r|p|c|s",
    "1 space|x|n|v|t|asterisk|slash|p",
    "2 slash|question_mark|d|p|y|a|f",
    "2 ctrl+s|ctrl+o|ctrl+l|b|ctrl+d|w|ctrl+r",
    "3 P|Y|t|v|m|s|d|w|y|right_square_bracket",
    "4 v|P|w|slash|question_mark",
    "4 t* c|k|p|r|m|n|l|b|slash|enter",
    "4 t* c|k|p|r|m|n|l|b|slash|enter",
    "5 v R|a|w|slash|plus|c|o|g|h|s",
    "5 ctrl+o|ctrl+n|v|y",
    "6 a|p|P|m|g|t|X",
    "6 down* p down* c",
    "1 down* space down* space 6 c",
    "Q",
    "q",
    "ctrl+s",
    "ctrl+p t|e|q",
]
"""Ways to each screen and dialog: keys after Escape, one of several, a few times where a star stands."""
PASTES = ["0.1", "c\x1b[31m", "[bold]", "", "digits", "名前", "x" * 500]
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60), (300, 80), (20, 5)]


FAULTS: list[str] = []
MET = Counter[str]()
"""Tracebacks, and how often each dialog was opened."""
IRIS = {"data": "iris", "model": "mlp", "training": {"epochs": 2, "device": "cpu", "threads": 1}}


def fill(folder: Path, train_run: TrainRun) -> None:
    """Train runs of several tasks, and write two studies."""
    for data in ("digits", "breast_cancer", "diabetes"):
        train_run({"data": data, "training": {"epochs": 2, "baselines": "none"}})
    ranges = {"optimizer.lr": {"low": 0.001, "high": 0.1}, "model.dropout": {"low": 0.0, "high": 0.5}}
    for trials in (3, 6):
        plan = make_plan(configuration.from_dict(IRIS), ranges, method="random", trials=trials)
        tune(create_study(folder, plan), Instant(), emit=lambda event: None, control=RunControl())


@pytest.fixture
def app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_run: WriteRun, train_run: TrainRun
) -> Iterator[TuiApp]:
    """An app with a run that trains until the end of the test, and nothing that a key could start or stop."""

    def refuse(*given: object, **named: object) -> None:
        raise TorchtuiError("not in this test")

    request, survives, push = AppHost.request, TuiApp.survives, TuiApp.push_screen

    def ignore_stop(host: AppHost, wish: Any) -> None:
        if wish != "stop":
            request(host, wish)

    def keep_fault(app: TuiApp, error: Exception) -> bool:
        FAULTS.append("".join(traceback.format_exception(error)))
        if EVENTS >= LONG:
            print(FAULTS[-1], flush=True)
        return survives(app, error)

    def count_screen(app: TuiApp, screen: Any, *given: Any, **named: Any) -> Any:
        MET[type(screen).__name__] += 1
        return push(app, screen, *given, **named)

    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "runs", train_run)
    write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.6], accuracy=0.9)
    write_run("2026-01-03_0300_digits-mlp_abd", [0.8, 0.5], accuracy=0.8)
    for name in ("tui.app.handover.launch_in_background", "tui.runtime.study_process.launch"):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setattr("tui.app.handover.quit_after", lambda app, answer: None)
    monkeypatch.setattr(TuiApp, "leave", lambda app, message="": None)
    monkeypatch.setattr(TuiApp, "action_suspend_process", lambda app: None)
    monkeypatch.setattr(TuiApp, "survives", keep_fault)
    monkeypatch.setattr(TuiApp, "push_screen", count_screen)
    monkeypatch.setattr(AppHost, "request", ignore_stop)
    app = TuiApp(
        runs_dir=tmp_path / "runs",
        values={"data": "iris", "model": "mlp", "training": {"epochs": 1_000_000, "baselines": "none"}},
        start=True,
    )
    yield app
    if app.feed is not None:
        request(app.feed.host, "stop")  # type: ignore[arg-type]  # a run of this app
        app.feed.host.join(600)


def trip(chance: random.Random) -> Iterator[str]:
    """Yield the keys of a way to some screen."""
    yield from ["escape"] * 3
    for step in chance.choice(TRIPS).split():
        key = chance.choice(step.rstrip("*").split("|"))
        yield from [key] * (chance.randrange(9) if step.endswith("*") else 1)


def act(app: TuiApp, chance: random.Random) -> int:
    """Send one event, or some in one burst; return how many."""
    sent: list[events.Event] = []
    kinds = {"key": 50, "burst": 8, "trip": 15, "click": 20, "drag": 3, "wheel": 5, "paste": 4, "size": 4}
    kind = chance.choices([*kinds], [*kinds.values()])[0]
    x, y = chance.randrange(app.size.width), chance.randrange(app.size.height)
    if kind == "size":
        size = Size(*chance.choice(SIZES))
        sent.append(events.Resize(size, size))
    elif kind == "paste":
        sent.append(events.Paste(chance.choice(PASTES)))
    elif kind == "click":
        pressed = (events.MouseDown, events.MouseUp) * chance.choice([1, 1, 2])
        sent += [press(None, x, y, 0, 0, 1, False, False, False) for press in pressed]
    elif kind == "drag":
        to = chance.randrange(app.size.width)
        sent.append(events.MouseDown(None, x, y, 0, 0, 1, False, False, False))
        sent += [events.MouseMove(None, at, y, 1, 0, 1, False, False, False) for at in (x, to)]
        sent.append(events.MouseUp(None, to, y, 0, 0, 1, False, False, False))
    elif kind == "wheel":
        turn = chance.choice([events.MouseScrollUp, events.MouseScrollDown])
        sent += [turn(None, x, y, 0, 0, 0, False, False, False)] * chance.randrange(1, 5)
    else:
        keys = trip(chance) if kind == "trip" else chance.choices(KEYS, k=4 if kind == "burst" else 1)
        sent += [events.Key(key, key if len(key) == 1 else None) for key in keys]
    for event in sent:
        app.post_message(event)
    return len(sent)


async def test_no_event_ends_a_run(app: TuiApp) -> None:
    chance, sent, steps = random.Random(SEED), 0, 0
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "live" and app.training_here)
        while sent < EVENTS:
            sent, steps = sent + act(app, chance), steps + 1
            if EVENTS >= LONG and steps % 100 == 0:
                print(f"{sent} events, {len(FAULTS)} faults", flush=True)
            if steps % 5 == 0:  # some events are handled one by one, others pile up
                await pilot.pause()
        assert app.is_running
        assert app.training_here
        app._exception = None  # a fault was shown: which ones there are depends on how fast this machine is
    if EVENTS >= LONG:
        print(f"{sent} events, {len(FAULTS)} faults, dialogs: {dict(MET.most_common())}")
        assert not FAULTS
        print(f"not met: {sorted({kind.__name__ for kind in leaves(Dialog)} - set(MET))}")


def leaves(kind: type[Any]) -> Iterator[type[Any]]:
    """Yield the subclasses of a class that have none themselves."""
    for each in kind.__subclasses__():
        yield from leaves(each) if each.__subclasses__() else (each,)
