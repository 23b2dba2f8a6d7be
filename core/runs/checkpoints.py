"""Checkpoints on disk: written whole, checked before they are read, read without running any code from them."""

import math
from typing import Any, BinaryIO, Literal

import torch

from core.errors import RunDamaged
from core.files.atomic import archive_damage, creating, write_atomically
from core.files.reading import open_regular
from core.runs.folder import Run, ensure_plain

__all__ = ["FolderCheckpoints", "State", "load_checkpoint", "load_latest"]

FORMAT = 1
State = dict[str, Any]
"""Content of a checkpoint; see `core.training.engine`."""


class FolderCheckpoints:
    """Keeps ``last.pt``, the one before it as ``previous.pt``, and ``best.pt`` in the folder of a run.

    Only the process that trains the run may make one: what a killed process left half written is removed.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._last_is_good = False
        self._best_value: float | None = None
        folder = run.checkpoint_file("last").parent
        with creating(folder):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink()

    def save(self, state: State, kind: Literal["last", "best"]) -> None:
        """Write `state` in place of the earlier checkpoint of its kind; a worse best epoch is left out.

        Raises:
            RunError: it cannot be written; the earlier one is untouched.
        """
        ensure_plain(self.run)
        if kind == "best":
            self._save_best(state)
        else:
            self._save_last(state)

    def _save_last(self, state: State) -> None:
        """A damaged file does not take the place of the good one before it."""
        path = self.run.checkpoint_file("last")
        good = self._last_is_good or not archive_damage(path)
        _write(self.run, state, "last", keep=good)
        self._last_is_good = True

    def _save_best(self, state: State) -> None:
        """After a return to an earlier checkpoint the file may hold a better epoch than those trained since."""
        if self._best_value is None:
            self._best_value = _value_of_best(self.run)
        if state["value"] < self._best_value:
            _write(self.run, state, "best")
            self._best_value = state["value"]


def _write(run: Run, state: State, kind: str, keep: bool = False) -> None:
    previous = run.checkpoint_file("previous") if keep else None
    content = {"format": FORMAT, **state}
    write_atomically(run.checkpoint_file(kind), lambda file: _save(content, file), keep=previous)


def _save(state: State, file: BinaryIO) -> None:
    """``torch.save`` that raises what the operating system said, such as a full disk, instead of its own guess."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None


def _value_of_best(run: Run) -> float:
    """Return the value that chose the epoch in ``best.pt``, lower is better; infinite without one."""
    try:
        value = load_checkpoint(run, "best").get("value")
    except RunDamaged:
        return math.inf
    return value if isinstance(value, float | int) else math.inf


def load_checkpoint(run: Run, kind: str) -> State:
    """The state saved as ``last``, ``previous`` or ``best``, on the CPU.

    Raises:
        RunDamaged: the file is missing or damaged.
    """
    path = run.checkpoint_file(kind)
    wanted = {"model"} if kind == "best" else {"model", "progress"}
    if not path.exists():
        raise RunDamaged(f"{run.id} has no checkpoint {path.name}", "Start the run again")
    damage = archive_damage(path)  # torch itself reads flipped bits without a word
    state: Any = None
    if not damage:
        try:
            with open_regular(path) as file:
                state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises whatever it trips over in a file of another origin
            damage = str(error).partition("\n")[0]
    if damage:
        raise RunDamaged(f"{path} cannot be read: {damage}", "Restore the file, or start the run again")
    if not isinstance(state, dict) or not wanted <= state.keys():
        raise RunDamaged(f"{path} is not a checkpoint", "Restore the file, or start the run again")
    return state


def load_latest(run: Run) -> tuple[State | None, str]:
    """The newest state to resume from, and what is wrong with a newer one; None when nothing was ever saved.

    Raises:
        RunDamaged: none of the files can be read.
    """
    problems: list[str] = []
    for kind in ("last", "previous"):
        try:
            state = load_checkpoint(run, kind)
            if _is_resumable(state):
                return state, " and ".join(problems)
            problems.append(f"{run.checkpoint_file(kind)} is not a checkpoint to resume from")
        except RunDamaged as error:
            problems.append(error.message)
    if not any(run.checkpoint_file(kind).exists() for kind in ("last", "previous")):
        return None, ""
    raise RunDamaged(" and ".join(problems), "Restore one of the files, or start the run again")


def _is_resumable(state: State) -> bool:
    """Return whether a state has the parts that training writes; that they fit the model shows when it loads them."""
    if not state.keys() >= {"optimizer", "rng", "best"}:
        return False
    progress, best = state["progress"], state["best"]
    counts = isinstance(progress, dict) and all(
        isinstance(progress.get(key), int) for key in ("epoch", "step")
    )
    return counts and (
        best is None or (isinstance(best, dict) and best.keys() >= {"model", "epoch", "value"})
    )
