"""Images decoded once by worker processes into one file of bytes, which is mapped into memory from then on."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.data.dataset import Progress
from core.data.images.decoding import Findings, decode_files, out_of_reach, workers
from core.data.images.depth import joined, usual_range
from core.data.images.folder_listing import Listing
from core.errors import DataError
from core.files.reading import ensure_regular, read_bytes
from core.files.temporary import hidden_folder, sync_file, sync_folder
from core.machine import available_cores
from core.remedies import OTHER_DATA_ROOT

__all__ = ["Cached", "cache_file", "decode", "is_small", "open_cache"]

FORMAT = 2
"""Raised when the same images would be decoded to other bytes."""
MAX_IN_PROCESS = 512
"""Images up to which starting workers takes longer than decoding them here."""
MAX_CHUNK = 256
"""Images that a worker decodes at once."""
MAX_IN_CHUNK = 256


@dataclass(frozen=True)
class Cached:
    """Decoded images.

    Attributes:
        pictures: uint8 (n, channels, height, width), mapped.
        broken: why images cannot be read, by their position; black stands in their place.
        deep: how many images have more than 8 bits in their one channel.
        value_range: what became black and white in these; None where there are none.
        wide: how many images have 16 bits in each of several channels, of which 8 were read.
        wide_high: the largest value read of these.
        several: how many files hold more than one picture.
        first_several: position of the first of these.
    """

    pictures: np.ndarray
    broken: dict[int, str]
    deep: int
    value_range: tuple[float, float] | None
    wide: int
    wide_high: int
    several: int
    first_several: int


def is_small(listing: Listing) -> bool:
    """Return whether the images are decoded in a moment."""
    return len(listing.files) <= MAX_IN_PROCESS


def cache_file(root: Path, listing: Listing, how: str) -> Path:
    """Return where the decoded images of a folder lie.

    The first part of the name stands for the folder and for `how` it is decoded, the second for what is in it now.
    """
    what = f"{FORMAT} {how} {listing.folder.resolve()}"
    place = hashlib.sha256(os.fsencode(what)).hexdigest()[:16]
    return root / "image_folder" / f"{place}-{listing.digest[:32]}.npy"


def open_cache(path: Path) -> Cached | None:
    """Return what was decoded before; None where nothing is, or what is there is damaged."""
    try:
        ensure_regular(path)
        pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        facts = json.loads(read_bytes(path.with_suffix(".json")))
        broken = {int(at): str(why) for at, why in facts.pop("broken").items()}
        value_range = facts.pop("value_range")
        if value_range is not None:
            value_range = float(value_range[0]), float(value_range[1])
        return Cached(np.asarray(pictures), broken, value_range=value_range, **facts)
    except (OSError, ValueError, AttributeError, TypeError, KeyError, IndexError):
        return None


def decode(
    path: Path,
    listing: Listing,
    size: tuple[int, int],
    grey: bool,
    value_range: tuple[float, float] | None,
    progress: Progress,
) -> None:
    """Decode all images into the file that `open_cache` reads; what was decoded of the folder before goes away.

    Images of more than 8 bits are read a second time, when the range of all of them is known.

    Nothing is left behind when `progress` raises, or the process is interrupted; what a killed one left is removed.

    Args:
        size: (height, width).
        value_range: what becomes black and white in images of more than 8 bits; None infers it.

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
        with hidden_folder(path.parent, ".decoding-") as folder:
            target = folder / path.name
            array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
            start = array.offset
            del array
            job = _Job(listing, size, grey, target, start, progress)
            found = job.decode(range(len(listing.files)), value_range)
            if found.deep and value_range is None:
                value_range = usual_range(joined(found.deep.values()))
                job.decode(sorted(found.deep), value_range)
            facts = target.with_suffix(".json")
            facts.write_text(json.dumps(_facts(found, value_range)), encoding="utf-8")
            for made in (facts, target):
                sync_file(made)
                made.replace(path.parent / made.name)
            sync_folder(path.parent)
        for old in path.parent.glob(f"{path.name.partition('-')[0]}-*"):
            if old.stem != path.stem:
                old.unlink(missing_ok=True)
    except BrokenExecutor:
        raise DataError(
            "a process that decoded images was killed from outside, maybe because memory is full", "Try again"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot keep decoded images in {path.parent}: {error.strerror or error}",
            ("Free some space, or give ", OTHER_DATA_ROOT),
        ) from None


def _facts(found: Findings, value_range: tuple[float, float] | None) -> dict[str, Any]:
    """The fields of `Cached` but for the images."""
    return {
        "broken": found.broken,
        "deep": len(found.deep),
        "value_range": value_range if found.deep else None,
        "wide": len(found.wide),
        "wide_high": max(found.wide.values(), default=0),
        "several": len(found.several),
        "first_several": min(found.several, default=0),
    }


@dataclass(frozen=True)
class _Job:
    """Images to decode, and where to."""

    listing: Listing
    size: tuple[int, int]
    grey: bool
    target: Path
    start: int
    progress: Progress

    def decode(self, positions: Sequence[int], value_range: tuple[float, float] | None) -> Findings:
        """Decode the images at these positions, in ascending order."""
        what, done, total = "decoding images", 0, len(positions)
        found = Findings({}, {}, {}, [])
        count = 1 if is_small(self.listing) else available_cores()
        chunks = _chunks(positions, max(1, min(MAX_CHUNK, total // (8 * count))))
        tasks = {first: self._task(first, length, value_range) for first, length in chunks}
        self.progress(what, 0, total)
        for first, part in self._findings(tasks, count):
            found.broken.update({first + place: why for place, why in part.broken.items()})
            found.deep.update({first + place: extremes for place, extremes in part.deep.items()})
            found.wide.update({first + place: high for place, high in part.wide.items()})
            found.several.extend(first + place for place in part.several)
            done += len(tasks[first][1])
            self.progress(what, done, total)
        return found

    def _task(self, first: int, length: int, value_range: tuple[float, float] | None) -> tuple[Any, ...]:
        """The arguments of `decode_files` for some images."""
        image_bytes = self.size[0] * self.size[1] * (1 if self.grey else 3)
        files = self.listing.files[first : first + length]
        offset = self.start + first * image_bytes
        return str(self.listing.folder), files, self.size, self.grey, value_range, str(self.target), offset

    def _findings(self, tasks: Mapping[int, tuple[Any, ...]], count: int) -> Iterator[tuple[int, Findings]]:
        """The first position of each task, and what was found."""
        with nullcontext() if is_small(self.listing) else workers(count) as pool:
            if pool is None:
                yield from ((first, decode_files(*task)) for first, task in tasks.items())
                return
            with out_of_reach():
                started: dict[Future[Findings], int] = {
                    pool.submit(decode_files, *task): first for first, task in tasks.items()
                }
            for future in as_completed(started):
                yield started[future], future.result()


def _chunks(positions: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """The first position and the length of each stretch of positions without a gap, none longer than `length`."""
    first = size = 0
    for position in positions:
        if size and (position != first + size or size == length):
            yield first, size
            size = 0
        first, size = (first, size + 1) if size else (position, 1)
    if size:
        yield first, size
