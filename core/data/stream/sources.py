"""The user's data sets as sources of samples by their place, read one after the other with seeded random numbers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from torch.utils.data import IterableDataset

from core.data.stream.seeds import Draws, Generators
from core.errors import DataError
from core.torch_private import as_the_only_worker

__all__ = ["Collate", "MapSource", "SampleSource", "StreamSource", "source_of"]

MIN_WATCHED = 16
"""Samples from which on looking at the state of a generator takes less time than seeding it for each."""

Collate = Callable[[list[Any]], Any]


class SampleSource(Protocol):
    """Samples by their place in a data set."""

    dataset: Any
    in_order: bool
    """Reading goes forward alone: an earlier sample is found by starting over."""

    @property
    def at(self) -> int:
        """The place of the sample that is being read; for messages."""
        ...

    def read(self, draws: Draws, places: Sequence[int]) -> list[Any]:
        """Return the samples at some places, as the user's code gives them, which may raise whatever it likes."""
        ...


class MapSource:
    """A map-style data set: each sample is read by its index."""

    in_order = False

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.at = dataset, 0
        self._generators = Generators(dataset)

    def read(self, draws: Draws, places: Sequence[int]) -> list[Any]:
        """Return the samples at some places; each draws from random numbers of its own.

        Seeding the module `random` takes longer than all the rest: it is left out until samples are seen to draw from
        it, which are then read again.
        """
        generators = self._generators
        if generators.draws_python or len(places) < MIN_WATCHED:
            return self._samples(draws, places, python=True)
        samples: list[Any] = []
        try:
            with generators.watching_python(draws):
                samples = self._samples(draws, places, python=False)
        except Exception:
            if not generators.draws_python:
                raise
        return self._samples(draws, places, python=True) if generators.draws_python else samples

    def _samples(self, draws: Draws, places: Sequence[int], *, python: bool) -> list[Any]:
        samples = []
        for place in self._generators.of_each(draws, places, python=python):
            self.at = place
            samples.append(self.dataset[place])
        return samples


class StreamSource:
    """An iterable data set: its samples are numbered as they come, and those that are not asked for are passed by.

    Each process that reads keeps its own place in the stream, and reads all of it: a data set that would give a worker
    a share alone is told that this is the only one. So no sample comes twice, and none is lost, however many workers,
    processes and splits there are. Reading an earlier sample starts over.
    """

    in_order = True

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._generators = Generators(dataset)
        self._stream: Iterator[Any] | None = None
        self._draws: Draws | None = None
        self._next = 0

    @property
    def at(self) -> int:
        return self._next

    def read(self, draws: Draws, places: Sequence[int]) -> list[Any]:
        """Return the samples at some places, ascending.

        Raises:
            DataError: the stream ends before them.
        """
        return list(self._samples(draws, places))

    def rest(self, draws: Draws, first: int) -> Iterator[Any]:
        """Yield all samples from a place on."""
        with as_the_only_worker():
            yield from self._from(draws, first)

    def _samples(self, draws: Draws, places: Sequence[int]) -> Iterator[Any]:
        with as_the_only_worker():
            for place in places:
                sample = next(self._from(draws, place), END)
                if sample is END:
                    raise DataError(
                        f"data.path: the stream ended after {self._next:,} samples in this pass, and had more before",
                        "Make it give as many samples each time",
                    )
                yield sample

    def _from(self, draws: Draws, first: int) -> Iterator[Any]:
        """Yield samples from a place on; where the stream stands before it and has the same numbers, it goes on."""
        if self._stream is None or draws != self._draws or first < self._next:
            self._generators.seed(draws, -1)
            self._stream, self._draws, self._next = iter(self.dataset), draws, 0
        while True:
            self._generators.seed(draws, self._next)
            sample = next(self._stream, END)
            if sample is END:
                self._stream = None
                return
            self._next += 1
            if self._next > first:
                yield sample


END: Any = object()


def source_of(dataset: Any) -> MapSource | StreamSource:
    """Return the source that reads a torch data set."""
    return StreamSource(dataset) if isinstance(dataset, IterableDataset) else MapSource(dataset)
