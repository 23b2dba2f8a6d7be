"""SQLite databases of other tools, opened to be read alone, while their tools write them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.files.reading import ensure_regular, open_regular

__all__ = ["is_database", "query", "tables_of"]

MAGIC = b"SQLite format 3\0"
WAIT_SECONDS = 1.0


def is_database(path: Path) -> bool:
    """Return whether a file is an SQLite database."""
    try:
        with open_regular(path, follow_links=True) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def tables_of(path: Path) -> set[str]:
    """Return the names of the tables of a database; none if it cannot be read."""
    return {str(name) for (name,) in query(path, "select name from sqlite_master where type = 'table'")}


def query(path: Path, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that a statement selects; none while the database cannot be read."""
    try:
        ensure_regular(path, follow_links=True)
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS)) as connection:
            connection.text_factory = lambda text: text.decode(errors="replace")
            yield from connection.execute(statement, values)
    except (OSError, sqlite3.Error):
        return
