"""Checkpoints written behind the training's back: it waits for a copy of its state, not for the disk."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import psutil
from torch import Tensor

from core.errors import RunDamaged, RunError
from core.events import CheckpointSaved, Event, Notice

__all__ = ["Checkpoints", "Saver", "State", "naming_what_does_not_fit"]

State = dict[str, Any]


class Checkpoints(Protocol):
    """Where states are kept."""

    def save(self, state: State, kind: Literal["last", "best"]) -> None:
        """Keep `state` safely, in place of the earlier one of its kind.

        Raises:
            RunError: it cannot be written; the earlier one is still good.
        """


class Saver:
    """Writes the states of one training, one at a time, on a thread of its own.

    Args:
        checkpoints: called on that thread.

    Attributes:
        best_epoch: the best epoch that is kept already; 0 for none.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self.best_epoch = 0
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[list[Event]] | None = None
        self._began_at = time.perf_counter()

    @property
    def busy(self) -> bool:
        """Whether a state is still being written."""
        return self._writing is not None and not self._writing.done()

    def is_due(self, seconds: float) -> bool:
        """Whether the last state was given so long ago, or none yet, and is on disk."""
        return time.perf_counter() - self._began_at > seconds and not self.busy

    def begin(self, last: State | None, best: State | None) -> None:
        """Begin to write a copy of the state. Where memory has no room for one, wait until it is written.

        Call `news` to the end of the state before first.

        Args:
            last: what is kept as ``last``, with `best` in it; None keeps the earlier one.
            best: weights, ``epoch`` and ``step`` of the best epoch, which change no more; None before the first.
        """
        self._began_at = time.perf_counter()
        if sum(tensor.nbytes for tensor in _tensors(last)) < psutil.virtual_memory().available / 2:
            self._writing = self._thread.submit(self._write, _copied(last), best)
        else:
            self._writing = self._thread.submit(self._write, last, best)
            self._writing.exception()  # waits

    def news(self, *, wait: bool = False) -> list[Event]:
        """What is to be told of the state that was being written: nothing yet, or by waiting for it."""
        if self._writing is None or (self.busy and not wait):
            return []
        told = self._writing.result()
        self._writing = None
        return told

    def close(self) -> None:
        """Wait for what is being written, and end."""
        self._thread.shutdown()

    def _write(self, last: State | None, best: State | None) -> list[Event]:
        """Write ``last`` first: then no ``best`` is ever ahead of it."""
        told: list[Event] = []
        try:
            if last is not None:
                self._checkpoints.save({**last, "best": best}, "last")
                at = last["progress"]
                told = [CheckpointSaved(kind="last", epoch=at["epoch"], step=at["step"])]
            if best is not None and best["epoch"] != self.best_epoch:
                self._checkpoints.save(best, "best")
                self.best_epoch = best["epoch"]
                told.insert(0, CheckpointSaved(kind="best", epoch=best["epoch"], step=best["step"]))
        except RunError as error:
            told.append(Notice(level="error", message=f"checkpoint not saved: {error}"))
        return told


@contextmanager
def naming_what_does_not_fit() -> Iterator[None]:
    """Within, a state is taken over; what torch trips over in parts of another kind becomes one error.

    Raises:
        RunDamaged: it is not a state of this model and optimizer.
    """
    try:
        yield
    except Exception as error:
        raise RunDamaged(
            f"the checkpoint does not fit the configuration: {str(error).partition(chr(10))[0]}",
            "Restore the files of the run, or start it anew",
        ) from None


def _tensors(state: Any) -> Iterator[Tensor]:
    """All tensors of a nested state."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict | list):
        for value in state.values() if isinstance(state, dict) else state:
            yield from _tensors(value)


def _copied(state: Any) -> Any:
    """A nested state with tensors of its own, in main memory."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: _copied(value) for key, value in state.items()}
    return [_copied(value) for value in state] if isinstance(state, list) else state
