"""The queue of the app: the next run starts when the one before has ended, and the rest outlives the app."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.config.schema import TrainConfig, from_dict
from core.control import RunControl
from core.errors import RunError
from core.events import Event, RunFinished
from core.runs.folder import Run
from tests.support.narrow import instance, some
from tests.support.screen import question, screen_text
from tests.support.waiting import until
from tui.app import handover
from tui.app.app import TuiApp
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.queue import Waiting
from tui.runtime.user_queue import adding
from tui.runtime.user_queue.store import read_lineup
from tui.screens.dialogs import Ask, ErrorDialog
from tui.screens.live.screen import LiveScreen
from tui.screens.queue_dialog import QueueDialog

pytestmark = pytest.mark.slow


class Trained:
    """Stand-in for training: each run ends when it is told to, or fails at once where its name says so."""

    def __init__(self) -> None:
        self.may_end: dict[int, threading.Event] = {}

    def __call__(self, host: AppHost, emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        if host.given_name == "bad":
            raise RunError("the data are not there")
        host.note = ""
        self.may_end.setdefault(host.config.training.seed, threading.Event()).wait()
        emit(finished := RunFinished(status="completed"))
        return finished

    def end(self, seed: int) -> None:
        self.may_end.setdefault(seed, threading.Event()).set()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trained]:
    trained = Trained()
    monkeypatch.setattr(AppHost, "_work", lambda host, emit, control: trained(host, emit, control))
    yield trained
    for seed in range(10):
        trained.end(seed)


def of(seed: int) -> TrainConfig:
    return from_dict({"training": {"seed": seed}})


async def answer(pilot: Pilot[Any], app: TuiApp, key: str) -> None:
    """Press a button of the question, once it is there."""
    name = f"#answer-{key}"
    await until(
        pilot, lambda: isinstance(app.screen, Ask) and any(one.region for one in app.screen.query(name))
    )
    await pilot.click(name)


def seed_here(app: TuiApp) -> int:
    """The seed of the run that trains in the app; -1 if none does."""
    return instance(AppHost, some(app.feed).host).config.training.seed if app.training_here else -1


async def test_runs_wait_for_their_turn_and_the_rest_is_handed_over(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    app = TuiApp(runs_dir=tmp_path / "runs", values={"training": {"seed": 1}}, start=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: seed_here(app) == 1 and isinstance(app.screen, LiveScreen))
        app.start_run(of(2))
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert question(app) == "A run is training here."
        await answer(pilot, app, "queue")
        await until(pilot, lambda: len(app.waiting) == 1)
        app.enqueue(Waiting(of(3), "bad"), Waiting(of(4), "fourth"), Waiting(of(5), "fifth"))
        await until(pilot, lambda: "4 queued (Q)" in screen_text(app))

        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, QueueDialog))
        await pilot.press("end", "u", "u", "u")
        await until(pilot, lambda: app.waiting[0].given_name == "fifth")
        await pilot.press("home", "x")
        await until(pilot, lambda: len(app.waiting) == 3)
        await pilot.press("escape")
        assert [waiting.given_name for waiting in app.waiting] == ["", "bad", "fourth"]

        trained.end(1)
        await until(pilot, lambda: seed_here(app) == 2)
        trained.end(2)  # the one after it fails, and the one after that starts all the same
        await until(pilot, lambda: seed_here(app) == 4)
        await until(
            pilot, lambda: any("data are not there" in str(note.message) for note in app._notifications)
        )
        if isinstance(app.screen, ErrorDialog):
            await pilot.press("escape")

        app.enqueue(Waiting(of(6), "sixth"))
        monkeypatch.setattr(adding, "start_working", lambda: None)
        monkeypatch.setattr(handover, "launch_in_background", lambda run, root: None)
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert "1 run waits for it" in instance(Ask, app.screen).question
        await answer(pilot, app, "queue")
        await until(pilot, lambda: not isinstance(app.screen, Ask))
        trained.end(4)
        await until(pilot, lambda: not app.is_running)
    (entry,) = read_lineup().entries
    assert entry.title == "sixth"
    assert Run(Path(entry.run)).config().training.seed == 6
