"""Files beside the data: a value for each sample, or the samples of each split."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.counting import counted
from core.data.division.assigned import assign, split_word
from core.data.division.by import SPLITS
from core.data.tables.values.reading import quoted
from core.errors import DataError
from core.files.reading import open_regular, read_text

__all__ = ["SampleNames", "read_split_file", "read_values_file"]

DELIMITED = (".csv", ".tsv", ".txt", ".lst", ".list", "")
SEPARATORS = ",;\t|"
MAX_SHOWN = 3
TAKEN = "It takes CSV, TSV, text, JSON or NumPy files"


class SampleNames:
    """Names that samples can have in a file.

    Args:
        count: number of samples, which are numbered from 0.
        ids: texts (count,) that name samples, by what they are called; one may name several samples.
    """

    def __init__(self, count: int, ids: Mapping[str, np.ndarray] | None = None) -> None:
        self.count, self.ids = count, dict(ids or {})

    def matched(self, keys: Sequence[str], file: str, column: str = "") -> tuple[np.ndarray, str]:
        """Return the position in `keys` of each sample, (count,), -1 for none, and how they were matched.

        Raises:
            DataError: some keys name no sample.
        """
        best: tuple[np.ndarray, str] | None = None
        fewest = len(keys) + 1
        for name, values in sorted(self.ids.items(), key=lambda item: item[0].lower() != column.lower()):
            places = {key: at for at, key in enumerate(keys)}
            found = np.array([places.get(value, -1) for value in values.tolist()], dtype=np.int64)
            lacking = len(places) - len(np.unique(found[found >= 0]))
            named = name.lower() == column.lower()
            if lacking < fewest and (named or not _are_positions(keys, self.count)):
                best, fewest = (found, name), lacking
            if not lacking and named:
                break
        if best is not None and not fewest:
            return best
        if _are_positions(keys, self.count):
            found = np.full(self.count, -1, dtype=np.int64)
            found[[int(key) for key in keys]] = np.arange(len(keys))
            return found, "positions counted from 0"
        if best is not None:
            known = set(self.ids[best[1]].tolist())
            lost = [key for key in keys if key not in known]
        else:
            lost = [key for key in keys if not _are_positions([key], self.count)]
        shown = ", ".join(map(quoted, lost[:MAX_SHOWN]))
        ways = f"positions from 0 to {self.count - 1:,}" + "".join(
            f" or values of {name}" for name in self.ids
        )
        raise DataError(
            f"{file}: {len(lost):,} of {len(keys):,} entries name no sample, such as {shown}",
            f"Entries are {ways}",
        )


def _are_positions(keys: Sequence[str], count: int) -> bool:
    """Return whether all texts are positions of samples, each once."""
    return all(key.isdecimal() and int(key) < count for key in keys) and len(set(keys)) == len(keys)


def read_split_file(path: Path, samples: SampleNames) -> tuple[np.ndarray, list[str]]:
    """Read the split of each sample.

    Args:
        path: a column of splits, in the order of the samples or beside their names; lists of the samples of each split;
            or a folder with a list in a file for each split.

    Returns:
        Position in `SPLITS` of each sample, -1 for one that is left out, and notes on how it was read.

    Raises:
        DataError: the file cannot be read, or does not say which samples are in which split.
    """
    given = _folder(path) if path.is_dir() else _read(path, "data.split")
    if isinstance(given, Mapping) and any(isinstance(value, list) for value in given.values()):
        return _from_lists(given, samples, path)
    if isinstance(given, Mapping):
        return _from_rows(list(map(str, given)), list(map(str, given.values())), "", samples, path)
    if given and isinstance(given[0], list):
        return _from_table(given, samples, path)
    texts = [str(value) for value in given]
    if len(texts) != samples.count:
        raise DataError(
            f"data.split: {path.name} has {len(texts):,} entries for {samples.count:,} samples",
            "Give one for each sample in their order, or name the samples beside",
        )
    return assign(np.array(texts, dtype=object), path.name)


def read_values_file(path: Path, samples: SampleNames, field: str) -> np.ndarray:
    """Read a value for each sample, (count,): in their order, or beside the names of samples.

    Raises:
        DataError: the file cannot be read, or does not have a value for each sample.
    """
    given = _read(path, field)
    if isinstance(given, Mapping):
        return _keyed(list(map(str, given)), list(given.values()), samples, path, field)
    rows: list[Any] = list(given)
    if rows and isinstance(rows[0], list):
        if len(rows[0]) > 1:
            body = rows[1:] if len(rows) > 1 and not _found(rows[0][0], samples) else rows
            return _keyed([row[0] for row in body], [row[-1] for row in body], samples, path, field)
        rows = [row[0] for row in rows]
    if len(rows) == samples.count + 1:
        rows = rows[1:]  # a header
    if len(rows) != samples.count:
        raise DataError(
            f"{field}: {path.name} has {len(rows):,} values for {samples.count:,} samples",
            "Give one for each sample",
        )
    values = np.array(rows)
    return values if values.dtype.kind in "fiubM" else np.array([str(row) for row in rows], dtype=object)


def _keyed(
    keys: Sequence[str], values: Sequence[Any], samples: SampleNames, path: Path, field: str
) -> np.ndarray:
    """The value of each sample where they stand beside names."""
    at, _ = samples.matched(keys, f"{field}: {path.name}")
    if (at < 0).any():
        raise DataError(
            f"{field}: {path.name} has no value for {int((at < 0).sum()):,} of {samples.count:,} samples",
            "Give one for each sample",
        )
    return np.array([str(values[place]) for place in at.tolist()], dtype=object)


def _found(key: str, samples: SampleNames) -> bool:
    return key in {value for values in samples.ids.values() for value in values.tolist()} or key.isdecimal()


def _from_lists(given: Mapping[str, Any], samples: SampleNames, path: Path) -> tuple[np.ndarray, list[str]]:
    """Splits from a list of the samples of each."""
    assigned = np.full(samples.count, -1, dtype=np.int8)
    notes, ways = [], dict[str, None]()
    for name, listed in given.items():
        place = split_word(str(name))
        if place is None or not isinstance(listed, list):
            raise DataError(
                f"data.split: {path.name} has {quoted(name)}, where lists of train, validation and test are taken",
                "Name its lists train, validation and test",
            )
        at, way = samples.matched([str(entry) for entry in listed], f"data.split: {path.name}")
        twice = int(((at >= 0) & (assigned >= 0)).sum())
        if twice:
            raise DataError(
                f"data.split: {path.name} has {counted(twice, 'sample')} in more than one split",
                "List each sample once",
            )
        assigned[at >= 0] = place
        ways[way] = None
    if not (assigned == 0).any() and "train" not in {SPLITS[split_word(str(name)) or 0] for name in given}:
        assigned[assigned < 0] = 0
        notes.append(f"{path.name} lists no train samples: all that it does not list are trained on")
    return assigned, [_counted(assigned, path, ", ".join(ways)), *notes, *_left_out(assigned, path)]


def _from_table(rows: Sequence[list[str]], samples: SampleNames, path: Path) -> tuple[np.ndarray, list[str]]:
    """Splits from rows of cells, of which one column holds splits."""
    width = len(rows[0])
    for header in (False, True):
        body = rows[1:] if header else rows
        columns = [
            place
            for place in range(width)
            if body
            and all(
                place < len(row) and (not row[place] or split_word(row[place]) is not None) for row in body
            )
        ]
        if columns:
            column = columns[0]
            values = [row[column] for row in body]
            if width == 1:
                return _in_order(values, samples, path)
            key = next(place for place in range(width) if place != column)
            name = rows[0][key] if header else ""
            return _from_rows([row[key] for row in body], values, name, samples, path)
    place = split_word(path.stem)
    if place is not None and width == 1:
        return _from_lists({SPLITS[place]: [row[0] for row in rows]}, samples, path)
    raise DataError(
        f"data.split: {path.name} has no column of train, validation and test",
        "Give such a column, or call a list of samples train, validation or test",
    )


def _in_order(values: Sequence[str], samples: SampleNames, path: Path) -> tuple[np.ndarray, list[str]]:
    if len(values) != samples.count:
        raise DataError(
            f"data.split: {path.name} has {len(values):,} entries for {samples.count:,} samples",
            "Give one for each sample in their order, or name the samples beside",
        )
    return assign(np.array(values, dtype=object), path.name)


def _from_rows(
    keys: Sequence[str], values: Sequence[str], column: str, samples: SampleNames, path: Path
) -> tuple[np.ndarray, list[str]]:
    """Splits that stand beside the names of samples."""
    places, notes = assign(np.array(values, dtype=object), path.name)
    at, way = samples.matched(keys, f"data.split: {path.name}", column)
    assigned = np.where(at >= 0, places[at], -1).astype(np.int8)
    return assigned, [f"{notes[0]}; samples by {way}", *_left_out(assigned, path)]


def _counted(assigned: np.ndarray, path: Path, way: str) -> str:
    counts = ", ".join(f"{int((assigned == place).sum()):,} {name}" for place, name in enumerate(SPLITS))
    return f"split by {path.name}: {counts}; samples by {way}"


def _left_out(assigned: np.ndarray, path: Path) -> list[str]:
    count = int((assigned < 0).sum())
    return [f"left out {counted(count, 'sample')} that {path.name} does not list"] if count else []


def _folder(path: Path) -> dict[str, list[Any]]:
    """The lists in a folder: one file for each split."""
    lists = {}
    for file in sorted(path.iterdir()):
        if split_word(file.stem) is not None and file.is_file():
            read = _read(file, "data.split")
            lists[file.stem] = [row[0] if isinstance(row, list) else row for row in read]
    if not lists:
        raise DataError(
            f"data.split: {path} has no file called train, validation or test", "Give one for each split"
        )
    return lists


def _read(path: Path, field: str) -> Any:
    """Return the content of a file: a list of values or rows, or a mapping."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            return _plain(
                json.loads(read_text(path, encoding="utf-8-sig", follow_links=True)), f"{field}: {path.name}"
            )
        if suffix in (".npy", ".npz"):
            with open_regular(path, follow_links=True) as file:
                loaded = np.load(file, allow_pickle=False)
                if suffix == ".npz":
                    return {name: loaded[name].ravel().tolist() for name in loaded}
                return loaded.ravel().tolist()
        if suffix not in DELIMITED:
            raise DataError(f"{field}: {path.name} is not a file of values", TAKEN)
        return _rows(read_text(path, encoding="utf-8-sig", follow_links=True))
    except DataError:
        raise
    except (OSError, ValueError, EOFError, RecursionError, csv.Error) as error:
        reason = str(getattr(error, "strerror", None) or error).partition("\n")[0]
        raise DataError(f"{field}: {path.name} cannot be read: {reason}", TAKEN) from None


def _plain(found: Any, place: str) -> Any:
    if isinstance(found, Mapping) and found:
        return found
    if isinstance(found, list) and found and not any(isinstance(value, Mapping | list) for value in found):
        return found
    raise DataError(
        f"{place} holds neither values nor lists of samples", 'Such as {"train": [0, 1], "test": [2]}'
    )


def _rows(text: str) -> list[list[str]]:
    """The cells of lines that are separated by the most frequent separator of the first ones, or by blanks."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    first = lines[: 1 + MAX_SHOWN]
    separator = next((mark for mark in SEPARATORS if all(mark in line for line in first)), "")
    if separator:
        read: Iterable[list[str]] = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator)
        return [[cell.strip() for cell in row] for row in read]
    parts = [line.split() for line in lines]
    split = all(len(part) == 2 and any(split_word(cell) is not None for cell in part) for part in parts)
    return parts if split else [[line.strip()] for line in lines]
