"""All images of a folder decoded by worker processes: into a file, or to see what is in them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.data.dataset import Progress
from core.data.images.decoding import Findings, decode_files, out_of_reach, workers
from core.data.images.depth import joined, usual_range
from core.data.images.folder_listing import Listing
from core.machine import available_cores

__all__ = ["DecodingFacts", "DecodingJob", "facts_in", "is_small"]

MAX_IN_PROCESS = 512
"""Images up to which starting workers takes longer than decoding them here."""
MAX_CHUNK = 256
"""Images that a worker decodes at once."""


@dataclass(frozen=True)
class DecodingFacts:
    """Facts of decoded images.

    Attributes:
        broken: why images cannot be read, by their position; black stands in their place.
        deep: how many images have more than 8 bits in their one channel.
        value_range: what became black and white in these; None where there are none.
        wide: how many images have 16 bits in each of several channels, of which 8 were read.
        wide_high: the largest value read of these.
        several: how many files hold more than one picture.
        first_several: position of the first of these.
    """

    broken: dict[int, str]
    deep: int
    value_range: tuple[float, float] | None
    wide: int
    wide_high: int
    several: int
    first_several: int


def facts_in(values: dict[str, Any]) -> DecodingFacts:
    """Return the facts that `dataclasses.asdict` made plain, from JSON.

    Raises:
        ValueError, AttributeError, TypeError, KeyError, IndexError: they are none.
    """
    broken = {int(at): str(why) for at, why in values.pop("broken").items()}
    low_high = values.pop("value_range")
    value_range = None if low_high is None else (float(low_high[0]), float(low_high[1]))
    return DecodingFacts(broken, value_range=value_range, **values)


def is_small(listing: Listing) -> bool:
    """Return whether the images are decoded in a moment."""
    return len(listing.files) <= MAX_IN_PROCESS


@dataclass(frozen=True)
class DecodingJob:
    """Images to decode.

    Attributes:
        target: an existing file that they are written into, and `start`: the byte of the first one; None only looks at
            them.
        sums: int64 (n, 2, channels): of the values of each image, and of their squares; filled where it is given.
    """

    listing: Listing
    size: tuple[int, int]
    grey: bool
    progress: Progress
    target: Path | None = None
    start: int = 0
    sums: np.ndarray | None = None

    def run(self, value_range: tuple[float, float] | None) -> DecodingFacts:
        """Decode all images; those of more than 8 bits a second time, when the range of all of them is known.

        Args:
            value_range: what becomes black and white in images of more than 8 bits; None infers it.

        Raises:
            BrokenExecutor: a process that decodes was killed.
        """
        found = self._decode(range(len(self.listing.files)), value_range)
        if found.deep and value_range is None:
            value_range = usual_range(joined(found.deep.values()))
            self._decode(sorted(found.deep), value_range)
        return DecodingFacts(
            broken=found.broken,
            deep=len(found.deep),
            value_range=value_range if found.deep else None,
            wide=len(found.wide),
            wide_high=max(found.wide.values(), default=0),
            several=len(found.several),
            first_several=min(found.several, default=0),
        )

    def _decode(self, positions: Sequence[int], value_range: tuple[float, float] | None) -> Findings:
        """Decode the images at these positions, in ascending order."""
        what, done, total = "decoding images" if self.target else "looking at images", 0, len(positions)
        found = Findings({}, {}, {}, [], None)
        count = 1 if is_small(self.listing) else available_cores()
        chunks = _chunks(positions, max(1, min(MAX_CHUNK, total // (8 * count))))
        tasks = {first: self._task(first, length, value_range) for first, length in chunks}
        self.progress(what, 0, total)
        for first, part in self._findings(tasks, count):
            found.broken.update({first + place: why for place, why in part.broken.items()})
            found.deep.update({first + place: extremes for place, extremes in part.deep.items()})
            found.wide.update({first + place: high for place, high in part.wide.items()})
            found.several.extend(first + place for place in part.several)
            if self.sums is not None and part.sums is not None:
                self.sums[first : first + len(part.sums)] = part.sums
            done += len(tasks[first][1])
            self.progress(what, done, total)
        return found

    def _task(self, first: int, length: int, value_range: tuple[float, float] | None) -> tuple[Any, ...]:
        """The arguments of `decode_files` for some images."""
        image_bytes = self.size[0] * self.size[1] * (1 if self.grey else 3)
        files = self.listing.files[first : first + length]
        target = None if self.target is None else (str(self.target), self.start + first * image_bytes)
        return str(self.listing.folder), files, self.size, self.grey, value_range, target

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
