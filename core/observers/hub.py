"""The observers of one run, from its start to its end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import TorchtuiError
from core.events import Event, Notice, RunFinished
from core.observers.consumer import Consumer, Emit, ObserverThread
from core.observers.machine_load import Sampler
from core.observers.settings import Extras
from core.runs.folder import Run

__all__ = ["RunObservers", "observing"]

LAST_SECONDS = 60.0
"""Longest time that the consumers together may take for the end of a run."""


class RunObservers:
    """Passes events on to a run's log and to its observers.

    Args:
        missing: notices about observers that could not start; emitted after the first event.
        log: takes events for the log; from any thread.
        sampled: the device whose load is reported; None reports none.
    """

    def __init__(
        self, threads: list[ObserverThread], missing: list[Notice], log: Emit, sampled: str | None
    ) -> None:
        self._threads, self._missing, self._log, self._sampled = threads, missing, log, sampled
        self._sampler: Sampler | None = None
        self._started = False

    def emit(self, event: Event) -> None:
        """Pass one event on; the first one is the first of the log."""
        self._log(event)
        for thread in self._threads:
            thread.put(event)
        if not self._started:
            self._start()

    def _start(self) -> None:
        self._started = True
        for notice in self._missing:
            self._log(notice)
        if self._sampled is not None:
            self._sampler = Sampler(self.emit, self._sampled)

    def end(self, finished: RunFinished) -> None:
        """Pass on the last event: observers get it before the log, so that their failures are logged before it."""
        self.stop_sampling()
        for thread in self._threads:
            thread.put(finished)
        share = LAST_SECONDS / max(1, len(self._threads))
        for thread in self._threads:
            if not thread.close(share):
                name = thread.consumer.name
                self._log(
                    Notice(level="warning", message=f"{name} is too slow: its last events may be missing")
                )
        self._log(finished)

    def stop_sampling(self) -> None:
        """Stop reporting the load of the machine."""
        if self._sampler is not None:
            self._sampler.stop()


@contextmanager
def observing(run: Run, extras: Extras, log: Emit, device: str) -> Iterator[RunObservers]:
    """Context manager that runs the observers `extras` ask for; one that cannot start is reported and left out."""
    lock = threading.Lock()

    def log_in_turn(event: Event) -> None:
        with lock:
            log(event)

    threads, missing = [], []
    for make in _makers(run, extras, log_in_turn):
        try:
            threads.append(ObserverThread(make(), log_in_turn))
        except TorchtuiError as error:
            missing.append(Notice(level="warning", message=str(error)))
    observers = RunObservers(threads, missing, log_in_turn, device if extras.system else None)
    try:
        yield observers
    finally:
        observers.stop_sampling()


def _makers(run: Run, extras: Extras, emit: Emit) -> Iterator[Callable[[], Consumer]]:
    if "tensorboard" in extras.log:
        from core.observers.tensorboard import TensorBoard

        yield lambda: TensorBoard(run)
    if "mlflow" in extras.log:
        from core.observers.mlflow import MLflow

        yield lambda: MLflow(run)
    if extras.notify or extras.alert:
        from core.observers.notify import Notifier

        yield lambda: Notifier(run, extras.notify, extras.stall_minutes, emit, extras.alert)
