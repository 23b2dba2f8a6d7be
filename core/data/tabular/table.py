"""What a data set keeps of the file it comes from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.data.tabular.encoding import Encoding
from core.data.tabular.source import Source
from core.errors import DataError

__all__ = ["Table", "digest"]


@dataclass(frozen=True)
class Table:
    """A table's encoding, and where its rows stand.

    Attributes:
        target: the column that is predicted.
        digest: of the content of its files, to see whether they have changed.
        sources: the file that each split comes from; none when it was read from a run's folder.
    """

    encoding: Encoding
    target: str
    digest: str
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return tuple(self.encoding.readings)

    def rows(self, split: str, positions: Sequence[int]) -> list[tuple[str, ...]]:
        """Rows as they stand in the file; the texts of `columns`.

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
