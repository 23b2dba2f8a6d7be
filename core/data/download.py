"""Downloads that are checked, tell their progress, and never leave half a file behind."""

import gzip
import hashlib
import http.client
import shutil
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from core.data.dataset import Progress
from core.errors import DataError

__all__ = ["fetch"]

CHUNK = 1 << 16
TIMEOUT = 20.0


def fetch(urls: Sequence[str], path: Path, *, md5: str, progress: Progress) -> None:
    """Download a gzip file from the first address that answers, check it, and unpack it beside `path`.

    Args:
        urls: addresses of the same file, tried in turn.
        path: where the packed file would lie; the unpacked one has the name without ``.gz``.
        md5: checksum of the packed file.

    Raises:
        DataError: no address gave the right file, or the folder cannot be written.
    """
    failures = []
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                if _save(response, path, md5, progress):
                    return
            failures.append(f"{url}: wrong checksum")
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{url}: {getattr(error, 'reason', error)}")
    raise DataError(
        f"cannot download {path.stem}: {'; '.join(failures)}",
        f"Without network, put the file into {path.parent} or give another --data-root",
    )


def _save(response: http.client.HTTPResponse, path: Path, md5: str, progress: Progress) -> bool:
    """Write and unpack what comes, by way of a folder that goes away; whether it is the right file."""
    digest = hashlib.md5(usedforsecurity=False)
    total = int(response.headers.get("Content-Length") or 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        packed = Path(folder) / path.name
        with packed.open("wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                progress(path.stem, file.tell(), total)
        if digest.hexdigest() != md5:
            return False
        unpacked = packed.with_suffix("")
        with gzip.open(packed) as source, unpacked.open("wb") as target:
            shutil.copyfileobj(source, target)
        unpacked.replace(path.with_suffix(""))
        return True
