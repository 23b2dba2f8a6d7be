"""Writes a folder for another tool, whole and checked, or not at all."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.data.dataset import Progress
from core.errors import InputError
from core.files.atomic import as_usual, creating
from core.files.temporary import LOCK_NAME, hidden_folder, sync_folder
from core.options import choices
from core.remedies import OTHER_OUTPUT

if TYPE_CHECKING:
    from core.runs.folder import Run

__all__ = ["Exported", "export"]


@dataclass(frozen=True)
class Exported:
    """Files that were written.

    Attributes:
        difference: largest one between the answers of both models; None without a model.
        notes: what the format cannot hold, a line each.
    """

    folder: Path
    files: tuple[str, ...]
    difference: float | None
    notes: tuple[str, ...] = ()


def export(run: "Run", to: str, folder: Path, *, data_root: Path | None, progress: Progress) -> Exported:
    """Write a run in a format into a new folder.

    Args:
        to: name of the format.
        folder: is made; it must not be there, or be empty.

    Raises:
        InputError: the format is unknown, or the folder holds something.
        TorchtuiError: it cannot be exported; nothing is left behind.
    """
    from core.export.formats import FormatConfig

    formats = choices(FormatConfig)
    if to not in formats:
        raise InputError(f"unknown format '{to}'", f"Takes {', '.join(formats)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} already exists", ("Give ", OTHER_OUTPUT))
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise InputError(f"folder not found: {parent}", "Give a folder whose parent exists")
    notes: list[str] = []
    with (
        creating(folder, ("give ", OTHER_OUTPUT)),
        hidden_folder(parent, f".{folder.name}.") as work,
    ):
        difference = cast(FormatConfig, formats[to]()).write(run, work, data_root, progress, notes)
        for path in work.iterdir():
            as_usual(path)
        work.replace(folder)
        (folder / LOCK_NAME).unlink()
        sync_folder(parent)
    return Exported(folder, tuple(sorted(path.name for path in folder.iterdir())), difference, tuple(notes))
