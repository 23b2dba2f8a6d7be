"""Downloads that are checked, report their progress, and never leave half a file behind."""

import gzip
import hashlib
import http.client
import shutil
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.data.dataset import Progress
from core.errors import DataError
from core.files.reading import open_regular
from core.files.temporary import hidden_folder, sync_file, sync_folder
from core.remedies import OTHER_DATA_ROOT

__all__ = ["Unpack", "as_it_is", "fetch", "gunzip", "gunzip_members_of_zip", "members_of_tar"]

CHUNK = 1 << 16
TIMEOUT = 20.0

Unpack = Callable[[Path, Path], None]
"""Puts what a packed file holds into an empty folder."""


def fetch(
    urls: Sequence[str], path: Path, *, md5: str = "", sha256: str = "", progress: Progress, unpack: Unpack
) -> None:
    """Download a file from the first address that answers, check it, and unpack it into the folder of `path`.

    The packed file itself, when a person put it there, is checked and taken in place of a download.

    Args:
        urls: addresses of the same file, tried in turn.
        path: where the packed file would lie.
        md5, sha256: checksum of the packed file, one of the two; its first digits do.

    Raises:
        DataError: no address gave the right file, or the folder cannot be written.
    """
    failures = []
    places: list[str | Path] = [path, *urls] if path.is_file() else [*urls]
    for place in places:
        try:
            digest = hashlib.new("sha256" if sha256 else "md5", usedforsecurity=False)
            with _opened(place) as (stream, total):
                problem = _save(stream, total, path, digest, sha256 or md5, progress, unpack)
            if not problem:
                return
            failures.append(f"{place}: {problem}")
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{place}: {getattr(error, 'reason', error)}")
    raise DataError(
        f"cannot download {path.name}: {'; '.join(failures)}",
        (f"Without network, put {path.name} into {path.parent} or give ", OTHER_DATA_ROOT),
    )


@contextmanager
def _opened(place: str | Path) -> Iterator[tuple[BinaryIO, int]]:
    """Context manager that opens an address or a file, with its number of bytes; 0 if unknown."""
    if isinstance(place, Path):
        with open_regular(place, follow_links=True) as file:
            yield file, place.stat().st_size
    else:
        with urllib.request.urlopen(place, timeout=TIMEOUT) as response:
            yield response, int(response.headers.get("Content-Length") or 0)


def _save(
    stream: BinaryIO,
    total: int,
    path: Path,
    digest: "hashlib._Hash",
    checksum: str,
    progress: Progress,
    unpack: Unpack,
) -> str:
    """Write and unpack what comes, by way of folders that go away; return why it is not the right file, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with hidden_folder(path.parent, ".download-") as folder:
        packed, unpacked = folder / path.name, folder / "unpacked"
        with packed.open("wb") as file:
            while chunk := stream.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                progress(f"downloading {path.name}", file.tell(), total)
            length = file.tell()
        if total and length != total:
            return f"{length:,} of {total:,} bytes came"
        if not digest.hexdigest().startswith(checksum):
            return "wrong checksum"
        unpacked.mkdir()
        unpack(packed, unpacked)
        made = list(unpacked.iterdir())
        for file_made in made:  # all of them, before the first takes its place
            sync_file(file_made)
        for file_made in made:
            file_made.replace(path.parent / file_made.name)
        sync_folder(path.parent)
        return ""


def as_it_is(packed: Path, folder: Path) -> None:
    """Return the content of a file that is not packed."""
    packed.rename(folder / packed.name)


def gunzip(packed: Path, folder: Path) -> None:
    """The one file of a gzip file: its name without ``.gz``."""
    with gzip.open(packed) as source, (folder / packed.stem).open("wb") as target:
        shutil.copyfileobj(source, target)


def members_of_tar(names: Sequence[str]) -> Unpack:
    """The members of a tar archive whose paths end in these names, without their folders."""

    def unpack(packed: Path, folder: Path) -> None:
        with tarfile.open(packed) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                source = archive.extractfile(member) if name in names else None
                if source is not None:
                    with source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target)

    return unpack


def gunzip_members_of_zip(names: Sequence[str]) -> Unpack:
    """The gzip files of a zip archive whose unpacked names these are, unpacked, without their folders."""

    def unpack(packed: Path, folder: Path) -> None:
        with zipfile.ZipFile(packed) as archive:
            for member in archive.namelist():
                name = member.rpartition("/")[2].removesuffix(".gz")
                if name in names:
                    with (
                        archive.open(member) as file,
                        gzip.open(file) as source,
                        (folder / name).open("wb") as target,
                    ):
                        shutil.copyfileobj(source, target)

    return unpack
