"""Images decoded once by worker processes into one file of bytes, which is mapped into memory from then on."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.dataset import Progress
from core.data.images.decoding import decode_files, out_of_reach, workers
from core.data.images.folder_listing import Listing
from core.devices import available_cores
from core.errors import DataError
from core.remedies import OTHER_DATA_ROOT

__all__ = ["Cached", "cache_file", "decode", "is_small", "open_cache"]

FORMAT = 1
"""Raised when the same images would be decoded to other bytes."""
FEW = 512
"""Images up to which starting workers takes longer than decoding them here."""
MAX_IN_CHUNK = 256


@dataclass(frozen=True)
class Cached:
    """Decoded images.

    Attributes:
        pictures: uint8 (n, channels, height, width), mapped.
        broken: why images cannot be read, by their position; black stands in their place.
    """

    pictures: np.ndarray
    broken: dict[int, str]


def is_small(listing: Listing) -> bool:
    """Whether the images are decoded in a moment."""
    return len(listing.files) <= FEW


def cache_file(root: Path, listing: Listing, size: int, colour: str) -> Path:
    """Where the decoded images of a folder lie. The first part of its name stands for the folder, the second for
    what is in it now.

    Args:
        size, colour: as they are asked for.
    """
    what = f"{FORMAT} {size} {colour} {listing.folder.resolve()}"
    place = hashlib.sha256(os.fsencode(what)).hexdigest()[:16]
    return root / "image_folder" / f"{place}-{listing.digest[:32]}.npy"


def open_cache(path: Path) -> Cached | None:
    """What was decoded before; None where nothing is, or what is there is damaged."""
    try:
        pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        broken = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return Cached(np.asarray(pictures), {int(at): str(why) for at, why in broken.items()})
    except (OSError, ValueError, AttributeError):
        return None


def decode(path: Path, listing: Listing, size: tuple[int, int], grey: bool, progress: Progress) -> None:
    """Decode all images into the file that `open_cache` reads; what was decoded of the folder before goes away.

    Nothing is left behind when `progress` raises, or the process is interrupted.

    Args:
        size: (height, width).

    Raises:
        DataError: the file cannot be written.
    """
    shape = (len(listing.files), 1 if grey else 3, *size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(path.parent).free, int(np.prod(shape))
        if needed > free:
            raise DataError(
                f"data.path: decoded, the images take {needed >> 20:,} MiB, and {path.parent} has {free >> 20:,} left",
                ("Give a smaller data.size, or ", OTHER_DATA_ROOT),
            )
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            target = Path(folder) / path.name
            array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
            begin = array.offset
            del array
            broken = dict(_decode_all(listing, size, grey, target, begin, progress))
            reasons = target.with_suffix(".json")
            reasons.write_text(json.dumps(broken), encoding="utf-8")
            for made in (reasons, target):
                with made.open("rb") as file:
                    os.fsync(file.fileno())
                made.replace(path.parent / made.name)
        for old in path.parent.glob(f"{path.name.partition('-')[0]}-*"):
            if old.stem != path.stem:
                old.unlink(missing_ok=True)
    except BrokenExecutor:
        raise DataError(
            "a process that decoded images was ended from outside, maybe since memory is full", "Try again"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot keep decoded images in {path.parent}: {error.strerror or error}",
            ("Free some space, or give ", OTHER_DATA_ROOT),
        ) from None


def _decode_all(
    listing: Listing, size: tuple[int, int], grey: bool, target: Path, begin: int, progress: Progress
) -> Iterator[tuple[int, str]]:
    """Position of each broken image, and what is wrong with it."""
    files, what = listing.files, "decoding images"
    count = 1 if is_small(listing) else available_cores()
    length = max(1, min(MAX_IN_CHUNK, len(files) // (8 * count)))
    image_bytes = size[0] * size[1] * (1 if grey else 3)
    tasks = [
        (
            start,
            (
                str(listing.folder),
                files[start : start + length],
                size,
                grey,
                str(target),
                begin + start * image_bytes,
            ),
        )
        for start in range(0, len(files), length)
    ]
    progress(what, 0, len(files))
    if is_small(listing):
        for start, task in tasks:
            yield from ((start + place, why) for place, why in decode_files(*task))
            progress(what, min(start + length, len(files)), len(files))
        return
    done = 0
    with workers(count) as pool:
        with out_of_reach():
            starts: dict[Future[list[tuple[int, str]]], int] = {
                pool.submit(decode_files, *task): start for start, task in tasks
            }
        for future in as_completed(starts):
            start = starts[future]
            yield from ((start + place, why) for place, why in future.result())
            done += min(length, len(files) - start)
            progress(what, done, len(files))
