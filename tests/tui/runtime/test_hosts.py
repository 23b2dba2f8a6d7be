"""Hosts of a run, before it is trained, and when another process resumes it."""

import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from core.config.schema import TrainConfig
from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.events import Event, Notice, RunFinished, RunPaused
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.lock import HANDED_OVER, hold, is_held
from core.runs.log import EventLog
from core.runs.requests import send
from core.runs.summary import summarise
from tests.support.narrow import instance, some
from tests.support.preparation import Preparation
from tui.headless.train import train
from tui.headless.train_views import QuietView
from tui.runtime.feed import RunFeed
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.hosts.log_host import LogHost


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", TrainConfig())


@pytest.fixture
def preparation(monkeypatch: pytest.MonkeyPatch) -> Preparation:
    preparation = Preparation()
    monkeypatch.setattr("core.session.session.prepare", preparation)
    return preparation


def say(run: Run, *events: Event) -> None:
    log = EventLog(run)
    for event in events:
        log.write(event)
    log.close()


class Process:
    """The part of a process that a host looks at."""

    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


# -- before the training ---------------------------------------------------------------------------------------


def test_a_stop_ends_what_goes_on_before_the_training_and_leaves_nothing(
    tmp_path: Path, preparation: Preparation
) -> None:
    feed = RunFeed(AppHost(TrainConfig(), tmp_path / "runs", tmp_path))
    assert preparation.begun.wait(600)
    assert feed.status == "preparing"
    assert "downloading" in feed.host.note
    feed.host.request("stop")
    assert feed.host.join(600)
    feed.poll()
    assert (feed.status, feed.host.error, feed.host.note) == ("stopped", None, "")
    assert all_runs(tmp_path / "runs") == []


def test_a_stop_that_is_heard_after_the_preparation_alone_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    prepared = SimpleNamespace(group=SimpleNamespace(size=1))
    monkeypatch.setattr("core.session.session.prepare", lambda *_, **__: asked.wait() and prepared)
    host = AppHost(TrainConfig(), tmp_path / "runs", tmp_path)
    host.request("stop")
    asked.set()
    assert host.join(600)
    assert host.error is None
    assert all_runs(tmp_path / "runs") == []


def test_a_run_is_held_while_the_app_prepares_it(run: Run, tmp_path: Path, preparation: Preparation) -> None:
    host = AppHost(TrainConfig(), tmp_path / "runs", tmp_path, run)
    assert preparation.begun.wait(600)
    assert summarise(run).status == "preparing"
    send(run, "stop")
    assert host.join(600)
    assert not is_held(run)


def test_a_run_is_held_while_a_process_without_screens_prepares_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    class Asked(Preparation):
        def __call__(
            self, config: object, data_root: object, progress: Progress, **options: object
        ) -> NoReturn:
            seen.append(summarise(run).status)
            send(run, "stop")
            super().__call__(config, data_root, progress, **options)

    monkeypatch.setattr("core.session.session.prepare", Asked())
    assert train(TrainConfig(), run, runs_dir=tmp_path / "runs", data_root=None, view=QuietView()) == 0
    assert seen == ["preparing"]
    assert summarise(run).status == "stopped"
    assert not is_held(run)


# -- another process resumes it --------------------------------------------------------------------------------


def test_a_run_that_goes_on_is_prepared_until_its_process_says_something(run: Run) -> None:
    say(run, RunFinished(status="stopped"))
    process: Any = Process()
    feed = RunFeed(LogHost(run, process))
    feed.poll()
    assert (feed.status, feed.host.note) == ("preparing", "starting a background process")
    say(run, RunPaused(epoch=1, step=1))
    feed.poll()
    assert feed.host.note == ""
    process.returncode = 0
    say(run, RunFinished(status="completed"))
    feed.poll()
    assert (feed.status, feed.host.error) == ("completed", None)


def test_a_process_that_ends_without_a_word_is_told_with_its_last_ones(run: Run) -> None:
    say(run, RunFinished(status="stopped"))
    process: Any = Process()
    feed = RunFeed(LogHost(run, process))
    run.console_file.write_text("Traceback\nMemoryError\n")
    process.returncode = 1
    feed.poll()  # the old log
    feed.poll()
    assert feed.status == "failed"
    error = instance(TorchtuiError, feed.host.error)
    assert (error.message, error.hint) == (
        "the background process exited before training started",
        "MemoryError",
    )
    say(run, Notice(level="info", message="someone else goes on"), RunFinished(status="completed"))
    feed.poll()
    assert (feed.status, feed.host.error) == ("completed", None)


@pytest.mark.parametrize("locked", [False, True])
def test_a_background_process_is_started_with_the_lock_unless_this_process_keeps_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "tui.runtime.hosts.launching.subprocess.Popen", lambda command, **options: started.append(options)
    )
    with hold(run) if locked else nullcontext():
        launch_in_background(run, None)
    (options,) = started
    assert len(options["pass_fds"]) == (0 if locked else 1)


HEIR = """
import sys
from pathlib import Path
from core.control import RunControl
from core.runs.folder import Run
from core.runs.lock import is_held
from core.runs.requests import claimed
run, control = Run(Path(sys.argv[1])), RunControl()
print(is_held(run), flush=True)
sys.stdin.readline()
with claimed(run, control):
    print(is_held(run), run.requests_file.read_text().strip(), flush=True)
print(is_held(run), flush=True)
"""


def test_a_process_takes_over_the_lock_that_it_was_started_with(run: Run) -> None:
    with hold(run) as lock:
        heir = subprocess.Popen(
            [sys.executable, "-c", HEIR, str(run.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[lock],
            env={**os.environ, HANDED_OVER: str(lock)},
        )
    with heir:
        assert some(heir.stdout).readline() == "True\n"
        send(run, "stop")
        some(heir.stdin).write("\n")
        some(heir.stdin).close()
        assert some(heir.stdout).readline() == "True stop\n"
        assert some(heir.stdout).readline() == "False\n"
    assert not is_held(run)
