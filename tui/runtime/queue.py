"""Runs that wait for their turn: a tuple, changed by functions that return another one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.runs.folder import Run
    from core.session.repeats import Repeats

__all__ = ["Queue", "Waiting", "appended", "moved_down", "moved_first", "moved_up", "without"]


@dataclass(frozen=True, eq=False)
class Waiting:
    """A run that waits.

    Attributes:
        config: what is trained.
        given_name: what the user calls the run; empty without a name.
        label: which of several it is, such as ``seed 3``; empty for a run of its own.
        run: to resume; None starts a new one.
        repeats: the runs it belongs to. together: their start, see `core.runs.origin.together`.
    """

    config: "TrainConfig"
    given_name: str = ""
    label: str = ""
    run: "Run | None" = None
    repeats: "Repeats | None" = None
    together: str = ""

    @property
    def name(self) -> str:
        """Its name, also before its folder exists."""
        from core.runs.creating import name_of
        from core.runs.labels import title_of

        name = title_of(self.run.path) if self.run is not None else self.given_name or name_of(self.config)
        return f"{name}  {self.label}" if self.label and self.label not in name else name


Queue = tuple[Waiting, ...]
"""The first one starts next."""


def appended(queue: Queue, *more: Waiting) -> Queue:
    """Return the queue with runs at its end."""
    return (*queue, *more)


def without(queue: Queue, one: Waiting) -> Queue:
    """Return the queue without a run; unchanged where it has started meanwhile."""
    return tuple(waiting for waiting in queue if waiting is not one)


def moved_up(queue: Queue, one: Waiting) -> Queue:
    """Return the queue with a run before the one that was ahead of it."""
    if one not in queue or queue[0] is one:
        return queue
    place = queue.index(one)
    return (*queue[: place - 1], one, queue[place - 1], *queue[place + 1 :])


def moved_down(queue: Queue, one: Waiting) -> Queue:
    """Return the queue with a run behind the one that follows it."""
    if one not in queue or queue[-1] is one:
        return queue
    return moved_up(queue, queue[queue.index(one) + 1])


def moved_first(queue: Queue, one: Waiting) -> Queue:
    """Return the queue with a run before all others."""
    return (one, *without(queue, one)) if one in queue else queue
