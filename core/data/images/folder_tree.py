"""A folder as a tree: its images and its other files, without what operating systems leave behind."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.data.images.file_kinds import is_image, is_litter
from core.errors import DataError

__all__ = ["ImageFile", "Node", "named", "scan", "shown"]


class ImageFile(NamedTuple):
    """An image: its path within the root, its size in bytes, and its time of change in nanoseconds."""

    path: str
    size: int
    time: int


@dataclass
class Node:
    """A folder.

    Attributes:
        path: within the root; empty for the root itself.
        children: its images and its folders, by name.
        others: names of its other files.
    """

    path: str
    children: list["ImageFile | Node"] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folders(self) -> dict[str, "Node"]:
        """The folders in it that hold images at any depth, by name."""
        return {child.name: child for child in self.children if isinstance(child, Node) and child.has_images}

    @property
    def loose(self) -> list[ImageFile]:
        """The images that lie directly in it."""
        return [child for child in self.children if isinstance(child, ImageFile)]

    @property
    def has_images(self) -> bool:
        """Return whether there are images in it at any depth."""
        return any(isinstance(child, ImageFile) or child.has_images for child in self.children)

    def images(self) -> Iterator[ImageFile]:
        """Yield all images at any depth, sorted by name."""
        for child in self.children:
            if isinstance(child, Node):
                yield from child.images()
            else:
                yield child

    def walk(self) -> Iterator["Node"]:
        """Yield this folder and all folders in it."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()


def scan(root: Path) -> tuple[Node, list[str]]:
    """Read a folder; hidden files and folders, and those of operating systems, are left out.

    Links to folders are followed unless they lead into the root, or to a folder above it: each image counts once.

    Returns:
        The tree, and a note for each link that was not followed.

    Raises:
        DataError: the folder, or an image in it, cannot be read.
    """
    notes: list[str] = []
    tree = _read(root, "", frozenset({os.path.realpath(root)}), notes)
    return tree, notes


def _read(root: Path, path: str, above: frozenset[str], notes: list[str]) -> Node:
    """Read a folder; `above` are the real paths of the root and of the links followed so far."""
    node = Node(path)
    try:
        with os.scandir(root / path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"data.path: cannot read {shown(str(root / path))}: {error.strerror}",
            "Give the path of a folder of images",
        ) from None
    for entry in entries:
        if is_litter(entry.name):
            continue
        inner = f"{path}/{entry.name}" if path else entry.name
        try:
            facts = entry.stat()
        except OSError as error:
            if is_image(entry.name):
                raise DataError(
                    f"data.path: cannot read {shown(inner)}: {error.strerror}", "Remove it"
                ) from None
            continue
        if not entry.is_dir():
            if entry.is_file() and is_image(entry.name):
                node.children.append(ImageFile(inner, facts.st_size, facts.st_mtime_ns))
            else:
                node.others.append(entry.name)
        elif not entry.is_symlink():
            node.children.append(_read(root, inner, above, notes))
        else:
            target = os.path.realpath(entry.path)
            if any(_is_within(target, seen) or _is_within(seen, target) for seen in above):
                notes.append(f"left out the link {shown(inner)}: it leads to a folder that is read anyway")
            else:
                node.children.append(_read(root, inner, above | {target}, notes))
    return node


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def named(path: str) -> str:
    """Return a path as text, with bytes that are not text written out."""
    return os.fsencode(path).decode(errors="backslashreplace")


def shown(path: str) -> str:
    """Return a path as one line of text for a message, with characters that cannot be printed written out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in named(path)
    )
