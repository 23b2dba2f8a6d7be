"""Large arrays that are not contiguous are trained on where they lie, without a second one beside them."""

import tracemalloc

import numpy as np
import pytest

from core.data.arrays import in_place as module
from core.data.arrays.array_samples import dataset_of
from core.data.arrays.given import Given
from core.data.arrays.in_place import in_place
from core.data.arrays.seen import Seen
from core.data.mapped import HeldRows
from core.data.own.python import PythonData

BYTES = 1 << 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of a MiB is large."""
    monkeypatch.setattr(module, "LARGE", BYTES)
    monkeypatch.setattr(module, "BYTES_AT_ONCE", BYTES // 64)


def seen(array: np.ndarray) -> object:
    return in_place(array, lambda some: some, np.float32, owned=False, later=True)


def test_every_other_sample_takes_no_second_array() -> None:
    whole = np.random.default_rng(0).normal(size=(8192, 64)).astype(np.float32)
    for part in (
        whole[::2],
        whole[:, 8:56],
        whole[::-1],
        np.lib.stride_tricks.sliding_window_view(whole.ravel()[:8192], 64),
    ):
        tracemalloc.start()
        made = seen(part)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(made, Seen)
        assert peak < part.nbytes / 10
        assert np.array_equal(made[5:9], part[5:9])


@pytest.mark.parametrize("room", [True, False])
def test_many_columns_one_after_the_other_are_copied_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    monkeypatch.setattr(module, "has_room", lambda needed: room)
    array = np.asfortranarray(np.random.default_rng(0).normal(size=(1024, 300)).astype(np.float32))
    made = seen(array)
    assert isinstance(made, np.ndarray if room else Seen)
    assert np.array_equal(made[3:7], array[3:7])
    assert isinstance(seen(array[:, :256]), Seen if array[:, :256].nbytes >= BYTES else np.ndarray)


@pytest.mark.parametrize("shape", [(1000, 7), (37, 3), (16, 2), (15, 4), (513, 5, 4), (200, 1, 9)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_that_are_owned_become_rows_in_their_own_memory(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], dtype: type
) -> None:
    monkeypatch.setattr(module, "LARGE", 1)
    memory: np.ndarray = np.random.default_rng(0).normal(size=(*shape[1:], shape[0])).astype(dtype)
    wanted = np.moveaxis(memory, -1, 0).astype(np.float32)
    made = in_place(np.moveaxis(memory, -1, 0), lambda some: some, np.float32, owned=True)
    assert made.flags.c_contiguous
    assert np.shares_memory(made, memory)
    assert np.array_equal(made, wanted)


def test_a_part_of_a_table_trains_as_a_copy_of_it() -> None:
    whole = np.random.default_rng(0).normal(size=(8192, 2, 40)).astype(np.float32)
    classes, options = np.arange(8192) % 2, PythonData(path="own.py:make", shape="auto")
    part = dataset_of(Given((whole[:, 1], classes)), options, "own", "auto", "table")
    copy = dataset_of(Given((whole[:, 1].copy(), classes)), options, "own", "auto", "table")
    assert isinstance(part.train.inputs, HeldRows)
    for name, split in copy.splits.items():
        assert np.array_equal(part.splits[name].inputs[:], split.inputs[:])
    assert np.array_equal(part.mean, copy.mean)
    assert np.array_equal(part.std, copy.std)
