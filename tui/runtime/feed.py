"""Drains a run's events into its history at frame rate, and spaces frames so that training keeps its speed.

The training thread and the screens share one interpreter lock: training waits while a frame is computed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from core.runs.history.history import History
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.run_host import RunHost

__all__ = ["FrameBudget", "RunFeed"]

Kind = Literal["text", "charts"]

LONGEST = {"text": 0.24, "charts": 0.96}
"""Seconds after which a frame is drawn whatever its cost: four and one per second, including timer delay."""
SHORTEST = 0.1
SHARE = {True: {"text": 0.01, "charts": 0.015}, False: {"text": 0.05, "charts": 0.05}}
"""Share of a core that frames may use: with a training thread in this process, or without."""


class FrameBudget:
    """Time of the next frame, from the cost of the last ones on this thread, painting included.

    Attributes:
        cost: CPU seconds per frame, a moving average.
    """

    def __init__(self) -> None:
        self.cost = {"text": 0.0, "charts": 0.0}
        self.frames = {"text": 0, "charts": 0}
        self._due = {"text": 0.0, "charts": 0.0}
        self._open: tuple[Kind, float, float, bool] | None = None

    def rest(self) -> float:
        """Seconds until the next frame may be drawn, at least `SHORTEST`."""
        return max(SHORTEST, min(self._due.values()) - time.monotonic())

    def text_due(self) -> bool:
        """Return whether a frame of texts may be drawn."""
        return time.monotonic() >= self._due["text"]

    def charts_due(self) -> bool:
        """Return whether a frame of everything may be drawn."""
        return time.monotonic() >= self._due["charts"]

    @contextmanager
    def text_frame(self, shared: bool) -> Iterator[None]:
        """Draw texts within.

        Args:
            shared: whether training runs in this process; if not, frames cost it little.
        """
        with self._frame("text", shared):
            yield

    @contextmanager
    def chart_frame(self, shared: bool) -> Iterator[None]:
        """Draw everything within; see `text_frame`."""
        with self._frame("charts", shared):
            yield

    def settle(self) -> None:
        """Record the cost of a frame once it is painted: the CPU time of this thread since it started."""
        if self._open is None:
            return
        (kind, began, spent_before, shared), self._open = self._open, None
        spent = time.thread_time() - spent_before
        self.frames[kind] += 1
        self.cost[kind] = spent if self.frames[kind] == 1 else 0.7 * self.cost[kind] + 0.3 * spent
        self._space(kind, began, shared)

    @contextmanager
    def _frame(self, kind: Kind, shared: bool) -> Iterator[None]:
        self.settle()
        began = time.monotonic()
        self._open = (kind, began, time.thread_time(), shared)
        yield
        self._space(kind, began, shared)

    def _space(self, kind: Kind, began: float, shared: bool) -> None:
        wait = min(LONGEST[kind], max(SHORTEST, self.cost[kind] / SHARE[shared][kind]))
        self._due[kind] = began + wait
        rest = min(wait, LONGEST["text"]) if shared else SHORTEST  # what is logged elsewhere is read at once
        self._due["text"] = max(self._due["text"], began + rest)


class RunFeed:
    """One followed run: its host, and its history."""

    def __init__(self, host: RunHost) -> None:
        self.host = host
        self.history = History()
        self.budget = FrameBudget()
        self.trained_here = isinstance(host, AppHost)

    @property
    def in_app(self) -> bool:
        """Return whether this process still trains it."""
        return self.trained_here and self.host.alive

    @property
    def status(self) -> str:
        """``pending``, ``preparing``, ``running``, ``paused``, how it ended, or ``interrupted``."""
        history = self.history
        if self.host.note:  # no event yet, or none since it was resumed
            if self.host.alive:
                return self.host.starting
            if self.host.error:
                return "failed"
        if history.finished is not None:
            return history.finished.status
        if not self.host.alive:
            return "failed" if self.host.error else self.host.silent
        if history.started is None:
            return "preparing"
        return "paused" if history.paused else "running"

    def poll(self) -> bool:
        """Read new events into the history; return whether there were any."""
        events = self.host.drain()
        for event in events:
            self.history.apply(event)
        return bool(events)

    def seconds_left(self) -> float | None:
        """Estimate from the speed of the last epochs, or of the last steps during the first epoch."""
        history, started = self.history, self.history.started
        if started is None or not started.epochs:
            return None
        left = started.epochs - history.position
        recent = [epoch.event.seconds for epoch in list(history.epochs)[-5:]]
        if recent:
            return left * sum(recent) / len(recent)
        rate = history.last_step.samples_per_second if history.last_step else 0.0
        samples = started.samples.get("train", 0)
        return left * samples / rate if rate and samples else None
