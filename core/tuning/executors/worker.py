"""A worker: a process that trains the trials which its study gives it, one after the other."""

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from core.control import RunControl
from core.files.console import kept_bounded
from core.files.reading import open_plain
from core.runs.folder import Run
from core.session.preload import load_backend
from core.tuning.executors.protocol import Ended, Reported, TrialTask

__all__ = ["Inbox", "kill_children", "let_children_hear", "reporter", "work"]


def kill_children(process: psutil.Process, and_itself: bool) -> None:
    """Kill the processes that the user's code started from a worker: many of them would wait for ever."""
    children = process.children(recursive=True)
    for victim in [process, *children] if and_itself else children:
        with contextlib.suppress(psutil.Error):
            victim.kill()


def let_children_hear(connection: "Connection[Any, Any] | None" = None) -> None:
    """Let SIGTERM end the processes that the user's code starts from this worker, which ignores it itself.

    Forks also give up the worker's connection: its study would not see it end while they hold it.
    """

    def leave() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if connection is not None:
            connection.close()

    # Neither SIG_IGN nor a blocked signal: a new program would inherit both.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.register_at_fork(after_in_child=leave)


def work(connection: "Connection[Any, Any]", environment: Mapping[str, str], processes: int) -> None:
    """Train task after task until the study is gone, each in so many processes."""
    os.environ.update(environment)  # before CUDA looks which GPUs it may see
    let_children_hear(connection)
    load_backend()
    from core.tuning.executors.group import train_together
    from core.tuning.executors.trial import run_trial, train_trial

    train = partial(train_together, processes=processes) if processes > 1 else train_trial
    inbox = Inbox(connection)
    while True:
        task, control = inbox.tasks.get()
        console = Run(task.run).console_file
        _redirect(console)
        with kept_bounded(console):
            outcome = run_trial(task, reporter(connection, inbox, task), control, train)
        connection.send(Ended(task.trial, outcome))


def reporter(
    connection: "Connection[Any, Any]", inbox: "Inbox", task: TrialTask
) -> Callable[[int, float | None], bool]:
    """Return what tells a trial's epochs to its study, and returns the study's answer."""

    def report(epoch: int, value: float | None) -> bool:
        connection.send(Reported(task.trial, epoch, value))
        return inbox.answers.get() if task.waits else True

    return report


class Inbox:
    """Sorts what the study says, on a thread of its own: a trial must hear "stop" in the middle of an epoch."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self.tasks: queue.SimpleQueue[tuple[TrialTask, RunControl]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: "Connection[Any, Any]") -> None:
        control = RunControl()
        while True:
            try:
                kind, content = connection.recv()
            except (EOFError, OSError):
                # The study is gone, however it ended: nobody waits for this trial.
                with contextlib.suppress(psutil.Error):
                    kill_children(psutil.Process(), and_itself=False)
                os._exit(1)
            if kind == "task":
                control = RunControl()
                self.tasks.put((content, control))
            elif kind == "answer":
                self.answers.put(content)
            else:
                control.obey(kind)


def _redirect(console: Path) -> None:
    """Redirect the output of this process to a file: the terminal belongs to the study."""
    try:
        handle = open_plain(console, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError:  # the trial will say what is wrong with its folder
        handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
