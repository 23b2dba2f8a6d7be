"""Files that are not text: each format's reader."""

import json
import sqlite3
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from core.data.tables.files.arff import arff_frame
from core.data.tables.files.encodings import find_encoding
from core.errors import DataError
from core.files.reading import open_regular
from core.remedies import setting

__all__ = ["READERS", "TEXT_SUFFIXES", "part_of", "read_frame"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".dat", ".tab", ".psv")


@dataclass(frozen=True)
class GivenFile:
    """A file to read.

    Attributes:
        source: its path, or its bytes, where they had to be unpacked.
        part: the table of a database to take; empty where there is one.
        encoding: of formats that are text; ``auto`` looks at the bytes.
        notes: to which readers add what they inferred, a line each.
    """

    path: Path
    source: Any
    part: str = ""
    encoding: str = "auto"
    notes: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        """Return all of its bytes."""
        if not isinstance(self.source, Path):
            return bytes(self.source.read())
        with open_regular(self.source, follow_links=True) as file:
            return file.read()


def read_frame(
    path: Path, suffix: str, content: bytes | None, part: str, encoding: str
) -> tuple[pl.LazyFrame, list[str]]:
    """Read a file of typed columns, and return what was inferred with them.

    Args:
        suffix: which names its format.
        content: its bytes, where they had to be unpacked.
        part: the table of a database to take; empty where there is one.
        encoding: of formats that are text; ``auto`` looks at the bytes.

    Raises:
        DataError: it is damaged, or holds no table.
    """
    given = GivenFile(path, BytesIO(content) if content is not None else path, part, encoding)
    try:
        return READERS[suffix](given), given.notes
    except (
        pl.exceptions.PolarsError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        NotImplementedError,
        sqlite3.Error,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{path.name} cannot be read as {suffix[1:]}: {reason}", "Save it as CSV or Parquet"
        ) from None


def part_of(path: Path, names: Sequence[str], asked: str, what: str, first: bool = False) -> str:
    """Return the sheet or table to read.

    Args:
        asked: for which one; empty for the only one, or the first.
        what: they are called.

    Raises:
        DataError: there is no such one, or several.
    """
    if asked in names:
        return asked
    listed = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    if asked or (len(names) != 1 and not first):
        given = f"has no '{asked}' among its {what}" if asked else f"holds {len(names):,} {what}"
        raise DataError(
            f"data.part: {path.name} {given}: {listed}",
            ("Choose one, such as ", setting("data.part", names[0] if names else "NAME")),
        )
    return names[0]


def _parquet(given: GivenFile) -> pl.LazyFrame:
    return pl.scan_parquet(given.source, glob=False)


def _arrow(given: GivenFile) -> pl.LazyFrame:
    try:
        return pl.read_ipc(given.source).lazy()
    except pl.exceptions.PolarsError:
        return pl.read_ipc_stream(given.source).lazy()  # as Hugging Face's data sets write it


def _avro(given: GivenFile) -> pl.LazyFrame:
    return pl.read_avro(given.source).lazy()


def _json(given: GivenFile) -> pl.LazyFrame:
    content = given.content()
    try:
        values = json.loads(content)
    except ValueError:
        return _lines(content)
    return _records(given, values).lazy()


def _records(given: GivenFile, values: Any) -> pl.DataFrame:
    """The table in JSON: a list of records, or columns, as pandas writes them, or one of these below a name."""
    if isinstance(values, list) and values and all(isinstance(row, Mapping) for row in values):
        return pl.from_dicts(values, infer_schema_length=None, strict=False)
    if isinstance(values, list) and values and all(isinstance(row, list) for row in values):
        head, *rows = values
        return pl.DataFrame(
            [dict(zip(map(str, head), row, strict=False)) for row in rows],
            infer_schema_length=None,
            strict=False,
        )
    if isinstance(values, Mapping):
        if {"columns", "data"} <= set(values):
            rows = [dict(zip(values["columns"], row, strict=True)) for row in values["data"]]
            return pl.DataFrame(rows, infer_schema_length=None, strict=False)
        if values and all(isinstance(column, Mapping) for column in values.values()):
            if _by_row(values):
                given.notes.append(
                    f"read as an object of rows, such as '{next(iter(values))}', not of columns; "
                    "a list of rows, or of columns, leaves no doubt"
                )
                return pl.from_dicts(list(values.values()), infer_schema_length=None, strict=False)
            keys = list(dict.fromkeys(key for column in values.values() for key in column))
            named = {name: [column.get(key) for key in keys] for name, column in values.items()}
            return pl.DataFrame(named, strict=False)
        lists = {name: column for name, column in values.items() if isinstance(column, list)}
        if len(lists) == 1 and all(isinstance(row, Mapping) for row in next(iter(lists.values()))):
            return _records(given, next(iter(lists.values())))
        if lists and len({len(column) for column in lists.values()}) == 1:
            return pl.DataFrame(lists, strict=False)
    raise ValueError("it holds neither a list of records nor columns")


def _by_row(values: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether an object of objects has the rows by their names, rather than the columns by theirs."""
    inner = {key for each in values.values() for key in each}
    numbered = [all(key.isdecimal() for key in keys) for keys in (values, inner)]
    if numbered[0] != numbered[1]:
        return numbered[0]
    kinds = [
        sum(len({isinstance(value, str) for value in each if value is not None}) < 2 for each in objects)
        / len(objects)
        for objects in (
            [list(each.values()) for each in values.values()],
            [[each.get(key) for each in values.values()] for key in inner],
        )
        if objects
    ]
    if len(kinds) == 2 and kinds[0] != kinds[1]:
        return kinds[0] < kinds[1]
    return len(values) > len(inner)


def _ndjson(given: GivenFile) -> pl.LazyFrame:
    if isinstance(given.source, Path):
        with open_regular(given.source, follow_links=True) as file:
            marked = file.read(len(BOM_UTF8)) == BOM_UTF8
        if not marked:
            return pl.read_ndjson(given.source, infer_schema_length=None).lazy()
    return _lines(given.content())


def _lines(content: bytes) -> pl.LazyFrame:
    """The table of a text with an object in each line."""
    return pl.read_ndjson(BytesIO(content.removeprefix(BOM_UTF8)), infer_schema_length=None).lazy()


def _arff(given: GivenFile) -> pl.LazyFrame:
    content = given.content()
    encoding = find_encoding(content, given.encoding, whole=True)
    if encoding.note:
        given.notes.append(encoding.note)
    return arff_frame(content.decode(encoding).removeprefix("\ufeff")).lazy()


def _sqlite(given: GivenFile) -> pl.LazyFrame:
    if not isinstance(given.source, Path):
        raise ValueError("a packed database is not read: unpack it")
    connection = sqlite3.connect(f"{given.path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        names = [name for (name,) in connection.execute(query)]
        if not names:
            raise ValueError("it has no tables")
        table = part_of(given.path, names, given.part, "tables").replace('"', '""')
        cursor = connection.execute(f'SELECT * FROM "{table}"')
        columns = [column for column, *_ in cursor.description]
        return pl.DataFrame(
            cursor.fetchall(), schema=columns, orient="row", infer_schema_length=None, strict=False
        ).lazy()
    finally:
        connection.close()


def _mat(given: GivenFile) -> pl.LazyFrame:
    import numpy as np
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        found = loadmat(given.source)
    except (MatReadError, TypeError, IndexError) as error:  # scipy reads past the end of a file that is cut
        raise ValueError(str(error)) from None
    arrays = {
        name: value
        for name, value in found.items()
        if not name.startswith("__")
        and isinstance(value, np.ndarray)
        and value.ndim == 2
        and value.dtype.kind in "fiub"
    }
    if not arrays:
        raise ValueError("it holds no matrix of numbers")
    rows = max(value.shape[0] for value in arrays.values())
    arrays = {name: value if value.shape[0] == rows else value.T for name, value in arrays.items()}
    columns: dict[str, Any] = {}
    for name, value in sorted(arrays.items(), key=lambda item: -item[1].shape[1]):
        if value.shape[0] == rows:
            wide = value.shape[1] > 1
            columns |= {f"{name}{at + 1}" if wide else name: value[:, at] for at in range(value.shape[1])}
    return pl.DataFrame(columns).lazy()


def _svmlight(given: GivenFile) -> pl.LazyFrame:
    from sklearn.datasets import load_svmlight_file

    inputs, targets = load_svmlight_file(
        str(given.source) if isinstance(given.source, Path) else given.source
    )[:2]
    columns = {f"x{at + 1}": values for at, values in enumerate(inputs.toarray().T)}
    return pl.DataFrame(columns | {"target": targets}).lazy()


READERS: dict[str, Callable[[GivenFile], pl.LazyFrame]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".feather": _arrow,
    ".arrow": _arrow,
    ".ipc": _arrow,
    ".avro": _avro,
    ".json": _json,
    ".jsonl": _ndjson,
    ".ndjson": _ndjson,
    ".arff": _arff,
    ".sqlite": _sqlite,
    ".sqlite3": _sqlite,
    ".db": _sqlite,
    ".mat": _mat,
    ".svm": _svmlight,
    ".svmlight": _svmlight,
    ".libsvm": _svmlight,
}
"""Readers of files with typed columns, by suffix."""
