"""Checkpoints on disk: written whole, checked before they are read, read without running any code from them."""

import math
from typing import Any, Literal

import torch

from core.config.checkpoints import KeptCheckpoints
from core.errors import RunDamaged
from core.files.atomic import archive_damage, creating, write_atomically
from core.files.reading import open_regular
from core.runs.divided.files import PartFolders, Writers, save_archive, size_of, whole
from core.runs.folder import Run, ensure_plain

__all__ = ["FolderCheckpoints", "State", "load_checkpoint", "load_latest", "load_weights"]

FORMAT = 1
MAX_REPEATED = 1 << 28
"""Bytes of a tensor that repeats its numbers, such as an expanded mask."""
GB = 1e9
OF_AVERAGE = "module."
"""Prefix of the averaged weights in the state of a moving average."""
NONE_KEPT = KeptCheckpoints()
State = dict[str, Any]
"""Content of a checkpoint; see `core.training.engine`."""


class FolderCheckpoints:
    """Keeps ``last.pt``, the one before it as ``previous.pt``, and ``best.pt`` in the folder of a run.

    Those of the epochs that the configuration wants to keep are ``epoch-10.pt`` and so on. Which of them go follows
    from the state that is saved: after a kill the epoch is done again, and so are the deletions.

    Only the process that trains the run may make one: what a killed process left half written is removed.

    Args:
        kept: which epochs are kept.
        writers: the processes that each write a part; see `core.runs.divided.files`.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(self, run: Run, kept: KeptCheckpoints = NONE_KEPT, writers: Writers | None = None) -> None:
        self.run, self.kept = run, kept
        self._told_of_limit = False
        self._last_is_good = False
        self._best_value: float | None = None
        folder = run.checkpoint_file("last").parent
        with creating(folder):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink()
        self._parts = PartFolders(run, writers)

    def save(self, state: State, kind: Literal["last", "best", "epoch"]) -> str | None:
        """Write `state` in place of the earlier checkpoint of its kind; a worse best epoch is left out.

        Returns:
            What is to be reported, if anything.

        Raises:
            RunError: it cannot be written; the earlier one is untouched.
        """
        failed = True
        try:
            message = self._save(state, kind)
            failed = False
        finally:
            self._parts.conclude(failed)
        return message

    def _save(self, state: State, kind: Literal["last", "best", "epoch"]) -> str | None:
        ensure_plain(self.run)
        if kind == "epoch":
            return self._save_epoch(state)
        if kind == "best":
            self._save_best(state)
        else:
            self._save_last(state)
        return None

    def _save_epoch(self, state: State) -> str | None:
        """Epochs after this one are left alone: those of an earlier session are soon written again."""
        progress = state["progress"]
        epoch, best = progress["epoch"], {number for _, number in progress["top"]}
        self._write(state, f"epoch-{epoch}")
        for earlier in self.run.kept_epochs():
            if earlier < epoch and not self.kept.wants(earlier, best):
                self._delete(earlier)
        return self._keep_limit()

    def _keep_limit(self) -> str | None:
        """Delete the oldest until the others fit into the disk space that they may take; return a line, once."""
        epochs = self.run.kept_epochs()
        sizes = [size_of(self.run, f"epoch-{epoch}") for epoch in epochs]
        deleted: list[str] = []
        while self.kept.max_gb and sum(sizes[len(deleted) :]) > self.kept.max_gb * GB:
            self._delete(epochs[len(deleted)])
            deleted.append(f"epoch-{epochs[len(deleted)]}")
        if not deleted or self._told_of_limit:
            return None
        self._told_of_limit = True
        what = f"the kept checkpoints take more than checkpoints.max_gb, {self.kept.max_gb:g} GB"
        if len(deleted) == len(epochs):
            return f"{what}, and so does one alone, {sizes[-1] / GB:.3g} GB: none is kept"
        return f"{what}: deleted {', '.join(deleted)}, and from now on the oldest one each time"

    def _delete(self, epoch: int) -> None:
        path = self.run.checkpoint_file(f"epoch-{epoch}")
        with creating(path):
            path.unlink(missing_ok=True)
        self._parts.name(path.stem, None)

    def _save_last(self, state: State) -> None:
        """A damaged file does not take the place of the good one before it."""
        path = self.run.checkpoint_file("last")
        good = self._last_is_good or not archive_damage(path, compressed=False)
        self._write(state, "last", keep=good)
        self._last_is_good = True

    def _save_best(self, state: State) -> None:
        """After a return to an earlier checkpoint the file may hold a better epoch than those trained since."""
        if self._best_value is None:
            self._best_value = _value_of_best(self.run)
        if state["value"] < self._best_value:
            self._write(state, "best")
            self._best_value = state["value"]

    def _write(self, state: State, kind: str, keep: bool = False) -> None:
        path, previous = self.run.checkpoint_file(kind), self.run.checkpoint_file("previous")
        content = {"format": FORMAT, **self._parts.written(state)}
        keep = keep and path.exists()
        write_atomically(path, lambda file: save_archive(content, file), keep=previous if keep else None)
        self._parts.name(kind, content, keep=keep)


def _value_of_best(run: Run) -> float:
    """Return the value that chose the epoch in ``best.pt``, lower is better; infinite without one."""
    try:
        value = load_checkpoint(run, "best").get("value")
    except RunDamaged:
        return math.inf
    return value if isinstance(value, float | int) else math.inf


def load_checkpoint(run: Run, kind: str) -> State:
    """The state saved as ``last``, ``previous``, ``best`` or, of an epoch, ``epoch-10``, on the CPU.

    Raises:
        RunDamaged: the file is missing or damaged.
    """
    path = run.checkpoint_file(kind)
    wanted = {"model"} if kind == "best" else {"model", "progress"}
    if not path.exists():
        raise RunDamaged(f"{run.id} has no checkpoint {path.name}", "Start the run again")
    damage = archive_damage(path, compressed=False)  # torch itself reads flipped bits without a word
    state: Any = None
    if not damage:
        try:
            with open_regular(path) as file:
                state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises whatever it trips over in a file of another origin
            damage = str(error).partition("\n")[0]
    if not damage and _claims_more_than_it_holds(state):
        damage = "it claims more numbers than it holds"
    if damage:
        raise RunDamaged(f"{path} cannot be read: {damage}", "Restore the file, or start the run again")
    if not isinstance(state, dict) or not wanted <= state.keys():
        raise RunDamaged(f"{path} is not a checkpoint", "Restore the file, or start the run again")
    return whole(run, state)


def load_weights(run: Run) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the weights to evaluate of the checkpoint that `run` names, as its network's state_dict, on the CPU.

    Of a moving average of the weights it is the average. The second one is the state_dict of the user's own loss, empty
    without one.

    Raises:
        RunDamaged: the file is missing or damaged.
    """
    state = load_checkpoint(run, run.checkpoint)
    average = state.get("ema") or {}
    weights = {
        key.removeprefix(OF_AVERAGE): value for key, value in average.items() if key.startswith(OF_AVERAGE)
    }
    return weights or state["model"], state.get("loss", {})


def _claims_more_than_it_holds(state: Any) -> bool:
    """Return whether a tensor repeats few numbers to a size that nobody saves: whoever copies it fills the memory."""
    if isinstance(state, torch.Tensor):
        return (
            state.layout == torch.strided
            and state.nbytes > MAX_REPEATED
            and state.nbytes > state.untyped_storage().nbytes()
        )
    if isinstance(state, dict | list | tuple):
        values = state.values() if isinstance(state, dict) else state
        return any(_claims_more_than_it_holds(value) for value in values)
    return False


def load_latest(run: Run) -> tuple[State | None, str]:
    """The newest state to resume from, and what is wrong with a newer one; None when nothing was ever saved.

    It is that of the checkpoint that `run` names, if that is another than the best weights.

    Raises:
        RunDamaged: none of the files can be read.
    """
    if run.checkpoint != "best":
        state = load_checkpoint(run, run.checkpoint)
        if not _is_resumable(state):
            raise RunDamaged(f"{run.checkpoint_file(run.checkpoint)} is not a checkpoint to resume from")
        return state, ""
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
