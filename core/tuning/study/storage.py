"""Storages of studies: Optuna's, opened with errors in our words."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
from optuna.exceptions import OptunaError, StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.errors import DependencyError, RunDamaged, RunError
from core.files.lock import has_locks
from core.remedies import resume_study
from core.runs.origin.environment import MASK, is_secret, without_secrets
from core.tuning.study.optuna_file import file_storage
from core.tuning.study.optuna_private import remember_trials

__all__ = ["file_url", "new_storage", "open_storage", "reading", "without_credentials", "writing"]

BUSY_SECONDS = 60
"""How long a process waits for another one that writes to the same file."""
DRIVER = "postgresql+psycopg"
USER = re.compile(r"""\b(user|role) ["'].*["']""")
"""In errors of databases, such as: password authentication failed for user "me"."""

optuna.logging.set_verbosity(optuna.logging.ERROR)


def file_url(path: Path) -> str:
    """Return the URL of a study in a file.

    SQLite needs locks. On a file system without them it makes a folder beside the file, ``study.db.lock``, for as
    long as it reads or writes. One that a killed process left is removed here.
    """
    if has_locks(path.parent):
        return URL.create("sqlite", database=str(path)).render_as_string()
    marker = path.with_name(f"{path.name}.lock")
    with suppress(OSError):  # it is there for milliseconds, unless its process was killed
        if time.time() - marker.stat().st_mtime > BUSY_SECONDS:
            marker.rmdir()
    options = {"vfs": "unix-dotfile", "uri": "true"}
    return URL.create("sqlite", database=f"file:{quote(str(path))}", query=options).render_as_string()


def open_storage(url: str) -> BaseStorage:
    """The storage at a URL such as ``postgresql://user@host/database``.

    Raises:
        DependencyError: the database driver for it is missing.
        RunError: it cannot be reached, or is none.
    """
    return remember_trials(_connected(url))


@contextmanager
def new_storage(url: str) -> Iterator[BaseStorage]:
    """Context manager with a storage as `open_storage` gives it; afterwards its file is closed and may be moved."""
    storage = _connected(url)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _connected(url: str) -> RDBStorage:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise RunError(
            "storage: this is not the URL of a database", "As in postgresql://user@host/database"
        ) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername=DRIVER)
    is_file = parsed.drivername.startswith("sqlite")
    settings: dict[str, Any] = (
        {"connect_args": {"timeout": BUSY_SECONDS}} if is_file else {"pool_pre_ping": True}
    )
    make = file_storage if is_file else RDBStorage
    try:
        return make(parsed.render_as_string(hide_password=False), engine_kwargs=settings)
    except ImportError:
        raise DependencyError(
            f"storage: the database driver for {parsed.drivername} is not installed",
            "For PostgreSQL: pip install 'torchtui[postgres]'",
        ) from None
    except (SQLAlchemyError, OptunaError, RuntimeError) as error:
        (where,) = without_secrets([parsed.render_as_string(hide_password=False)])
        raise RunError(f"cannot open the study's storage {where}: {_reason(error)}") from None


@contextmanager
def reading(study: str) -> Iterator[None]:
    """Turn what goes wrong while a study of this name is read into a `RunDamaged`."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, KeyError, TypeError, ValueError) as error:
        raise RunDamaged(
            f"{study} cannot be read: {_reason(error)}", "Check its disk or database, or open another study"
        ) from error


@contextmanager
def writing(study: str) -> Iterator[None]:
    """Turn what its storage says while a study of this name is changed into a `RunError`."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise RunError(
            f"cannot write to {study}: {_reason(error)}",
            ("Check its disk or database; ", resume_study(study)),
        ) from error


def _reason(error: BaseException) -> str:
    """Return the database's own error in one line, without the user; Optuna and SQLAlchemy wrap it."""
    cause = error.__cause__ or error if isinstance(error, StorageInternalError) else error
    reason = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
    return USER.sub(rf"\1 {MASK}", reason)


def without_credentials(url: str) -> str:
    """The URL of a storage, fit to be written down: without user, which may be a token, and without passwords.

    PGUSER, PGPASSWORD or ~/.pgpass give them where they are needed.
    """
    given = make_url(url)
    query = {name: value for name, value in given.query.items() if not (is_secret(name) or name == "user")}
    bare = URL.create(given.drivername, None, None, given.host, given.port, given.database, query)
    return bare.render_as_string(hide_password=False)
