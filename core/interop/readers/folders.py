"""Folders in which logs are looked for."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Folder", "folder_at"]


@dataclass
class Folder:
    """The names in a folder; hidden folders and links to folders are left out.

    Attributes:
        folders: who finds a log in the folder takes those away that are a part of it.
    """

    path: Path
    files: list[str]
    folders: list[str]


def folder_at(path: Path) -> Folder:
    """Return what is in a folder; nothing if it cannot be read."""
    files, folders = list[str](), list[str]()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        folders.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    except OSError:
        pass
    return Folder(path, sorted(files), sorted(folders))
