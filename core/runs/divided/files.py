"""Checkpoints that several processes write together: each its part, beside a file of what is not divided.

    last.pt             names the folder of its parts; written last, and put in place at once
    parts-7/1-of-2.pt   rows of each divided tensor that the first of two processes has

A kill at any moment leaves the earlier file, whose parts are whole; folders that no file names are removed later.
"""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import torch

from core.errors import RunDamaged, RunError
from core.files.atomic import archive_damage, creating, write_atomically
from core.files.reading import open_regular
from core.runs.divided.joining import joined
from core.runs.folder import Run

__all__ = ["OtherParts", "PartFolders", "Writers", "save_archive", "size_of", "whole"]

FOLDER = re.compile(r"parts-(\d{1,9})")
MAX_PROCESSES = 100_000
Content = dict[str, Any]
"""A state, as `core.runs.checkpoints` has it."""
SKIPPED, FAILED, WRITTEN = -1, -2, -3
"""What the first process says in place of the number of a folder."""


class Writers(Protocol):
    """The processes that write one checkpoint together; each call waits for the others."""

    @property
    def rank(self) -> int: ...

    @property
    def size(self) -> int: ...

    def first(self, value: int) -> int:
        """Return the value of the first process, in each."""

    def all_did(self, done: bool) -> bool:
        """Return whether all have done their part."""


class PartFolders:
    """The folders of parts of one run, kept by the first process.

    Args:
        writers: the processes of a training whose states are divided; None for any other.
    """

    def __init__(self, run: Run, writers: Writers | None = None) -> None:
        self.run, self.writers = run, writers
        self._folder = run.checkpoint_file("last").parent
        self._of_kind = _folders_by_kind(self._folder) if _numbers(self._folder) else {}
        self._is_pending = False

    def written(self, state: Content) -> Content:
        """Return what the checkpoint itself holds, after all processes have written their parts of a divided state.

        Raises:
            RunError: one of them could not.
        """
        if "parts" not in state or self.writers is None:
            return state
        number = max(_numbers(self._folder), default=0) + 1
        folder = self._folder / f"parts-{number}"
        self._is_pending = True
        self.writers.first(number)
        error = _write_part(folder, state, self.writers)
        if not self.writers.all_did(error is None):
            shutil.rmtree(folder, ignore_errors=True)
            raise error or RunError("another process of this run could not write its part of the checkpoint")
        index = {key: value for key, value in state.items() if key != "parts"}
        if best := state.get("best"):
            index["best"] = {key: value for key, value in best.items() if key != "parts"}
        return {**index, "folder": folder.name, "processes": self.writers.size}

    def name(self, kind: str, state: Content | None, *, keep: bool = False) -> None:
        """Note which folder a checkpoint names now, and remove those that none names.

        Args:
            state: as written; None for a checkpoint that was deleted.
            keep: whether the last one has become the previous one.
        """
        if keep and "last" in self._of_kind:
            self._of_kind["previous"] = self._of_kind["last"]
        elif keep:
            self._of_kind.pop("previous", None)
        self._of_kind.pop(kind, None)
        if state is not None and "folder" in state:
            self._of_kind[kind] = state["folder"]
        for number in _numbers(self._folder):
            if (name := f"parts-{number}") not in self._of_kind.values():
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def conclude(self, failed: bool) -> None:
        """Tell the other processes how a call of `FolderCheckpoints.save` ended."""
        if self.writers is None:
            return
        done, self._is_pending = (WRITTEN if self._is_pending else SKIPPED), False
        self.writers.first(FAILED if failed else done)


class OtherParts:
    """Checkpoints of a process other than the first, which decides and commits."""

    def __init__(self, run: Run, writers: Writers) -> None:
        self._folder, self._writers = run.checkpoint_file("last").parent, writers

    def save(self, state: Content, kind: Literal["last", "best", "epoch"]) -> str | None:
        """Write the part of this process, if the first one writes.

        Raises:
            RunError: one of the processes could not.
        """
        number, error = self._writers.first(0), None
        if number >= 0:
            error = _write_part(self._folder / f"parts-{number}", state, self._writers)
            self._writers.all_did(error is None)
            number = self._writers.first(0)
        if number == FAILED:
            raise error or RunError("another process of this run could not write the checkpoint")
        return None


def whole(run: Run, state: Content) -> Content:
    """Return a state read from a checkpoint with the parts that other files hold in their places.

    Raises:
        RunDamaged: one of them is missing or damaged.
    """
    if "folder" not in state:
        return state
    name, processes = state["folder"], state.get("processes")
    if not isinstance(name, str) or not FOLDER.fullmatch(name) or not isinstance(processes, int):
        raise RunDamaged("a checkpoint names no folder of parts", "Restore the file, or start the run again")
    folder = run.checkpoint_file("last").parent / name
    if not 0 < processes <= MAX_PROCESSES or folder.is_symlink():
        raise RunDamaged(f"{folder} is not a folder of parts", "Restore it, or start the run again")
    parts = [_read_part(_part_file(folder, rank, processes)) for rank in range(processes)]
    state = {key: value for key, value in state.items() if key not in ("folder", "processes")}
    try:
        best = state.get("best")
        if best and "divided" in best:
            state["best"] = joined(best, [part["best"] for part in parts])
        return joined(state, [part["parts"] for part in parts])
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        said = str(error).partition("\n")[0]
        raise RunDamaged(
            f"{folder} does not fit its checkpoint: {said}", "Restore it, or start the run again"
        ) from None


def size_of(run: Run, kind: str) -> int:
    """Return the bytes of a checkpoint with its parts."""
    path = run.checkpoint_file(kind)
    folder = _folders_by_kind(path.parent, [path]).get(kind) if _numbers(path.parent) else None
    parts = (path.parent / folder).glob("*.pt") if folder else ()
    return sum(file.stat().st_size for file in (path, *parts))


def save_archive(state: Content, file: BinaryIO) -> None:
    """``torch.save`` that raises what the operating system said, such as a full disk, instead of its own guess."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None


def _write_part(folder: Path, state: Content, writers: Writers) -> RunError | None:
    """Write the tensors that this process has a part of; return why that did not work."""
    content = {"parts": state["parts"], "best": (state.get("best") or {}).get("parts", {})}
    try:
        with creating(folder):
            folder.parent.mkdir(exist_ok=True)
            folder.mkdir(exist_ok=True)
        path = _part_file(folder, writers.rank, writers.size)
        write_atomically(path, lambda file: save_archive(content, file))
    except RunError as error:
        return error
    return None


def _part_file(folder: Path, rank: int, size: int) -> Path:
    return folder / f"{rank + 1}-of-{size}.pt"


def _read_part(path: Path) -> dict[str, Any]:
    damage = archive_damage(path, compressed=False)
    part: Any = None
    if not damage:
        try:
            with open_regular(path) as file:
                part = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises whatever it trips over in a file of another origin
            damage = str(error).partition("\n")[0]
    if damage or not isinstance(part, dict) or not part.keys() >= {"parts", "best"}:
        raise RunDamaged(
            f"{path} cannot be read: {damage or 'it is not a part of a checkpoint'}",
            "Restore the file, or start the run again",
        )
    return part


def _numbers(folder: Path) -> list[int]:
    """Return the numbers of the folders of parts."""
    with suppress(OSError):
        found = (FOLDER.fullmatch(entry.name) for entry in folder.iterdir() if entry.is_dir())
        return [int(match[1]) for match in found if match]
    return []


def _folders_by_kind(folder: Path, files: Iterable[Path] = ()) -> dict[str, str]:
    """Return the folder that each checkpoint names which names one; a damaged one names none."""
    named = {}
    for path in files or folder.glob("*.pt"):
        with suppress(Exception), open_regular(path) as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
            if isinstance(state, dict) and isinstance(state.get("folder"), str):
                named[path.stem] = state["folder"]
    return named
