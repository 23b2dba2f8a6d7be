"""NumPy's files opened: which arrays they hold, and which are inputs and targets."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.data.arrays.array_samples import Given
from core.errors import DataError
from core.remedies import setting

__all__ = ["read_arrays"]

PAIRS = (
    ("inputs", "targets"),
    ("x", "y"),
    ("x_train", "y_train"),
    ("train_x", "train_y"),
    ("images", "labels"),
    ("train_images", "train_labels"),
    ("features", "labels"),
    ("features", "targets"),
    ("data", "labels"),
    ("data", "target"),
    ("data", "targets"),
)
"""Usual names of inputs and targets, as a person might have written them; upper or lower case."""


def read_arrays(path: str, inputs: str, targets: str) -> Given:
    """Inputs and targets, with those of a test set where the file has one.

    Args:
        inputs, targets: as `Arrays` has them; empty to find them.

    Raises:
        DataError: the file, or a name, is wrong.
    """
    if not path:
        raise DataError("data.path: no file is given", "Give an .npz or .npy file")
    file = Path(path).expanduser()
    if file.suffix.lower() == ".npy":
        beside = _beside(file, targets)
        return Given((_open(file), _open(beside)), None, file.name, (file.name, beside.name))
    with _open(file) as archive:
        names = _names(file, tuple(archive), inputs, targets)
        test_names = _test_names(tuple(archive), names)
        train = _member(file, archive, names[0]), _member(file, archive, names[1])
        test = test_names and (_member(file, archive, test_names[0]), _member(file, archive, test_names[1]))
    return Given(train, test, file.name, names)


def _open(file: Path) -> Any:
    """What numpy.load gives: an array that stays on disk until it is read, or an archive of some."""
    if file.is_dir():
        raise DataError(f"data.path: {file} is a folder", "Give an .npz or .npy file")
    try:
        if file.stat().st_size == 0:
            raise DataError(
                f"data.path: {file} is empty", "Write it with numpy.savez(path, inputs=..., targets=...)"
            )
        loaded = np.load(file, allow_pickle=False, mmap_mode="c")
    except OSError as error:
        raise DataError(
            f"data.path: cannot read {file}: {error.strerror or error}", "Give another file"
        ) from None
    except (ValueError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        raise _unreadable(str(file), error) from None
    kind = "an archive" if isinstance(loaded, Mapping) else "a single array"
    if isinstance(loaded, Mapping) != (file.suffix.lower() == ".npz"):
        raise DataError(f"data.path: {file} holds {kind}", "Name archives .npz and single arrays .npy")
    return loaded


def _member(file: Path, archive: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(archive[name])
    except Exception as error:  # zipfile and zlib raise whatever they trip over in a damaged member
        raise _unreadable(f"{name} in {file}", error) from None


def _unreadable(what: str, error: Exception) -> DataError:
    if any(sign in str(error) for sign in ("allow_pickle", "Object arrays", "Python objects")):
        return DataError(
            f"data.path: {what} holds Python objects (a pickle), which could run anything when they are read",
            "Save arrays of numbers or texts: numpy.asarray(values, dtype=...)",
        )
    return DataError(
        f"data.path: {what} is no array file, or a damaged one: {str(error).partition(chr(10))[0]}",
        "Write it with numpy.savez or numpy.save",
    )


def _names(file: Path, held: tuple[str, ...], inputs: str, targets: str) -> tuple[str, str]:
    """The names of inputs and targets among those that an archive holds."""
    listed = f"{file.name} holds {', '.join(held[:12]) or 'nothing'}{' ...' if len(held) > 12 else ''}"
    for field, name in (("inputs", inputs), ("targets", targets)):
        if name and name not in held:
            raise DataError(f"data.{field}: {listed}, but no '{name}'", "Give one of these names")
    by_lower = {name.lower(): name for name in held}
    for pair in PAIRS:
        found = inputs or by_lower.get(pair[0]), targets or by_lower.get(pair[1])
        if found[0] and found[1] and found[0] != found[1]:
            return found[0], found[1]
    raise DataError(
        f"data.path: {listed}; which are inputs and targets?",
        "Set data.inputs and data.targets to two of these",
    )


def _test_names(held: tuple[str, ...], names: tuple[str, str]) -> tuple[str, str] | None:
    """The names of a test set that goes with x_train and y_train, if it is there."""
    by_lower = {name.lower(): name for name in held}
    inputs, targets = (by_lower.get(name.lower().replace("train", "test")) for name in names)
    return (inputs, targets) if inputs and targets and inputs != names[0] else None


def _beside(file: Path, targets: str) -> Path:
    """The file of targets that belongs to a file of inputs."""
    if targets:
        given = Path(targets).expanduser()
        return given if given.is_absolute() or given.exists() else file.parent / given
    for one, other in PAIRS:
        if file.stem.lower() == one:
            for path in sorted(file.parent.iterdir()) if file.parent.is_dir() else []:
                if path.suffix.lower() == ".npy" and path.stem.lower() == other:
                    return path
    raise DataError(
        f"data.targets: {file.name} is a single array, and no file beside it has a name that goes with it",
        ("Give the .npy of its targets, as in ", setting("data.targets", "y.npy")),
    )
