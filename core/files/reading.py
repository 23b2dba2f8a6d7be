"""The one way to open what is to be read: files alone, of a bounded size.

A pipe in place of a file would keep its reader waiting for ever, and a device may never end. A link in a folder that
came from somebody else leads to one of the user's files; the user's data may well be links.
"""

import errno
import io
import os
import stat
from pathlib import Path

__all__ = [
    "MAX_BYTES",
    "ensure_regular",
    "open_plain",
    "open_regular",
    "read_bytes",
    "read_tail",
    "read_text",
]

MAX_BYTES = 1 << 26
"""Of what is read whole, unless its reader expects more."""


def open_plain(path: Path | str, flags: int, *, follow_links: bool = False) -> int:
    """A descriptor of a file, as ``os.open`` gives it, but of nothing else that has a name; it never waits.

    Args:
        follow_links: let the last part of the path be a link, which must lead to a file.

    Raises:
        OSError: it cannot be opened, or is not a file; `IsADirectoryError` for a folder.
    """
    flags |= os.O_NONBLOCK | os.O_NOCTTY | (0 if follow_links else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno == errno.ELOOP and os.path.islink(path) and not follow_links:
            raise OSError(error.errno, "it is a link", str(path)) from None
        if error.errno == errno.ENXIO:  # a socket, or a pipe without a reader
            raise OSError(errno.EINVAL, "it is not a file", str(path)) from None
        raise
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return handle
    os.close(handle)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a file", str(path))


def open_regular(path: Path | str, *, follow_links: bool = False) -> io.BufferedReader:
    """Open a file to read its bytes, see `open_plain`."""
    return os.fdopen(open_plain(path, os.O_RDONLY, follow_links=follow_links), "rb")


def ensure_regular(path: Path | str, *, follow_links: bool = False) -> None:
    """Make sure that a path is a file, for libraries that open it themselves, see `open_plain`."""
    os.close(open_plain(path, os.O_RDONLY, follow_links=follow_links))


def read_bytes(path: Path | str, *, follow_links: bool = False, limit: int = MAX_BYTES) -> bytes:
    """Return the content of a file, see `open_plain`.

    Raises:
        OSError: also when it is longer than `limit` bytes.
    """
    with open_regular(path, follow_links=follow_links) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, limit) + 1)
        if size < len(content) <= limit:  # it has grown
            content += file.read(limit + 1 - len(content))
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit / 1e6:.0f} MB", str(path))
    return content


def read_tail(path: Path | str, size: int = 4096) -> str:
    """Return the last bytes of a log as text, what is not UTF-8 replaced; empty if it cannot be read."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size).decode(errors="replace")
    except OSError:
        return ""


def read_text(
    path: Path | str,
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    follow_links: bool = False,
    limit: int = MAX_BYTES,
) -> str:
    """Return the text of a file, its lines ended by a line feed, see `read_bytes`.

    Raises:
        UnicodeDecodeError: it is not text in this encoding.
    """
    text = read_bytes(path, follow_links=follow_links, limit=limit).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")
