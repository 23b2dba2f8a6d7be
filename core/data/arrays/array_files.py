"""Files of NumPy: which arrays they hold, and which of them are inputs and targets of which split."""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.arrays.given import Given, Pair
from core.data.sequences import OFFSETS, ragged_of
from core.errors import DataError
from core.files.reading import ensure_regular

if TYPE_CHECKING:
    from core.data.sequences import Ragged

__all__ = ["pair_names", "read_arrays"]

PAIRS = (
    ("inputs", "targets"),
    ("x", "y"),
    ("xtrain", "ytrain"),
    ("trainx", "trainy"),
    ("images", "labels"),
    ("images", "masks"),
    ("trainimages", "trainlabels"),
    ("traindata", "trainlabels"),
    ("traininputs", "traintargets"),
    ("features", "labels"),
    ("features", "targets"),
    ("data", "labels"),
    ("data", "target"),
    ("data", "targets"),
    ("images", "targets"),
    ("arr0", "arr1"),
)
"""Usual names of inputs and targets, in lower case and without anything between words."""
TARGETS = {"label", *(targets for _, targets in PAIRS if targets != "arr1")}
SPLIT_WORDS = {"validation": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
CLASS_NAMES = ("classnames", "targetnames", "labelnames", "classes", "labelsnames")
FEATURE_NAMES = ("featurenames", "columns", "columnnames")
MAX_LISTED = 12


def read_arrays(path: str, inputs: str, targets: str, wanted: Sequence[str] = ()) -> Given:
    """Read inputs and targets, with those of validation and test where the file has some.

    Args:
        inputs, targets: as `Arrays` has them; empty to find them.
        wanted: names of arrays with a value for each sample, which are read if they are there.

    Raises:
        DataError: the file, or a name, is wrong.
    """
    if not path:
        raise DataError("data.path: no file is given", "Give an .npz or .npy file")
    file = Path(path).expanduser()
    if file.suffix.lower() == ".npy":
        array = _open(file)
        beside = _beside(file, array, targets)
        return Given((array, _open(beside)), source=file.name, names=(file.name, beside.name))
    with _open(file) as archive:
        held = tuple(archive)
        chosen = [name.strip() for name in inputs.split(",") if name.strip()]
        if len(chosen) > 1 or any(f"{name}{OFFSETS}" in held for name in chosen):
            return _several(file, archive, chosen, targets)
        names = pair_names(file, held, inputs, targets)
        if f"{names[0]}{OFFSETS}" in held:
            return _several(file, archive, [names[0]], names[1])
        others = {split: _names_of_split(held, names, words) for split, words in SPLIT_WORDS.items()}
        pairs = {split: _pair(file, archive, pair) if pair else None for split, pair in others.items()}
        train = _pair(file, archive, names)
        class_names, of_classes = _texts(file, archive, CLASS_NAMES)
        feature_names, of_features = _texts(file, archive, FEATURE_NAMES)
        columns = {name: _member(file, archive, name) for name in wanted if name in held}
    used = {
        *columns,
        *names,
        of_classes,
        of_features,
        *(name for pair in others.values() if pair for name in pair),
    }
    return Given(
        train,
        validation=pairs["validation"],
        test=pairs["test"],
        source=file.name,
        names=names,
        class_names=class_names,
        feature_names=feature_names,
        notes=tuple(_notes(names, others, [name for name in held if name not in used])),
        owned=True,
        columns=columns,
    )


def _several(file: Path, archive: Any, inputs: Sequence[str], targets: str) -> Given:
    """Several inputs, or sequences: steps of all in one array, and where each starts in another one beside it."""
    held = tuple(archive)
    target = targets or next((held[at] for at, name in enumerate(map(_plain, held)) if name in TARGETS), "")
    if not target:
        raise DataError(
            f"data.targets: {_listed(file, held)}, none of which is a known name of targets",
            "Set data.targets",
        )
    for name in inputs:
        _check_held(file, held, "inputs", name)
    _check_held(file, held, "targets", target)
    splits: dict[str, Any] = {"train": (inputs, target)}
    for split, words in SPLIT_WORDS.items():
        found = [_of_split(held, name, words) for name in (*inputs, target)]
        if all(found):
            splits[split] = found[:-1], found[-1]
        elif any(found):
            there = ", ".join(name for name in found if name)
            raise DataError(
                f"data.path: {file.name} has {there}, but not all inputs and targets of the {split} split",
                "Save all of them, or none",
            )
    pairs: dict[str, Any] = {
        split: (
            {
                name if len(inputs) > 1 else 0: _field(file, archive, own)
                for name, own in zip(inputs, own_names, strict=True)
            },
            _member(file, archive, own_target),
        )
        for split, (own_names, own_target) in splits.items()
    }
    class_names, of_classes = _texts(file, archive, CLASS_NAMES)
    used = {of_classes, *(name for names, own in splits.values() for name in (*names, own))}
    found_splits = {
        split: (", ".join(names), own) for split, (names, own) in splits.items() if split != "train"
    }
    left_out = [name for name in held if name not in used and name.removesuffix(OFFSETS) not in used]
    named = ", ".join(inputs), target
    return Given(
        pairs["train"],
        pairs.get("validation"),
        pairs.get("test"),
        source=file.name,
        names=named,
        class_names=class_names,
        notes=tuple(_notes(named, found_splits, left_out)),
        owned=True,
    )


def _field(file: Path, archive: Any, name: str) -> "np.ndarray | Ragged":
    """An input of an archive: an array, or sequences where their offsets stand beside it."""
    values = _member(file, archive, name)
    if f"{name}{OFFSETS}" not in archive:
        return values
    offsets = _member(file, archive, f"{name}{OFFSETS}")
    return ragged_of(values, offsets, f"data.path: {file.name}, {name}")


def _of_split(held: tuple[str, ...], name: str, words: Sequence[str]) -> str | None:
    """The name of an array of a split that goes with one of train."""
    by_plain = {_plain(each): each for each in held if not each.endswith(OFFSETS)}
    names = (other for word in words for other in _called(name, word))
    return next((by_plain[other] for other in names if by_plain.get(other, name) != name), None)


def _notes(
    names: tuple[str, str], others: Mapping[str, tuple[str, str] | None], left_out: Sequence[str]
) -> Iterator[str]:
    found = [f"{split} from {pair[0]} and {pair[1]}" for split, pair in others.items() if pair]
    more = "".join(f"; {text}" for text in found)
    yield f"arrays: {names[0]} holds the inputs, {names[1]} the targets{more}; data.inputs and data.targets set it"
    if left_out:
        yield f"left out the arrays {', '.join(left_out[:MAX_LISTED])}{' ...' if len(left_out) > MAX_LISTED else ''}"


def _open(file: Path) -> Any:
    """An array that stays on disk until it is read, or an archive of some."""
    if file.is_dir():
        raise DataError(f"data.path: {file} is a folder", "Give an .npz or .npy file")
    try:
        if file.stat().st_size == 0:
            raise DataError(
                f"data.path: {file} is empty", "Write it with numpy.savez(path, inputs=..., targets=...)"
            )
        ensure_regular(file, follow_links=True)
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


def _pair(file: Path, archive: Any, names: tuple[str, str]) -> Pair:
    return _member(file, archive, names[0]), _member(file, archive, names[1])


def _member(file: Path, archive: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(archive[name])
    except Exception as error:  # zipfile and zlib raise whatever they trip over in a damaged member
        raise _unreadable(f"{name} in {file}", error) from None
    _refuse_structured(array, f"{name} in {file.name}", f"numpy.load('{file.name}')['{name}']")
    return array


def _texts(file: Path, archive: Any, known: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The texts of the first array that is called so, and its name; empty where there is none."""
    for name in archive:
        if _plain(name) in known:
            try:
                array = np.asarray(archive[name])
            except Exception:  # texts saved as objects: they only name what is known by numbers
                continue
            if array.ndim == 1 and array.dtype.kind in "US":
                return tuple(
                    value.decode() if isinstance(value, bytes) else str(value) for value in array
                ), name
    return (), ""


def _refuse_structured(array: np.ndarray, what: str, expression: str) -> None:
    """Refuse an array with named fields, which is a table.

    Raises:
        DataError: it has some.
    """
    if array.dtype.names:
        raise DataError(
            f"data.path: {what} has the named fields {', '.join(array.dtype.names[:MAX_LISTED])}: it is a table",
            f"Save it as one: polars.DataFrame({expression}).write_parquet('table.parquet')",
        )


def _plain(name: str) -> str:
    """A name in lower case, without anything between its words."""
    return re.sub(r"[\W_]", "", name.lower())


def _unreadable(what: str, error: Exception) -> DataError:
    if any(sign in str(error) for sign in ("allow_pickle", "Object arrays", "Python objects")):
        return DataError(
            f"data.path: {what} holds Python objects (a pickle), which could run anything when they are read",
            "Save arrays of numbers or texts: numpy.asarray(values, dtype=...); sequences of different lengths as "
            "numpy.concatenate(x), and numpy.cumsum([0, *map(len, x)]) as x_offsets",
        )
    return DataError(
        f"data.path: {what} is not an array file, or a damaged one: {str(error).partition(chr(10))[0]}",
        "Write it with numpy.savez or numpy.save",
    )


def pair_names(file: Path, held: tuple[str, ...], inputs: str, targets: str) -> tuple[str, str]:
    """Return the names of inputs and targets among those that an archive holds.

    Raises:
        DataError: it does not hold what was named, or no usual pair.
    """
    for field, name in (("inputs", inputs), ("targets", targets)):
        if name:
            _check_held(file, held, field, name)
    by_plain = {_plain(name): name for name in held}
    for pair in PAIRS:
        found = inputs or by_plain.get(pair[0]), targets or by_plain.get(pair[1])
        if found[0] and found[1] and found[0] != found[1]:
            return found[0], found[1]
    raise DataError(
        f"data.path: {_listed(file, held)}, none of which are known names of inputs and targets",
        "Set data.targets to one of these, and data.inputs to another one, or to several separated by commas",
    )


def _check_held(file: Path, held: tuple[str, ...], field: str, name: str) -> None:
    """Check that an archive holds an array that was named.

    Raises:
        DataError: it does not.
    """
    if name not in held:
        close = get_close_matches(name, held, n=1)
        raise DataError(
            f"data.{field}: {_listed(file, held)}, but no '{name}'",
            f"Did you mean '{close[0]}'?" if close else "Give one of these names",
        )


def _listed(file: Path, held: tuple[str, ...]) -> str:
    more = " ..." if len(held) > MAX_LISTED else ""
    return f"{file.name} holds {', '.join(held[:MAX_LISTED]) or 'nothing'}{more}"


def _names_of_split(
    held: tuple[str, ...], names: tuple[str, str], words: Sequence[str]
) -> tuple[str, str] | None:
    """The names of the inputs and targets of a split that go with those of train, if they are there."""
    by_plain = {_plain(name): name for name in held}
    for word in words:
        pair = [
            next((by_plain[other] for other in _called(name, word) if other in by_plain), None)
            for name in names
        ]
        if pair[0] and pair[1] and pair[0] != names[0]:
            return pair[0], pair[1]
    return None


def _called(name: str, word: str) -> tuple[str, ...]:
    """Names that an array of another split may have."""
    plain = _plain(name)
    if "train" in plain:
        return (plain.replace("train", word),)
    return f"{plain}{word}", f"{word}{plain}"


def _beside(file: Path, array: np.ndarray, targets: str) -> Path:
    """The file of targets that belongs to a file of inputs."""
    _refuse_structured(array, file.name, f"numpy.load('{file.name}')")
    if targets:
        given = Path(targets).expanduser()
        return given if given.is_absolute() or given.exists() else file.parent / given
    for one, other in PAIRS:
        if _plain(file.stem) == one:
            for path in sorted(file.parent.iterdir()) if file.parent.is_dir() else []:
                if path.suffix.lower() == ".npy" and _plain(path.stem) == other:
                    return path
    joined = array.ndim == 2 and array.shape[1] > 1
    split = "; if its last column holds them, split it: numpy.savez('my.npz', x=a[:, :-1], y=a[:, -1])"
    raise DataError(
        f"data.targets: {file.name} is a single array, and no file beside it has a name that goes with it",
        f"Give the .npy of its targets{split if joined else ''}",
    )
