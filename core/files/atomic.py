"""Files that are there whole or not at all."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import RunError
from core.files.reading import open_regular
from core.files.syncing import sync
from core.files.temporary import hidden_file, sweep_files, sync_folder
from core.remedies import OTHER_RUNS_DIR, Hint, parts

__all__ = ["archive_damage", "as_usual", "creating", "write_atomically"]


INSTEAD: Hint = ("give ", OTHER_RUNS_DIR)


def write_atomically(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    keep: Path | None = None,
    private: bool = False,
    instead: Hint = INSTEAD,
) -> None:
    """Write a file through a hidden one beside it: after a crash the old or the new one is there, whole.

    What killed processes have left of earlier attempts is removed.

    Its folder is made if need be, but not the folder of that: a run that was deleted is not brought back in part.

    Args:
        keep: where the old file stays, in place of what was there before.
        private: readable for its owner alone; else for whom any new file here is.
        instead: what else one can do than free some space.

    Raises:
        RunError: it cannot be written; the old one is untouched.
    """
    with creating(path, instead):
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
            sync_folder(path.parent.parent)
        sweep_files(path)
        temporary, handle = hidden_file(path, 0o600 if private else 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                sync(file.fileno(), path)
            if keep is not None and path.exists():
                _give_second_name(path, keep)
            os.replace(temporary, path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def as_usual(path: Path) -> None:
    """Give a file or folder the permissions of any new one here, in place of the private ones of a temporary one."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)


def _give_second_name(path: Path, name: Path) -> None:
    """Make `name` the same file as `path`, which is there all the time where the disk knows hard links."""
    name.unlink(missing_ok=True)
    try:
        os.link(path, name)
    except OSError:
        os.rename(path, name)


@contextmanager
def creating(path: Path, instead: Hint = INSTEAD) -> Iterator[None]:
    """Turn what the operating system says about `path` into a `RunError` that names it, and says what to do."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}",
            ("Free some space, or ", *parts(instead)),
        ) from error


def archive_damage(path: Path, *, compressed: bool = True) -> str:
    """Return why a zip file, such as a checkpoint, is damaged; empty if all its checksums are right.

    Args:
        compressed: allow entries to be compressed; a small file may then hold huge ones.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            if not compressed and any(
                entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()
            ):
                return "it is compressed, as none of ours is"
            damaged = archive.testzip()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except Exception as error:  # zipfile raises whatever it trips over in a damaged file
        return f"it is empty, truncated or damaged ({str(error).partition(chr(10))[0]})"
    return f"it is damaged ({damaged} does not match its checksum)" if damaged else ""
