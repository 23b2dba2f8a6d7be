"""Executors train trials. A study gives out tasks and receives messages; it does not know where workers are."""

import atexit
import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import psutil

from core.control import Request, RunControl
from core.files.console import kept_bounded
from core.files.reading import open_plain
from core.gpus.process import given_environment
from core.gpus.table import GpuState
from core.machine import available_cores
from core.runs.folder import Run
from core.safe_path import safe_import_path
from core.session.preload import load_backend
from core.tuning.executors.placing import TrialGpus
from core.tuning.executors.protocol import Ended, Message, Outcome, Reported, TrialTask

__all__ = ["Executor", "LocalProcesses", "local_slots"]

PRELOADED = [
    "core.session.preload",
    "core.tuning.executors.trial",
    "sklearn.datasets",
    "sklearn.model_selection",
]
"""What workers share: imported once, before they split off."""
LEFT_TO_THE_STUDY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
"""Terminals and batch systems send these to all processes; the study handles them and instructs its workers."""


class Executor(Protocol):
    """Trains some trials at once. For one thread.

    Attributes:
        slots: how many trials at once. threads: for how many threads each has cores.
    """

    slots: int
    threads: int

    def start(self, task: TrialTask) -> None:
        """Start a trial; only while fewer than `slots` are running."""

    def wait(self, seconds: float) -> list[Message]:
        """Return messages of trials as soon as there are any; empty after so many seconds of silence.

        Of every task that was started one `Ended` comes, whatever becomes of its worker.
        """

    def answer(self, trial: int, go_on: bool) -> None:
        """Answer a waiting trial whether it may continue."""

    def ask(self, request: Request) -> None:
        """Ask all trials to pause after their batch, to resume, or to save and stop; their outcomes are reported."""

    def close(self) -> None:
        """End all workers at once."""


def local_slots(jobs: int, threads: int | None) -> tuple[int, int]:
    """Return the number of trials at once, and the threads of each: together at most the cores of this process.

    Args:
        jobs: trials at once, as many as asked for; fewer are given when there are not so many cores.
        threads: of each trial; None for an equal part of the cores.
    """
    cores = available_cores()
    slots = max(1, min(jobs, cores // (threads or 1)))
    return slots, threads or max(1, cores // slots)


class LocalProcesses:
    """Trains in processes of this machine; each loads the data once, and one that dies is replaced.

    Args:
        jobs, threads: as for `local_slots`.

    Attributes:
        placing: the GPUs that workers are spread over, each of which sees one alone; they see all where it has none.
    """

    def __init__(self, jobs: int = 1, threads: int | None = None) -> None:
        self.slots, self.threads = local_slots(jobs, threads)
        self.placing = TrialGpus()
        self._context = _context()
        self._workers: list[_Worker] = []
        atexit.register(self.close)  # they do not hear SIGTERM, which is how Python would end them

    def start(self, task: TrialTask) -> None:
        worker = next((worker for worker in self._workers if worker.trial is None), None)
        if worker is None:
            worker = self._new_worker()
            self._workers.append(worker)
        worker.trial = task.trial
        worker.send(("task", task))

    def wait(self, seconds: float) -> list[Message]:
        busy = {worker.connection: worker for worker in self._workers if worker.trial is not None}
        ready = wait([*busy], seconds)
        return [self._receive(busy[connection]) for connection in busy if connection in ready]

    def answer(self, trial: int, go_on: bool) -> None:
        for worker in self._workers:
            if worker.trial == trial:
                worker.send(("answer", go_on))

    def ask(self, request: Request) -> None:
        for worker in self._workers:
            if worker.trial is not None:
                worker.send((request, None))

    def close(self) -> None:
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            with contextlib.suppress(psutil.Error):
                if worker.process.is_alive():  # its number may be another process's by now
                    _kill_children(psutil.Process(worker.process.pid), and_itself=True)
            worker.process.join()
        self._workers.clear()
        for lock in self.placing.locks:
            lock.close()
        self.placing = TrialGpus()

    def _receive(self, worker: "_Worker") -> Message:
        """One message; the death of a worker is the end of its trial."""
        try:
            message: Message = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._workers.remove(worker)
            assert worker.trial is not None
            return Ended(worker.trial, Outcome("failed", reason=_death(worker.process.exitcode)))
        if isinstance(message, Ended):
            worker.trial = None
        return message

    def _new_worker(self) -> "_Worker":
        ours, theirs = self._context.Pipe()
        gpu = self._least_used()
        environment = given_environment((gpu,)) if gpu is not None else {}
        process = self._context.Process(
            target=_work, args=(theirs, environment)
        )  # a daemon may have no workers of its own
        with _deaf_children(), safe_import_path():
            process.start()
        theirs.close()
        return _Worker(process, ours, gpu)

    def _least_used(self) -> GpuState | None:
        """Return the GPU that fewest workers have, which is that of one that died; None where there are none."""
        used = [worker.gpu for worker in self._workers]
        return min(self.placing.gpus, key=used.count, default=None)


class _Worker:
    """The study's end of one process."""

    def __init__(
        self, process: BaseProcess, connection: "Connection[Any, Any]", gpu: GpuState | None
    ) -> None:
        self.process, self.connection, self.gpu = process, connection, gpu
        self.trial: int | None = None

    def send(self, message: tuple[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it died: `wait` finds out
            self.connection.send(message)


def _context() -> Any:
    """Processes that start with the imports done, where the system supports it safely."""
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with safe_import_path():
        resource_tracker.ensure_running()
    with _deaf_children(), safe_import_path():
        forkserver.ensure_running()  # it imports while the study is still being checked
    return context


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Context manager that blocks these signals in child processes; the study handles them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_THE_STUDY)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was killed by {signal.Signals(-exit_code).name}"
    return f"its process exited with code {exit_code}"


def _kill_children(process: psutil.Process, and_itself: bool) -> None:
    """Kill the processes that the user's code started from a worker: many of them would wait for ever."""
    children = process.children(recursive=True)
    for victim in [process, *children] if and_itself else children:
        with contextlib.suppress(psutil.Error):
            victim.kill()


def _let_children_hear(connection: "Connection[Any, Any]") -> None:
    """Let SIGTERM end the processes that the user's code starts from this worker, which ignores it itself.

    Forks also give up the worker's connection: its study would not see it end while they hold it.
    """

    def leave() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        connection.close()

    # Neither SIG_IGN nor a blocked signal: a new program would inherit both.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.register_at_fork(after_in_child=leave)


def _work(connection: "Connection[Any, Any]", environment: Mapping[str, str]) -> None:
    """A worker: trains task after task until its study is gone."""
    os.environ.update(environment)  # before CUDA looks which GPUs it may see
    _let_children_hear(connection)
    load_backend()
    from core.tuning.executors.trial import run_trial

    inbox = _Inbox(connection)
    while True:
        task, control = inbox.tasks.get()
        console = Run(task.run).console_file
        _redirect(console)
        with kept_bounded(console):
            outcome = run_trial(task, _reporter(connection, inbox, task), control)
        connection.send(Ended(task.trial, outcome))


def _reporter(
    connection: "Connection[Any, Any]", inbox: "_Inbox", task: TrialTask
) -> Callable[[int, float | None], bool]:
    def report(epoch: int, value: float | None) -> bool:
        connection.send(Reported(task.trial, epoch, value))
        return inbox.answers.get() if task.waits else True

    return report


class _Inbox:
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
                    _kill_children(psutil.Process(), and_itself=False)
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
