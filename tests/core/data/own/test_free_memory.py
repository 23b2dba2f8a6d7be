"""Memory that is not free is not used: samples are refused before it is, whatever takes it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.data.arrays import room
from core.data.arrays.in_place import in_place
from core.data.dataset import no_progress
from core.data.own.reading import read_samples
from core.data.own.values import column_of
from core.errors import DataError
from core.machine import Memory

MIB = 1 << 20


class Growing:
    """Sequences, each 100 steps longer than the one before."""

    def __len__(self) -> int:
        return 30

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return np.ones((100 + 100 * number, 4), "f4"), number % 2


class Widening(Growing):
    """Whole numbers, and one that is none."""

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return np.ones(100, "f8" if number == 7 else "i4"), number % 2


def transposed() -> Any:
    return in_place(np.ones((30, 200, 4), "f4").T.copy().T, lambda some: some, np.float32, owned=True)


@pytest.mark.parametrize(
    ("take", "bytes_free"),
    [
        (
            lambda: read_samples(Growing(), "mine.py:make", no_progress),
            [40_000],
        ),  # fewer than of 30 like the first one
        (lambda: read_samples(Growing(), "mine.py:make", no_progress), [200_000, 1000]),  # enough of these
        (lambda: read_samples(Widening(), "mine.py:make", no_progress), [20_000, 10_000]),
        (lambda: column_of([np.ones(100)] * 100, "mine.py:make"), [50_000]),
        (transposed, [50_000]),
    ],
    ids=["samples", "sequences that grow", "another type", "a list of arrays", "another order"],
)
def test_samples_that_free_memory_has_no_room_for_are_refused(
    take: Callable[[], Any], bytes_free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that is free is given, one look after the other."""
    free = iter(bytes_free)
    monkeypatch.setattr(room, "memory", lambda: Memory(MIB, next(free, bytes_free[-1])))
    take()  # as little is not looked at
    monkeypatch.setattr(room, "LARGE", 1)
    with pytest.raises(DataError, match=r"take .* GiB of memory, .* are free"):
        take()
    monkeypatch.setattr(room, "memory", lambda: Memory(MIB, 10 * MIB))
    take()
