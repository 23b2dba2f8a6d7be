"""Checkpoints written in the background: training waits for a copy of its state, not for the disk."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from core.errors import RunDamaged, RunError
from core.events import CheckpointSaved, Event, Notice
from core.machine import memory
from core.runs.checkpoints import State

__all__ = ["Checkpoints", "Saver", "explain_mismatch"]


SMALL = 1 << 24
"""Bytes of a state for which there is always room."""


class Checkpoints(Protocol):
    """Storage of states."""

    def save(self, state: State, kind: Literal["last", "best", "epoch"]) -> str | None:
        """Save `state` atomically, in place of the earlier one of its kind; ``epoch`` is that of an epoch to keep.

        Returns:
            What is to be reported, if anything.

        Raises:
            RunError: it cannot be written; the earlier one is still intact.
        """


class Saver:
    """Writes the states of one training, one at a time, on its own thread.

    Args:
        checkpoints: called on that thread.

    Attributes:
        best_epoch: the best epoch that is saved already; 0 for none.
        problem: why the last state is not saved; empty if it is.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self.best_epoch = 0
        self.problem = ""
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[list[Event]] | None = None
        self._started_at = time.perf_counter()

    @property
    def busy(self) -> bool:
        """True while a state is being written."""
        return self._writing is not None and not self._writing.done()

    def is_due(self, seconds: float) -> bool:
        """Return true if no state was started in the last `seconds`, and none is being written."""
        return time.perf_counter() - self._started_at > seconds and not self.busy

    def start(self, last: State | None, best: State | None, *, as_epoch: bool = False) -> None:
        """Start to write a copy of the state. Where memory has no room for a copy, wait until it is written.

        Drain `pop_events(wait=True)` of the previous save before calling this.

        Args:
            last: saved as ``last``, with `best` in it; None keeps the earlier one.
            best: weights, ``epoch`` and ``step`` of the best epoch, which no longer change; None before the first.
            as_epoch: true if `last` is also kept as the checkpoint of its epoch.
        """
        self._started_at = time.perf_counter()
        size = sum(map(_bytes, _tensors(last)))
        if size < SMALL or size < memory().available / 2:
            self._writing = self._thread.submit(self._write, _copied(last), best, as_epoch)
        else:
            self._writing = self._thread.submit(self._write, last, best, as_epoch)
            self._writing.exception()  # waits

    def pop_events(self, *, wait: bool = False) -> list[Event]:
        """Return the events of the last save, once: nothing while it is being written, unless asked to wait."""
        if self._writing is None or (self.busy and not wait):
            return []
        events = self._writing.result()
        self._writing = None
        return events

    def close(self) -> None:
        """Wait for what is being written, and stop the thread."""
        self._thread.shutdown()

    def _write(self, last: State | None, best: State | None, as_epoch: bool) -> list[Event]:
        """Write ``last`` before ``best``, so that none is ever ahead of it, and after the one that is kept.

        A run that is killed between them does its epoch again.
        """
        kept = self._write_epoch({**last, "best": best}) if as_epoch and last is not None else []
        events: list[Event] = []
        try:
            if last is not None:
                self._checkpoints.save({**last, "best": best}, "last")
                at = last["progress"]
                events = [CheckpointSaved(kind="last", epoch=at["epoch"], step=at["step"])]
            if best is not None and best["epoch"] != self.best_epoch:
                self._checkpoints.save(best, "best")
                self.best_epoch = best["epoch"]
                events.insert(0, CheckpointSaved(kind="best", epoch=best["epoch"], step=best["step"]))
            problem = ""
        except RunError as error:
            problem = str(error)
        return [*kept, *events, *self._change_to(problem)]

    def _change_to(self, problem: str) -> list[Event]:
        """Report once why states are not saved, however often that recurs, and once that they are saved again."""
        before, self.problem = self.problem, problem
        if problem == before:
            return []
        if problem:
            return [Notice(level="error", message=f"checkpoint not saved: {problem}")]
        return [Notice(level="warning", message="checkpoints are saved again")]

    def _write_epoch(self, state: State) -> list[Event]:
        at = state["progress"]
        try:
            message = self._checkpoints.save(state, "epoch")
        except RunError as error:
            return [Notice(level="error", message=f"checkpoint of epoch {at['epoch']} not kept: {error}")]
        saved = CheckpointSaved(kind="epoch", epoch=at["epoch"], step=at["step"])
        return [saved, *([Notice(level="info", message=message)] if message else [])]


@contextmanager
def explain_mismatch() -> Iterator[None]:
    """Context manager for taking over a state; turns torch's errors about parts of another kind into one error.

    Raises:
        RunDamaged: it is not a state of this model and optimizer.
    """
    try:
        yield
    except Exception as error:
        raise RunDamaged(
            f"the checkpoint does not fit the configuration: {str(error).partition(chr(10))[0]}",
            "Restore the files of the run, or start it again",
        ) from None


def _tensors(state: Any) -> Iterator[Tensor]:
    """Yield all tensors of a nested state."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict | list | tuple):
        for value in state.values() if isinstance(state, dict) else state:
            yield from _tensors(value)


def _bytes(tensor: Tensor) -> int:
    """Return the size of a tensor; of a sparse one, as the momentum of a sparse embedding is, that of its parts."""
    if tensor.layout != torch.sparse_coo:
        return tensor.nbytes
    whole = tensor.coalesce()
    return whole.indices().nbytes + whole.values().nbytes


def _copied(state: Any) -> Any:
    """Return a copy of a nested state with its own tensors, in main memory."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: _copied(value) for key, value in state.items()}
    if type(state) is tuple:
        return tuple(map(_copied, state))
    return [_copied(value) for value in state] if isinstance(state, list) else state
