"""What a data set keeps of the file it comes from."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.data.tables.encoding import Encoding
from core.data.tables.source import Source
from core.data.tables.summary import ColumnSummary
from core.errors import DataError

__all__ = ["Table", "digest"]

PLAIN = ("target", "digest", "file", "text_encoding", "header", "separator")


@dataclass(frozen=True)
class Table:
    """A table's encoding, and where its rows stand.

    Attributes:
        target: the column that is predicted.
        digest: of the content of its files, to see whether they have changed.
        file: the name of the file.
        text_encoding, header, separator: how a text file of it is read; see `open_source`.
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
    summaries: tuple[ColumnSummary, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return tuple(self.encoding.readings)

    def deployed(self) -> dict[str, Any]:
        """What reads new rows and makes features of them, as plain values, without the training's files."""
        layout = {"separator": self.separator, "encoding": self.text_encoding, "header": self.header}
        return layout | self.encoding.model_dump(mode="json")

    def plain(self) -> dict[str, Any]:
        """All but the rows as plain values, fit for JSON, which `from_plain` reads back."""
        values = {key: getattr(self, key) for key in PLAIN}
        return values | {"encoding": self.encoding.model_dump(mode="json")}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> "Table":
        """The table that plain values describe, without rows.

        Raises:
            ValueError, KeyError: they describe none.
        """
        return cls(
            Encoding.model_validate(values["encoding"]),
            **{key: values[key] for key in PLAIN if key in values},
        )

    def rows(self, split: str, positions: np.ndarray) -> pl.DataFrame:
        """Rows of a split as they stand in the file: the texts of `columns`, in the order of `positions` there.

        Raises:
            DataError: the file cannot be read any more.
        """
        return self.sources[split].rows(positions, self.columns)


def digest(path: Path) -> str:
    """The SHA-256 of a file's content.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give another file") from None
