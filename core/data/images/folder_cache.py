"""Images decoded once by worker processes into one file of bytes, which is mapped into memory from then on."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.data.dataset import Progress
from core.data.images.decoding_job import DecodingFacts, DecodingJob, facts_in
from core.data.images.folder_listing import Listing
from core.data.images.folder_survey import telling_failures
from core.errors import DataError
from core.files.reading import ensure_regular, read_bytes
from core.files.temporary import hidden_folder, sync_file, sync_folder
from core.remedies import OTHER_DATA_ROOT

__all__ = ["Cached", "cache_file", "decode", "open_cache", "why_streamed"]

FORMAT = 2
"""Raised when the same images would be decoded to other bytes."""
SPARE = 0.9
"""Part of the disk's free space that decoded images may take."""


@dataclass(frozen=True)
class Cached:
    """Decoded images.

    Attributes:
        pictures: uint8 (n, channels, height, width), mapped.
    """

    pictures: np.ndarray
    facts: DecodingFacts

    def only_value(self, at: np.ndarray) -> int | None:
        """Return the value that all pixels of some images have; None where they have several."""
        first = int(self.pictures[at[0]].flat[0])
        return first if all((self.pictures[each] == first).all() for each in at) else None


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
        facts = facts_in(json.loads(read_bytes(path.with_suffix(".json"))))
        return Cached(np.asarray(pictures), facts)
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

    Nothing is left behind when `progress` raises, or the process is interrupted; what a killed one left is removed.

    Args:
        size: (height, width).
        value_range: what becomes black and white in images of more than 8 bits; None infers it.

    Raises:
        DataError: the file cannot be written.
    """
    shape = (len(listing.files), 1 if grey else 3, *size)
    with telling_failures(path.parent):
        free, needed = _free(path.parent), int(np.prod(shape))
        if needed > free:
            raise DataError(
                f"data.path: decoded, the images take {needed >> 20:,} MiB, and {path.parent} has {free >> 20:,} left",
                ("Give a smaller data.size, set data.feed to stream, or ", OTHER_DATA_ROOT),
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with hidden_folder(path.parent, ".decoding-") as folder:
            target = folder / path.name
            array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
            start = array.offset
            del array
            found = DecodingJob(listing, size, grey, progress, target, start).run(value_range)
            facts = target.with_suffix(".json")
            facts.write_text(json.dumps(asdict(found)), encoding="utf-8")
            for made in (facts, target):
                sync_file(made)
                made.replace(path.parent / made.name)
            sync_folder(path.parent)
        for old in path.parent.glob(f"{path.name.partition('-')[0]}-*"):
            if old.stem != path.stem:
                old.unlink(missing_ok=True)


def why_streamed(path: Path, listing: Listing, size: tuple[int, int], grey: bool) -> str:
    """Return in a sentence why the images of a folder are streamed; empty where the decoded ones fit on the disk."""
    needed = len(listing.files) * size[0] * size[1] * (1 if grey else 3)
    free = _free(path.parent)
    if needed <= SPARE * free:
        return ""
    return (
        f"the images are streamed: decoded, they take {needed / 2**30:.1f} GiB, and {path.parent} has "
        f"{free / 2**30:.1f} GiB left; data.feed=resident decodes them once all the same"
    )


def _free(folder: Path) -> int:
    """Return the bytes left on the disk of a folder, which need not exist."""
    there = next((each for each in (folder, *folder.parents) if each.is_dir()), Path("/"))
    return shutil.disk_usage(there).free
