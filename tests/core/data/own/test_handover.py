"""Arrays that a user's function hands over are divided where they lie; those that it keeps stay as they are."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.arrays import as_array
from core.data import divided, sequences
from core.data.arrays import in_place as module
from core.data.arrays.in_place import in_place
from core.data.divided import divide_sequences
from core.data.own.handover import are_handed_over, may_be_handed_over
from core.data.own.python import PythonData
from core.data.registry import load
from core.data.sequences import Ragged
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
"""


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


@pytest.mark.parametrize("name", ["kept", "lent", "view", "fresh", "tensor"])
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
        assert np.array_equal(split.inputs[:].numpy(), before[split.indices])
        assert np.array_equal(split.targets.numpy(), split.indices % 2)
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
