"""Which images a folder holds: a folder for each class, maybe within train, val and test."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.images.pictures import ENDINGS
from core.errors import DataError

__all__ = ["Listing", "list_folder", "named"]

SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"} | {
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
LAYOUT = "Put the images of each class into a folder of its own, maybe within train, val and test"


@dataclass(frozen=True, eq=False)
class Listing:
    """What lies in a folder.

    Attributes:
        files: (n) paths within `folder`, sorted.
        classes: (n,) int64 place of each file's class in `class_names`.
        parts: the positions of each split that has a folder of its own; else all of them as ``train``.
        digest: changes when files come, go, or change their size or time.
        names_and_sizes: a digest of these alone, which a copy of the folder shares.
        notes: what was left out, a line each.
    """

    folder: Path
    files: list[str]
    classes: np.ndarray
    class_names: tuple[str, ...]
    parts: dict[str, np.ndarray]
    digest: str
    names_and_sizes: str
    notes: tuple[str, ...]


@dataclass
class _Scan:
    """Collects images while folders are gone through."""

    root: Path
    digest: "hashlib._Hash"
    names_and_sizes: "hashlib._Hash"
    others: int = 0
    first_other: str = ""

    def images(self, folder: str, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
        """Paths within the root of all images below a folder, sorted; a link that leads back up is not followed."""
        entries = sorted(_visible(self.root / folder), key=lambda entry: entry.name)
        for entry in entries:
            path = f"{folder}/{entry.name}"
            try:
                facts = entry.stat()
            except OSError as error:
                if os.path.splitext(entry.name)[1].lower() in ENDINGS:
                    raise DataError(
                        f"data.path: cannot read {named(path)}: {error.strerror}", "Remove it"
                    ) from None
                continue
            if entry.is_dir():
                identity = facts.st_dev, facts.st_ino
                if identity not in above:
                    yield from self.images(path, above | {identity})
            elif entry.is_file() and os.path.splitext(entry.name)[1].lower() in ENDINGS:
                self.digest.update(os.fsencode(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\0"))
                self.names_and_sizes.update(os.fsencode(f"{path}\0{facts.st_size}\0"))
                yield path
            else:
                self.others += 1
                self.first_other = self.first_other or path


def list_folder(folder: Path) -> Listing:
    """Go through a folder; hidden files and folders are left out.

    Raises:
        DataError: it is not there, or is not laid out in classes.
    """
    folders, loose = _folders(folder)
    if not folders:
        raise DataError(
            f"data.path: {folder} holds {loose:,} images but no folders"
            if loose
            else f"data.path: {folder} is empty",
            LAYOUT,
        )
    by_split = _split_folders(folders)
    train = by_split["train"] if by_split else ""
    class_folders, loose = _folders(folder / train)
    numeric = all(name.isdecimal() for name in class_folders)
    ordered = sorted(class_folders, key=lambda name: (int(name) if numeric else 0, name))
    scan = _Scan(folder, hashlib.sha256(), hashlib.sha256())
    files: list[str] = []
    classes: list[int] = []
    parts: dict[str, np.ndarray] = {}
    notes = [_note_of_loose(loose, train)] if loose else []
    names: list[str] = []
    for split, inside in (by_split or {"train": ""}).items():
        begin = len(files)
        if split != "train":
            _check_classes(folder, inside, ordered)
        for name in ordered:
            within = f"{inside}/{name}" if inside else name
            found = list(scan.images(within)) if (folder / within).is_dir() else []
            if split == "train" and found:
                names.append(name)
            elif split == "train":
                notes.append(f"left out the class {named(name)}: its folder holds no images")
            elif found and name not in names:
                raise DataError(
                    f"data.path: {named(within)} holds images, but train has none of {named(name)}", LAYOUT
                )
            files += found
            classes += [names.index(name) if name in names else 0] * len(found)
        parts[split] = np.arange(begin, len(files))
    if len(names) < 2:
        what = f"the one class {named(names[0])}" if names else "no images"
        hint = f"{LAYOUT}; images end in {', '.join(sorted(ENDINGS))}"
        raise DataError(f"data.path: {folder / train} holds {what}", hint)
    if scan.others:
        notes.append(
            f"left out {scan.others:,} files that are no images, the first is {named(scan.first_other)}"
        )
    return Listing(
        folder=folder,
        files=files,
        classes=np.array(classes, dtype=np.int64),
        class_names=tuple(named(name) for name in names),
        parts={split: at for split, at in parts.items() if len(at)},
        digest=scan.digest.hexdigest(),
        names_and_sizes=scan.names_and_sizes.hexdigest(),
        notes=tuple(notes),
    )


def named(path: str) -> str:
    """A path as text, with bytes that are no text written out."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    except OSError as error:
        raise DataError(
            f"data.path: cannot read {named(str(folder))}: {error.strerror}",
            "Give the path of a folder of images",
        ) from None


def _folders(folder: Path) -> tuple[list[str], int]:
    """Names of the folders in one, and how many images lie beside them."""
    entries = _visible(folder)
    images = [entry for entry in entries if os.path.splitext(entry.name)[1].lower() in ENDINGS]
    return [entry.name for entry in entries if entry.is_dir()], len(images)


def _split_folders(folders: list[str]) -> dict[str, str]:
    """The folder of each split, train first; empty where the folders are classes."""
    known = [name for name in folders if name.lower() in SPLITS]
    by_split: dict[str, str] = {}
    for name in sorted(known):
        split = SPLITS[name.lower()]
        if split in by_split:
            raise DataError(
                f"data.path: both {by_split[split]} and {name} could be the {split} split", "Rename one"
            )
        by_split[split] = name
    if "train" not in by_split or (len(by_split) == 1 and len(folders) > 1):
        return {}
    return {split: by_split[split] for split in ("train", "validation", "test") if split in by_split}


def _check_classes(folder: Path, inside: str, known: list[str]) -> None:
    """The folder of another split has no classes that train lacks, and no images outside of them."""
    folders, loose = _folders(folder / inside)
    if loose and not folders:
        raise DataError(
            f"data.path: {folder / inside} holds {loose:,} images but no folders of classes",
            "Sort them into the classes of train, or rename the folder to begin with a dot",
        )
    new = sorted(set(folders) - set(known))
    if new:
        raise DataError(f"data.path: {inside} has the class {named(new[0])}, which train lacks", LAYOUT)


def _note_of_loose(count: int, folder: str) -> str:
    return f"left out {count:,} images that lie beside the classes{f' in {folder}' if folder else ''}"
