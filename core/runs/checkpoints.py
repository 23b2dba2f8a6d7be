"""Checkpoints on disk: written whole, read without running any code from them."""

from typing import Any, BinaryIO, Literal

import torch

from core.errors import RunDamaged
from core.files import write_atomically
from core.runs.folder import Run

__all__ = ["FolderCheckpoints", "load_checkpoint"]

FORMAT = 1


class FolderCheckpoints:
    """Keeps ``last.pt`` and ``best.pt`` in the folder of a run."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def save(self, state: dict[str, Any], kind: Literal["last", "best"]) -> None:
        """Write `state` in place of the earlier checkpoint of its kind.

        Raises:
            RunError: it cannot be written; the earlier one is untouched.
        """
        path = self.run.checkpoint_file(kind)
        write_atomically(path, lambda file: _save({"format": FORMAT, **state}, file))


def _save(state: dict[str, Any], file: BinaryIO) -> None:
    """``torch.save`` that raises what the operating system said, such as a full disk, instead of its own guess."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None


def load_checkpoint(run: Run, kind: str) -> dict[str, Any]:
    """The state saved as ``last`` or ``best``, on the CPU.

    Raises:
        RunDamaged: the file is missing or damaged.
    """
    path = run.checkpoint_file(kind)
    wanted = {"model", "progress"} if kind == "last" else {"model"}
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunDamaged(f"{run.id} has no checkpoint {path.name}", "Start the run anew") from None
    except Exception as error:  # the unpickler raises whatever it trips over in a damaged file
        reason = str(error).partition("\n")[0]
        raise RunDamaged(
            f"{path} cannot be read: {reason}", "Restore the file, or start the run anew"
        ) from None
    if not isinstance(state, dict) or not wanted <= state.keys():
        raise RunDamaged(f"{path} is not a checkpoint", "Restore the file, or start the run anew")
    return state
