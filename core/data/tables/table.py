"""The facts that a data set keeps of the file it comes from."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.data.tables.encoding import Encoding
from core.data.tables.files.source import Source
from core.data.tables.summary import ColumnSummary
from core.data.tables.values.reading import Reading
from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["Table", "digest"]

PLAIN = ("target", "digest", "file", "text_encoding", "header", "separator", "part")


@dataclass(frozen=True)
class Table:
    """The encoding of a table, and where its rows are.

    Attributes:
        target: the column that is predicted, and `more_targets` where there are several.
        digest: of the content of its files, to see whether they have changed.
        file: the name of the file.
        text_encoding, header, separator, part: how a file of it is read; see `TextOptions`.
        texts: columns that are read word by word.
        summaries: of its columns, the target among them.
        sources: the file that each split comes from; none when it was read from a run's folder.
    """

    encoding: Encoding
    target: str
    digest: str
    file: str
    text_encoding: str = "utf-8"
    header: bool = True
    separator: str = "auto"
    part: str = ""
    more_targets: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    summaries: tuple[ColumnSummary, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that the network learns from, texts first."""
        return (*self.texts, *self.encoding.readings)

    @property
    def readings(self) -> dict[str, Reading]:
        """Return how these columns are read."""
        return {**dict.fromkeys(self.texts, Reading("text")), **self.encoding.readings}

    def deployed(self) -> dict[str, Any]:
        """Return plain values that tell how new rows are read and become features, without the training's files."""
        layout = {"separator": self.separator, "encoding": self.text_encoding, "header": self.header}
        return layout | {"texts": list(self.texts)} | self.encoding.model_dump(mode="json")

    def plain(self) -> dict[str, Any]:
        """Return all but the rows as plain values, fit for JSON, which `from_plain` reads back."""
        values = {key: getattr(self, key) for key in PLAIN}
        more = {"more_targets": list(self.more_targets)} if self.more_targets else {}
        encoding = self.encoding.model_dump(mode="json")
        return values | more | {"texts": list(self.texts), "encoding": encoding}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> "Table":
        """Return the table that plain values describe, without rows.

        Raises:
            ValueError, KeyError: they describe none.
        """
        return cls(
            Encoding.model_validate(values["encoding"]),
            more_targets=tuple(values.get("more_targets", ())),
            texts=tuple(map(str, values.get("texts", ()))),
            **{key: values[key] for key in PLAIN if key in values},
        )

    def rows(self, split: str, positions: np.ndarray) -> pl.DataFrame:
        """Return rows of a split as they stand in the file: the texts of `columns`, in the order of `positions` there.

        Raises:
            DataError: the file cannot be read any more.
        """
        return self.sources[split].rows(positions, self.columns)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, or of all files in a folder.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()
        with open_regular(path, follow_links=True) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give another file") from None
