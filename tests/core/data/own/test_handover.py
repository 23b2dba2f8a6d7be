"""Arrays that a user's function hands over are divided where they lie; those that it keeps stay as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.arrays import as_array
from core.data import divided, sequences
from core.data.arrays import in_place as module
from core.data.arrays.in_place import in_place
from core.data.arrays.seen import Seen
from core.data.batches import Batches, epoch_order
from core.data.conditioning import Conditioning
from core.data.dataset import Split
from core.data.divided import divide_sequences
from core.data.inputs import Fields, tensors_of
from core.data.mapped import HeldRows
from core.data.own.handover import are_handed_over, may_be_handed_over
from core.data.own.python import PythonData
from core.data.registry import load
from core.data.sequences import Ragged
from core.errors import DataError
from core.user_code.trust import trust

KEPT = """
import numpy as np, torch
HELD = np.arange(1200, dtype=np.float64).reshape(300, 4) % 97
BEFORE = HELD.copy()
CLASSES = np.arange(300) % 2

def kept():
    return HELD, CLASSES
def lent():
    return torch.from_numpy(HELD), CLASSES
def view():
    return HELD[:], CLASSES
def fresh():
    return HELD.copy(), CLASSES
def tensor():
    return torch.from_numpy(HELD).clone(), CLASSES
def single():
    return HELD32, CLASSES
def whole():
    return HELD.astype(np.int16), CLASSES
def several():
    return {"a": HELD32, "b": HELD}, CLASSES
def clipped():
    return FAR, CLASSES
def pictures():
    return PIXELS, CLASSES
HELD32 = HELD.astype(np.float32)
FAR = HELD32.copy()
FAR[7] = 1e9
PIXELS = (HELD.astype(np.int32)[:, :3, None, None] + np.arange(64).reshape(1, 1, 8, 8)).transpose(0, 2, 3, 1).copy()
"""


def held_in(split: Split) -> list[Any]:
    inputs: Any = split.inputs
    return [*inputs.columns.values()] if isinstance(inputs, Fields) else [inputs]


def test_only_memory_that_nobody_else_holds_is_handed_over() -> None:
    held, tensor = np.ones((5, 6)), torch.rand(5, 3)
    assert are_handed_over((np.ones((5, 6)), None))
    assert are_handed_over((np.ones((5, 6)).reshape(5, 2, 3), None))
    assert are_handed_over((as_array(torch.rand(5, 3)), None))
    assert not are_handed_over((held, None))
    assert not are_handed_over((held.reshape(5, 2, 3), None))
    assert not are_handed_over((as_array(tensor), None))
    assert not are_handed_over((as_array(tensor.data), None))
    assert are_handed_over(({"a": np.ones((5, 6)), "b": np.ones(5)}, None))
    assert not are_handed_over(({"a": np.ones((5, 6)), "b": held}, None))
    assert may_be_handed_over(torch.rand(3))
    assert not may_be_handed_over({"a": np.ones(3), "b": torch.from_numpy(held)})
    assert not may_be_handed_over(torch.from_numpy(held))
    assert not may_be_handed_over(torch.rand(9)[:3])


@pytest.mark.parametrize("name", ["kept", "lent", "view", "fresh", "tensor", "single", "whole", "several"])
def test_the_data_is_the_same_and_what_a_function_keeps_is_unchanged(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divided, "LARGE", 0)
    monkeypatch.setattr(module, "LARGE", 0)
    file = tmp_path / "mine.py"
    file.write_text(
        KEPT + "\ndef unchanged():\n    assert (HELD == BEFORE).all()\n    return HELD, CLASSES\n"
    )
    trust(file)
    data = load(PythonData(path=f"{file}:{name}"), tmp_path)
    before = np.arange(1200).reshape(300, 4) % 97
    for split in data.splits.values():
        for inputs in held_in(split):
            assert np.array_equal(inputs[:].numpy(), before[split.indices])
        assert np.array_equal(split.targets.numpy(), split.indices % 2)
    if name in ("kept", "lent", "view", "single", "several"):
        assert all(isinstance(inputs, HeldRows) for inputs in held_in(data.train))
    load(PythonData(path=f"{file}:unchanged"), tmp_path)


def test_samples_are_changed_in_their_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(module, "BYTES_AT_ONCE", 100)
    wide = np.random.default_rng(0).normal(size=(40, 3, 5))
    wanted = wide.transpose(0, 2, 1).astype(np.float32)
    kept = in_place(wide, lambda some: some.transpose(0, 2, 1), np.float32, owned=False)
    assert not np.shares_memory(kept, wide)
    made = in_place(wide, lambda some: some.transpose(0, 2, 1), np.float32, owned=True)
    assert np.shares_memory(made, wide)
    assert np.array_equal(kept, wanted)
    assert np.array_equal(made, wanted)


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_sequences_are_divided_in_their_own_memory(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(sequences, "STEPS_AT_ONCE", at_once)
    monkeypatch.setattr(sequences, "PIECES", 5)
    one = Ragged.of([np.full((1 + at % 4, 2), at) for at in range(60)])
    at = np.arange(60)
    parts = {
        "train": at[at % 3 > 0],
        "validation": at[at % 6 == 0],
        "test": at[at % 12 == 3],
    }  # some in no part
    copies = divide_sequences(one, parts)
    monkeypatch.setattr(divided, "LARGE", 0)
    memory = one.values.numpy()
    views = divide_sequences(one, parts)
    for name in parts:
        assert torch.equal(copies[name].values, views[name].values)
        assert torch.equal(copies[name].offsets, views[name].offsets)
        assert np.shares_memory(views[name].values.numpy(), memory)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_rows_that_stay_where_they_are_are_those_of_a_copy(dtype: str) -> None:
    table = np.random.default_rng(0).normal(size=(90, 4)).astype(dtype)
    rows, train = np.arange(90)[::-2], np.s_[3:40]
    limited = Conditioning(np.full(4, -1.0), np.full(4, 2.0), np.arange(4) / 4)
    for given in (Seen(table, lambda some: some, "f4"), table.astype("f4")):
        clipped = in_place(
            given, limited.of_rows, np.float32, owned=False, later=True, of_columns=limited.of_columns
        )
        for one, copy in ((given, table.astype("f4")), (clipped, limited.apply(table.astype("f4")))):
            held, wanted = HeldRows(one, rows), copy[rows]
            assert np.array_equal(held[:].numpy(), wanted)
            assert np.array_equal(held[7].numpy(), wanted[7])
            assert np.array_equal(held.index_select(0, torch.tensor([5, 2])).numpy(), wanted[[5, 2]])
            assert np.array_equal(held.columns(slice(1, 3), train).numpy(), wanted[train, 1:3])
            assert (held.shape, held.dtype, held.nbytes) == (wanted.shape, torch.float32, wanted.nbytes)


def test_an_array_that_changes_while_a_network_is_trained_on_it_is_refused() -> None:
    kept = np.random.default_rng(0).normal(size=(300, 4)).astype("f4")
    held = HeldRows(kept, np.arange(0, 300, 2))
    held.check()
    kept *= 2
    with pytest.raises(DataError, match="was changed"):
        held.check()


@pytest.mark.parametrize("name", ["clipped", "single", "whole", "several", "pictures"])
def test_batches_of_an_array_that_stays_where_it_is_are_those_of_a_copy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(KEPT)
    trust(file)

    def batches() -> list[Any]:
        data = load(PythonData(path=f"{file}:{name}"), tmp_path)
        made = Batches(data.train, data, torch.device("cpu")).iterate(16, epoch_order(len(data.train), 0, 0))
        return [tensor for batch in made for tensor in (*tensors_of(batch.inputs), batch.targets)]

    copies = batches()
    monkeypatch.setattr(divided, "LARGE", 0)
    monkeypatch.setattr(module, "LARGE", 0)
    assert all(map(torch.equal, copies, batches()))
