"""Executors train trials. A study gives out tasks and receives messages; it does not know where workers are."""

import atexit
import contextlib
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import psutil

from core.control import Request
from core.gpus.process import given_environment
from core.gpus.table import GpuState
from core.machine import available_cores
from core.safe_path import safe_import_path
from core.tuning.executors.placing import TrialGpus
from core.tuning.executors.protocol import Ended, Message, Outcome, TrialTask
from core.tuning.executors.worker import kill_children, work

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


def local_slots(jobs: int, threads: int | None, processes: int = 1) -> tuple[int, int]:
    """Return the number of trials at once, and the threads of each: together at most the cores of this process.

    Args:
        jobs: trials at once, as many as asked for; fewer are given when there are not so many cores.
        threads: of each process; None for an equal part of the cores.
        processes: of each trial.
    """
    cores = available_cores()
    slots = max(1, min(jobs, cores // ((threads or 1) * processes)))
    return slots, (threads or 0) * processes or max(1, cores // slots)


class LocalProcesses:
    """Trains in processes of this machine; each loads the data once, and one that dies is replaced.

    Args:
        jobs, threads, processes: as for `local_slots`.

    Attributes:
        placing: the GPUs that workers are spread over, each of which sees one alone for each process of a trial; they
            see all where it has none.
    """

    def __init__(self, jobs: int = 1, threads: int | None = None, processes: int = 1) -> None:
        self.slots, self.threads = local_slots(jobs, threads, processes)
        self.processes = processes
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
                    kill_children(psutil.Process(worker.process.pid), and_itself=True)
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
        gpus = self._least_used()
        named = self.placing.are_named
        environment = given_environment(gpus, are_named=named) if gpus else {}
        process = self._context.Process(
            target=work, args=(theirs, environment, self.processes)
        )  # a daemon may have no workers of its own
        with _deaf_children(), safe_import_path():
            process.start()
        theirs.close()
        return _Worker(process, ours, gpus)

    def _least_used(self) -> tuple[GpuState, ...]:
        """Return the GPUs that fewest workers have, such as those of one that died; none where there are none."""
        used = [gpu for worker in self._workers for gpu in worker.gpus]
        return tuple(sorted(self.placing.gpus, key=used.count)[: self.processes])


class _Worker:
    """The study's end of one process."""

    def __init__(
        self, process: BaseProcess, connection: "Connection[Any, Any]", gpus: tuple[GpuState, ...]
    ) -> None:
        self.process, self.connection, self.gpus = process, connection, gpus
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
