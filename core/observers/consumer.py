"""Consumers of a run's events that may be slow or fail: each gets a thread of its own."""

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from core.events import Event, Notice

__all__ = ["Consumer", "Emit", "ObserverThread"]

Emit = Callable[[Event], None]
IDLE_SECONDS = 1.0


class Consumer(Protocol):
    """Takes the events of a run, in order, always on the same thread.

    Attributes:
        name: for messages.
    """

    name: str

    def take(self, event: Event) -> None:
        """One event; RunFinished is the last."""

    def wait(self) -> None:
        """Called about once a second while nothing is said."""


class ObserverThread:
    """Feeds events to a consumer on a daemon thread; one that raises is reported once and dropped."""

    def __init__(self, consumer: Consumer, tell: Emit) -> None:
        self.consumer, self._tell = consumer, tell
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=consumer.name, daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Never waits."""
        self._events.put(event)

    def close(self, seconds: float) -> bool:
        """Wait until all is taken, for some time; whether it was."""
        self._events.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while True:
                try:
                    event = self._events.get(timeout=IDLE_SECONDS)
                except queue.Empty:
                    self.consumer.wait()
                    continue
                if event is None:
                    return
                self.consumer.take(event)
        except Exception as error:  # other people's code, networks and disks raise whatever they like
            reason = str(error).partition("\n")[0] or type(error).__name__
            message = f"{self.consumer.name} failed: {reason}; the run continues without it"
            self._tell(Notice(level="warning", message=message))
