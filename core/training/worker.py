"""Training on a background thread; events come out through a queue."""

import queue
import threading
from collections.abc import Callable

from core.control import RunControl
from core.events import Event, RunFinished

__all__ = ["TrainingWorker", "trains_elsewhere"]

Job = Callable[[Callable[[Event], None], RunControl], RunFinished]

_at_work: set[int] = set()
"""Threads of this process that train a run, or prepare to: the global random numbers are theirs."""


def trains_elsewhere() -> bool:
    """Return whether another thread of this process trains a run, whose random numbers are to be left alone."""
    return bool(_at_work - {threading.get_ident()})


class TrainingWorker:
    """Runs one training job on a daemon thread.

    Args:
        job: called on the thread with `emit` and `control`, such as `core.session.session.execute`. An exception
            that it raises is kept in `error`, and `finished` is set all the same.

    All methods are safe from any thread. A worker runs one job once.
    """

    def __init__(self, job: Job) -> None:
        self.control = RunControl()
        self.finished = threading.Event()
        self.error: BaseException | None = None
        self._job = job
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def pause(self) -> None:
        """Wait after the current batch."""
        self.control.pause()

    def resume(self) -> None:
        """Continue after a pause."""
        self.control.resume()

    def stop(self) -> None:
        """Save and stop after the current batch."""
        self.control.stop()

    def checkpoint(self) -> None:
        """Save a checkpoint after the current batch."""
        self.control.checkpoint()

    def watch_layers(self) -> None:
        """Report norms and dead units of the layers from now on."""
        self.control.watch_layers()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; return true if it has come."""
        return self.finished.wait(timeout)

    def tell(self, event: Event) -> None:
        """Add an event to those of the job."""
        self._events.put(event)

    def drain(self) -> list[Event]:
        """Return the events since the last call, oldest first; never waits."""
        events = []
        while True:
            try:
                events.append(self._events.get_nowait())
            except queue.Empty:
                return events

    def _run(self) -> None:
        _at_work.add(threading.get_ident())
        try:
            self._job(self._events.put, self.control)
        except BaseException as error:
            self.error = error
        finally:
            _at_work.discard(threading.get_ident())
            self.finished.set()
