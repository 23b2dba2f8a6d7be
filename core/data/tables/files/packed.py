"""Compressed files and archives: the one table that is packed in them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["PACKED_SUFFIXES", "content_of", "plain_name"]

MAX_BYTES = 4 << 30
"""Unpacked size above which a file is refused: it is held in memory."""
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
STREAMS: dict[str, Callable[..., io.BufferedIOBase]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
NOT_TABLES = ("__MACOSX/", ".")
DOCUMENTS = {"", ".md", ".names", ".info", ".pdf", ".html", ".rst", ".doc", ".index"}


def plain_name(path: Path) -> str:
    """Return the name of a file without the suffixes of its compression."""
    name = path.name
    while name.lower().endswith(PACKED_SUFFIXES):
        name = name[: name.rindex(".")]
    return name


def content_of(path: Path) -> tuple[bytes, str]:
    """Return the bytes of a file, unpacked, and the name of the file that is packed in it.

    Raises:
        DataError: it cannot be read, is damaged, or holds several tables.
    """
    try:
        with open_regular(path, follow_links=True) as opened:
            return _content(path, opened)
    except (
        gzip.BadGzipFile,
        zipfile.BadZipFile,
        tarfile.TarError,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        RuntimeError,
    ) as error:
        raise DataError(
            f"{path.name} cannot be unpacked: {error}", "Unpack it, and give the file in it"
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot read {path.name}: {reason}", "Give another file") from None


def _content(path: Path, opened: io.BufferedReader) -> tuple[bytes, str]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(opened) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist() if not item.is_dir()}
            name = _only_table(path, sizes)
            return _limited(path, archive.open(name)), PurePosixPath(name).name
    if suffix in (".tar", ".tgz") or Path(path.stem).suffix.lower() == ".tar":
        with tarfile.open(fileobj=opened) as archive_:
            sizes = {item.name: item.size for item in archive_.getmembers() if item.isfile()}
            name = _only_table(path, sizes)
            file = archive_.extractfile(name)
            assert file is not None
            return _limited(path, file), PurePosixPath(name).name
    if suffix == ".zst":
        return _zstandard(path), plain_name(path)
    if suffix in STREAMS:
        with STREAMS[suffix](opened) as stream:
            return _limited(path, stream), plain_name(path)
    return opened.read(), path.name


def _limited(path: Path, file: object) -> bytes:
    content: bytes = file.read(MAX_BYTES + 1)  # type: ignore[attr-defined] # any readable file
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{path.name} unpacks to more than {MAX_BYTES >> 30} GiB", "Unpack it, and give the file in it"
        )
    return content


def _only_table(path: Path, sizes: dict[str, int]) -> str:
    """The one file of an archive that is not a description or hidden."""
    names = [
        name
        for name, size in sizes.items()
        if size
        and not name.startswith(NOT_TABLES[0])
        and not PurePosixPath(name).name.startswith(NOT_TABLES[1])
    ]
    tables = [name for name in names if PurePosixPath(name).suffix.lower() not in DOCUMENTS] or names
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise DataError(f"{path.name} is empty", "Give an archive with a table in it")
    listed = ", ".join(sorted(tables)[:6]) + (f" and {len(tables) - 6:,} more" if len(tables) > 6 else "")
    raise DataError(f"{path.name} holds {len(tables):,} files: {listed}", "Unpack it, and give one of them")


def _zstandard(path: Path) -> bytes:
    import polars as pl

    try:  # polars unpacks it; a separator that no text has makes a line one field
        lines = pl.read_csv(path, has_header=False, separator="\x1f", quote_char=None, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{path.name} cannot be unpacked: {str(error).partition(chr(10))[0]}", "Unpack it with zstd -d"
        ) from None
    return "\n".join("" if line is None else line for line in lines.to_series()).encode()
