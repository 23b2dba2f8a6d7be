"""Lists of sequences train where they lie, as copies of them would; lists that nobody else holds are let go of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema
from core.data.arrays.held_sequences import HeldSequences
from core.data.batches import Batches, epoch_order
from core.data.fingerprint import fingerprint
from core.data.inputs import Fields, tensors_of
from core.data.own import values
from core.data.own.handover import lists_alone
from core.data.registry import load
from core.errors import DataError
from core.user_code.trust import trust

SOURCE = """
import numpy as np, torch
DRAWN = np.random.default_rng(0)
LENGTHS = DRAWN.integers(2, 9, 60)
LENGTHS[:2] = 2, 9
CLASSES = np.arange(60) % 2
FLOATS = [DRAWN.normal(size=(length, 3)).astype("f4") for length in LENGTHS]
def floats():
    return FLOATS, CLASSES
def doubles():
    return [1e9 + each.astype("f8") * 1e-3 for each in FLOATS], CLASSES
def mixed():
    return [each.astype("f8" if at % 2 else "f4") for at, each in enumerate(FLOATS)], CLASSES
def shorts():
    return [torch.from_numpy((each * 50).astype("i2")) for each in FLOATS], CLASSES
def scalars():
    return [each[:, 0].copy() for each in FLOATS], CLASSES
def ids():
    return [[step * 7 % 40 for step in range(length)] for length in LENGTHS.tolist()], CLASSES
def beside():
    return {"s": FLOATS, "x": np.arange(120.0).reshape(60, 2)}, CLASSES
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "own.py"
    file.write_text(SOURCE, encoding="utf-8")
    trust(file)
    return file


def made(source: Path, name: str) -> Any:
    return load(schema.from_dict({"data": {"name": f"{source}:{name}"}}).data)


@pytest.mark.parametrize("name", ["floats", "doubles", "mixed", "shorts", "scalars", "ids", "beside"])
def test_sequences_that_stay_where_they_lie_train_as_copies(
    source: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = made(source, name)
    monkeypatch.setattr(values, "LARGE", 1)
    held = made(source, name)
    assert held.notes == joined.notes
    assert held.vocabulary == joined.vocabulary
    assert fingerprint(held) == fingerprint(joined)
    for split in ("train", "validation", "test"):
        inputs = held.splits[split].inputs
        assert isinstance(inputs, Fields)
        assert isinstance(next(iter(inputs.columns.values())), HeldSequences)
        one, other = (Batches(data.splits[split], data, torch.device("cpu")) for data in (held, joined))
        order = epoch_order(len(one), 0, 0)
        for batch, like in zip(one.iterate(4, order), other.iterate(4, order), strict=True):
            pairs = zip(tensors_of(batch.inputs), tensors_of(like.inputs), strict=True)
            assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_sequences_that_the_function_changes_meanwhile_are_refused(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "LARGE", 1)
    data = made(source, "floats")
    batches = Batches(data.train, data, torch.device("cpu"))
    next(iter(batches.iterate(4)))
    held = data.train.inputs.columns[0]
    held._sequences[0][0] += 1
    with pytest.raises(DataError, match="were changed"):
        next(iter(batches.iterate(4)))


def test_a_list_that_nobody_else_holds_is_let_go_of() -> None:
    answer: list[Any] = [([np.ones((3, 2), "f4") for _ in range(5)], np.arange(5))]
    arrays, alone = answer[0][0], lists_alone(answer)
    assert not alone  # this test holds it
    del arrays
    assert lists_alone(answer) == {id(answer[0][0])}
    stacked: Any = values.column_of(answer[0][0], "own.py:make", owned=True)
    assert np.array_equal(stacked, np.ones((5, 3, 2)))
    assert not any(each is not None for each in answer[0][0])


@pytest.mark.parametrize("kind", ["tuple", "list", "dict"])
def test_what_somebody_holds_around_a_list_keeps_it(kind: str) -> None:
    inputs: list[Any] = [[1, 2], [3]]
    around: Any = {"tuple": (inputs, 0), "list": inputs, "dict": {"x": inputs, "y": 0}}[kind]
    answer = [around]
    del inputs
    assert not lists_alone(answer)
