"""Leaving a run that the app trains: no answer freezes the screen, and none loses the run."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import RunError, TorchtuiError
from core.events import Event, Notice, RunFinished
from core.runs.checkpoints import FolderCheckpoints
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.labels import title_of
from core.runs.lock import is_held
from core.runs.summary import summarise
from tests.support.narrow import instance, some
from tests.support.preparation import Preparation
from tests.support.waiting import until
from tui.app import handover
from tui.app.app import TuiApp
from tui.forms.command_line import resume_command
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.log_host import LogHost
from tui.screens.dialogs import Ask, ErrorDialog

pytestmark = pytest.mark.slow

SIZE = (120, 40)


class Process:
    """Stand-in for a background process that never finishes starting."""

    def poll(self) -> None: ...


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that background processes were started for, each free to be trained then."""
    runs: list[Run] = []

    def launch(run: Run, data_root: object) -> Process:
        assert not is_held(run)
        runs.append(run)
        return Process()

    monkeypatch.setattr("tui.app.handover.launch_in_background", launch)
    return runs


@pytest.fixture
def preparation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Preparation]:
    preparation = Preparation()
    monkeypatch.setattr("core.session.session.prepare", preparation)
    yield preparation
    preparation.go_on.set()


class Recorder(TuiApp):
    """Records the message printed after exit."""

    exit_message = ""

    def leave(self, message: str = "") -> None:
        self.exit_message = message
        super().leave(message)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    return Recorder(runs_dir=tmp_path / "runs", values={"training": {"epochs": 1_000_000}}, start=True)


async def ask_to_quit(pilot: Pilot[Any], answer: str) -> None:
    await pilot.press("ctrl+q")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
    await pilot.click(f"#answer-{answer}")


# -- before the training ---------------------------------------------------------------------------------------


async def test_d_hands_over_what_is_still_prepared_while_the_screens_live_on(
    app: Recorder, preparation: Preparation, launched: list[Run]
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, preparation.begun.is_set)
        preparation.go_on.clear()
        await until(pilot, lambda: app.current_mode == "live" and "d" in app.screen.active_bindings)
        await pilot.press("d")
        await pilot.press("2")
        assert app.current_mode == "configure"
        await pilot.press("3")
        assert launched == []
        preparation.go_on.set()
        await until(pilot, lambda: isinstance(some(app.feed).host, LogHost))
        (run,) = all_runs(app.runs_dir)
        assert launched == [run] == [some(app.feed).host.run]
        assert run.config().training.epochs == 1_000_000
        assert some(app.feed).status == "preparing"
        assert not isinstance(app.screen, ErrorDialog)


async def test_going_on_in_the_background_is_kept_of_what_is_still_prepared(
    app: Recorder, preparation: Preparation, launched: list[Run]
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, preparation.begun.is_set)
        await ask_to_quit(pilot, "detach")
        await until(pilot, lambda: launched)
    assert all_runs(app.runs_dir) == launched
    assert f"{title_of(launched[0].path)} continues in the background" in app.exit_message


async def test_stopping_what_is_still_prepared_leaves_nothing(
    app: Recorder, preparation: Preparation, launched: list[Run]
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, preparation.begun.is_set)
        await ask_to_quit(pilot, "stop")
        await until(pilot, lambda: not app.is_running)
    assert all_runs(app.runs_dir) == launched == []
    assert "saved" not in app.exit_message


async def test_a_dropped_connection_loses_nothing_that_is_still_prepared(
    app: Recorder, preparation: Preparation, launched: list[Run]
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, preparation.begun.is_set)
        app.detach()
        assert launched == all_runs(app.runs_dir)
        assert len(launched) == 1


async def test_a_run_that_is_prepared_to_go_on_is_handed_over_as_it_is(
    app: Recorder, preparation: Preparation, launched: list[Run]
) -> None:
    app._start_at_once, run = False, create_run(app.runs_dir, TrainConfig())
    async with app.run_test(size=SIZE) as pilot:
        app.resume_run(run)
        await until(pilot, preparation.begun.is_set)
        app.detach()
        assert launched == all_runs(app.runs_dir) == [run]


# -- in the middle of a training -------------------------------------------------------------------------------


async def test_the_folder_of_the_runs_is_part_of_how_to_go_on(app: Recorder) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.history.step > 0)
        await ask_to_quit(pilot, "stop")
        await until(pilot, lambda: not app.is_running)
    (run,) = all_runs(app.runs_dir)
    assert summarise(run).status == "stopped"
    assert f"saved; resume with: {resume_command('train', run.path)}" in app.exit_message
    assert f"--runs {app.runs_dir}" in app.exit_message


async def test_what_a_full_disk_did_not_take_is_not_called_saved(
    app: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any) -> None:
        raise RunError("cannot write last.pt: No space left on device")

    monkeypatch.setattr(FolderCheckpoints, "save", fail)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.history.epoch > 1)
        await ask_to_quit(pilot, "stop")
        await until(pilot, lambda: not app.is_running)
        told = [event.message for event in some(app.feed).history.messages if isinstance(event, Notice)]
    (run,) = all_runs(app.runs_dir)
    assert f"{run.path} could not be written" in app.exit_message
    assert "progress since the last checkpoint is lost; resume with: tui train" in app.exit_message
    assert told[-1] == "the end of the run is not saved: cannot write last.pt: No space left on device"


class Stuck:
    """Trains a step that does not end before the test does."""

    def __init__(self, run: Run, ended: threading.Event) -> None:
        self.run, self.ended = run, ended

    def __call__(self, host: AppHost, emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        host.run, host.note = self.run, ""
        self.ended.wait()
        emit(finished := RunFinished(status="completed"))
        return finished


@pytest.fixture
def stuck(app: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A training in the middle of a long step; setting the event completes it."""
    ended = threading.Event()
    work = Stuck(create_run(app.runs_dir, TrainConfig()), ended)
    monkeypatch.setattr(AppHost, "_work", lambda host, emit, control: work(host, emit, control))
    yield ended
    ended.set()


async def test_what_a_step_that_does_not_end_leaves_is_not_called_saved(
    app: Recorder, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "STOP_SECONDS", 0.1)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.host.run)
        await ask_to_quit(pilot, "stop")
        await until(pilot, lambda: not app.is_running)
    assert (
        "progress since the last checkpoint is lost; resume with: tui train --no-ui --resume"
        in app.exit_message
    )


@pytest.mark.parametrize("answer", ["stop", "detach"])
async def test_a_run_that_is_completed_meanwhile_is_reported_so(
    app: Recorder, stuck: threading.Event, launched: list[Run], answer: str
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed and app.feed.host.run)
        await ask_to_quit(pilot, answer)
        await pilot.pause(0.2)
        assert app.is_running
        stuck.set()
        await until(pilot, lambda: not app.is_running)
    assert launched == []
    assert app.exit_message.endswith("is completed")


async def test_a_folder_that_cannot_be_written_keeps_the_app_open(
    app: Recorder, preparation: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.handover.launch_in_background", lambda run, data_root: Process())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, preparation.begun.is_set)
        host = instance(AppHost, some(app.feed).host)
        host.runs_dir = app.runs_dir.parent / "settings.json"
        host.runs_dir.write_text("{}")
        await ask_to_quit(pilot, "detach")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "cannot write" in instance(TorchtuiError, instance(ErrorDialog, app.screen).error).message
