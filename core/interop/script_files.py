"""The files of a run that somebody's own script writes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, RunDamaged, RunError
from core.events import CheckpointSaved, EpochFinished, Event, Notice, RunStarted, from_json, to_json
from core.interop.best_epoch import Best
from core.runs.creating import create_folder, write_sections
from core.runs.folder import Run
from core.runs.origin.environment import write_environment

if TYPE_CHECKING:
    from core.runs.checkpoints import FolderCheckpoints

__all__ = ["ScriptCheckpoints", "ensure_readable", "make_folder", "plain_name"]


def make_folder(runs_dir: Path, name: str, sections: Mapping[str, Mapping[str, Any]]) -> Run:
    """A new folder with the configuration and the environment in it.

    Raises:
        RunError: it cannot be written.
    """

    def fill(run: Run) -> None:
        write_sections(run, sections)
        write_environment(run)

    return create_folder(runs_dir, plain_name(name), fill)


def plain_name(name: str) -> str:
    """The part of a folder's name that stands for the name of a script's run."""
    return re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")[:60] or "script"


class ScriptCheckpoints:
    """Keeps the weights of a script's run; torch is imported at the first ones."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._checkpoints: FolderCheckpoints | None = None

    def save(self, weights: Mapping[str, Any], epoch: int, step: int, best: Best) -> Iterator[Event]:
        """Write a state_dict as ``last.pt``, right after the best epoch as ``best.pt`` too; return the outcome.

        Raises:
            DataError: it holds objects that no checkpoint is read back with.
        """
        from core.runs.checkpoints import FolderCheckpoints

        ensure_plain_state("weights", weights)
        state = {"model": dict(weights), "epoch": epoch, "step": step}
        try:
            self._checkpoints = kept = self._checkpoints or FolderCheckpoints(self._run)
            kept.save({**state, "progress": {"epoch": epoch, "step": step}}, "last")
            yield CheckpointSaved(kind="last", epoch=epoch, step=step)
            if best.epoch == epoch:
                kept.save({**state, "value": best.value}, "best")
                yield CheckpointSaved(kind="best", epoch=epoch, step=step)
        except RunError as error:
            yield Notice(level="error", message=f"checkpoint not saved: {error}")


def ensure_plain_state(name: str, value: Any) -> None:
    """Make sure that a state holds tensors and plain values alone: nothing else is ever read from a checkpoint.

    Raises:
        DataError: it holds something else; the message names where.
    """
    import torch

    if isinstance(value, Mapping):
        for key, item in value.items():
            ensure_plain_state(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            ensure_plain_state(f"{name}[{number}]", item)
    elif not isinstance(
        value, torch.Tensor | torch.dtype | torch.device | bool | int | float | str | bytes | None
    ):
        raise DataError(
            f"{name}: got a {type(value).__name__}", "Give tensors, numbers and text, such as a state_dict"
        )


def ensure_readable(event: RunStarted | EpochFinished) -> None:
    """Reject values that would become a line nobody can read.

    Raises:
        DataError: a count is negative, or a matrix is not square.
    """
    if isinstance(event, EpochFinished) and any(len(row) != len(event.confusion) for row in event.confusion):
        raise DataError("confusion: it is not square", "Give one row and one column for each class")
    try:
        from_json(to_json(event, ""))
    except RunDamaged as error:
        raise DataError(error.message.partition(": ")[2], "Give counts from 0 and names as text") from None
