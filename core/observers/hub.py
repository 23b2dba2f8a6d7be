"""All that goes on beside one run, from its beginning to its end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import TorchtuiError
from core.events import Event, Notice, RunFinished
from core.observers.consumer import Consumer, Emit, ObserverThread
from core.observers.machine_load import Sampler
from core.observers.settings import Extras
from core.runs.folder import Run

__all__ = ["RunObservers", "accompanied"]

LAST_SECONDS = 60.0
"""Longest time that the consumers together may take for the end of a run."""


class RunObservers:
    """Passes events on to a run's log and to those beside it.

    Args:
        missing: told after the first event.
        tell: takes events for the log; from any thread.
        sampled: the device whose load is told; None tells none.
    """

    def __init__(
        self, feeders: list[ObserverThread], missing: list[Notice], tell: Emit, sampled: str | None
    ) -> None:
        self._feeders, self._missing, self._tell, self._sampled = feeders, missing, tell, sampled
        self._sampler: Sampler | None = None
        self._begun = False

    def emit(self, event: Event) -> None:
        """One event, for everybody; the first one begins the log."""
        self._tell(event)
        for feeder in self._feeders:
            feeder.put(event)
        if not self._begun:
            self._begin()

    def _begin(self) -> None:
        self._begun = True
        for notice in self._missing:
            self._tell(notice)
        if self._sampled is not None:
            self._sampler = Sampler(self.emit, self._sampled)

    def end(self, finished: RunFinished) -> None:
        """The last event: whoever is beside hears of it first, so that what fails there is told before it."""
        self.rest()
        for feeder in self._feeders:
            feeder.put(finished)
        share = LAST_SECONDS / max(1, len(self._feeders))
        for feeder in self._feeders:
            if not feeder.close(share):
                name = feeder.consumer.name
                self._tell(Notice(level="warning", message=f"{name} is too slow: it may lack the end"))
        self._tell(finished)

    def rest(self) -> None:
        """Emit nothing more by itself."""
        if self._sampler is not None:
            self._sampler.stop()


@contextmanager
def accompanied(run: Run, extras: Extras, tell: Emit, device: str) -> Iterator[RunObservers]:
    """Context manager in which `extras` observe a run; what cannot start is reported, and left out."""
    lock = threading.Lock()

    def tell_in_turn(event: Event) -> None:
        with lock:
            tell(event)

    feeders, missing = [], []
    for make in _makers(run, extras, tell_in_turn):
        try:
            feeders.append(ObserverThread(make(), tell_in_turn))
        except TorchtuiError as error:
            missing.append(Notice(level="warning", message=str(error)))
    company = RunObservers(feeders, missing, tell_in_turn, device if extras.system else None)
    try:
        yield company
    finally:
        company.rest()


def _makers(run: Run, extras: Extras, tell: Emit) -> Iterator[Callable[[], Consumer]]:
    if "tensorboard" in extras.log:
        from core.observers.tensorboard import TensorBoard

        yield lambda: TensorBoard(run)
    if "mlflow" in extras.log:
        from core.observers.mlflow import MLflow

        yield lambda: MLflow(run)
    if extras.notify:
        from core.observers.notify import Notifier

        yield lambda: Notifier(run, extras.notify, extras.stall_minutes, tell)
