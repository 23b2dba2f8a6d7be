"""Samples of several tensors and of sequences, and the batches that they become."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Batches
from core.data.dataset import Dataset, Split
from core.data.inputs import (
    FieldName,
    Fields,
    InputField,
    Inputs,
    padding_of,
    split_inputs,
    zero_inputs,
)
from core.data.mapped import MappedRows
from core.data.sequences import Ragged
from core.errors import ModelError
from core.models.own.calling import arguments_by_name, call_network, left_out

CPU = torch.device("cpu")
SEQUENCES = [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]


def ragged() -> Ragged:
    return Ragged.of([np.array(each, dtype=np.float32) for each in SEQUENCES])


def data_of(fields: Fields, described: tuple[InputField, ...]) -> Dataset:
    targets = torch.tensor([0, 1, 0])
    split = Split(fields, targets, np.arange(3))
    zero, one = torch.tensor(0.0), torch.tensor(1.0)
    kind: Any = "other"
    return Dataset(
        "own", kind, "binary", split, split, split, ("a", "b"), (), zero, one, (0.0,), (1.0,), (0.0, 1.0),
        fields=described,
    )  # fmt: skip


def test_selected_sequences_are_those_at_the_positions() -> None:
    picked = ragged()[torch.tensor([2, 0, 2])]
    assert [picked.one(at).tolist() for at in range(3)] == [[5, 6], [1, 2, 3], [5, 6]]
    assert [each.tolist() for each in (ragged()[1:].values, ragged()[1:].offsets)] == [[4, 5, 6], [0, 1, 3]]


def test_padding_is_zero_behind_each_end() -> None:
    values, lengths = ragged()[torch.tensor([1, 2])].padded()
    assert values.tolist() == [[4, 0], [5, 6]]
    assert lengths.tolist() == [1, 2]
    empty, none = ragged()[torch.zeros(0, dtype=torch.int64)].padded()
    assert (tuple(empty.shape), len(none)) == ((0, 1), 0)


def test_a_batch_is_padded_to_its_own_longest_sequence_and_standardised_before() -> None:
    fields = (
        InputField("steps", (3,), torch.float32, torch.tensor(1.0), torch.tensor(2.0), is_sequence=True),
        InputField("ids", (2,), torch.int16),
    )
    ids = torch.tensor([[1, 2], [3, 4], [5, 6]], dtype=torch.int16)
    data = data_of(Fields({"steps": ragged(), "ids": ids}), fields)
    batches = Batches(data.train, data, CPU)
    first: Any
    second: Any
    first, second = (batch.inputs for batch in batches.iterate(2, order=torch.tensor([1, 2, 0])))
    assert first["steps"].tolist() == [[1.5, 0.0], [2.0, 2.5]]  # (4 - 1) / 2, and padding stays 0
    assert first["mask"].tolist() == [[True, False], [True, True]]
    assert first["lengths"].tolist() == [1, 2]
    assert first["ids"].tolist() == [[3, 4], [5, 6]]
    assert first["ids"].dtype == torch.int64
    assert second["steps"].shape == (1, 3)
    assert [*second] == ["steps", "ids", "mask", "lengths"]


def test_tuples_stay_tuples_and_rows_on_disk_are_read_for_each_batch() -> None:
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    columns: dict[FieldName, Any] = {0: MappedRows(rows, np.array([2, 1, 0])), 1: torch.arange(3.0)}
    described = (
        InputField(0, (4,), torch.uint8, torch.tensor(0.0), torch.tensor(1.0)),
        InputField(1, (), torch.float32),
    )
    data = data_of(Fields(columns), described)
    (batch,) = Batches(data.train, data, CPU).iterate(3, order=torch.tensor([0, 2, 1]))
    assert isinstance(batch.inputs, tuple)
    assert batch.inputs[0].tolist() == [[8, 9, 10, 11], [0, 1, 2, 3], [4, 5, 6, 7]]
    assert batch.inputs[0].dtype == torch.float32
    assert batch.inputs[1].tolist() == [0, 2, 1]
    (parts,) = [[part.inputs[1].tolist() for part in batch.split(2)]]
    assert parts == [[0, 2], [1]]


@pytest.mark.parametrize(
    ("dtype", "fed"),
    [
        (torch.float64, torch.float32),
        (torch.float16, torch.float32),
        (torch.int32, torch.int64),
        (torch.uint8, torch.int64),
        (torch.bool, torch.bool),
        (torch.complex128, torch.complex64),
    ],
)
def test_types_reach_the_network_as_described(dtype: torch.dtype, fed: torch.dtype) -> None:
    field = InputField("x", (2,), dtype)
    assert field.prepared(torch.ones(1, 2, dtype=dtype)).dtype == fed
    zeros: Any = zero_inputs((), 2, (field,))
    assert (zeros["x"].dtype, tuple(zeros["x"].shape)) == (fed, (2, 2))


class ByName(nn.Module):
    def forward(self, meta: Tensor, image: Tensor) -> list[Tensor]:
        return [meta, image]


class Whole(nn.Module):
    def forward(self, x: Any) -> Any:
        return x


class Masked(nn.Module):
    def forward(self, mask: Tensor, x: Tensor) -> list[Tensor]:
        return [x, mask]


class Plain(nn.Module):
    def forward(self, x: Tensor) -> list[Tensor]:
        return [x]


class Lengths(nn.Module):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> list[Any]:
        return [x, lengths]


A, B, M, L = (torch.full((2,), float(value)) for value in range(4))
PADDED: Inputs = {0: A, "mask": M, "lengths": L}


@pytest.mark.parametrize(
    ("network", "inputs", "given"),
    [
        (ByName(), {"image": A, "meta": B}, [B, A]),
        (ByName(), (A, B), [A, B]),
        (Plain(), {"x": A, "meta": B}, [A]),
        (Masked(), PADDED, [A, M]),
        (Lengths(), PADDED, [A, L]),
        (Plain(), PADDED, [A]),
        (Plain(), {"tokens": A, "mask": M, "lengths": L}, [A]),
    ],
)
def test_forward_gets_what_it_asks_for(network: nn.Module, inputs: Inputs, given: list[Tensor]) -> None:
    assert all(one is other for one, other in zip(call_network(network, inputs), given, strict=True))


def test_one_parameter_of_another_name_gets_all() -> None:
    assert call_network(Whole(), {"image": A, "meta": B}).keys() == {"image", "meta"}
    assert call_network(Whole(), (A, B)) == (A, B)
    assert call_network(Whole(), A) is A


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match=r"ByName.forward takes meta, image, and the data has 3 inputs"):
        call_network(ByName(), (A, B, M))
    with pytest.raises(ModelError, match=r"ByName.forward takes meta, image, and the data has a, b") as told:
        call_network(ByName(), {"a": A, "b": B})
    assert (
        told.value.hint == "Name its parameters as the data's inputs, or take one, which gets a dict of them"
    )


def test_what_a_network_does_not_get_is_reported() -> None:
    image, meta = InputField("x", (2,), torch.float32), InputField("meta", (3,), torch.float32)
    assert left_out(Plain(), (image, meta)) == ("inputs: forward does not take meta, which is left out",)
    steps = replace(image, name=0, is_sequence=True)
    (note,) = left_out(Plain(), (steps,))
    assert "forward does not ask where" in note
    assert left_out(Masked(), (steps,)) == ()


def test_inputs_are_handled_as_one() -> None:
    held: Inputs = {"a": torch.arange(3.0), "b": torch.arange(6.0).view(3, 2)}
    parts: list[Any] = [*split_inputs(held, 2)]
    assert [part["b"].tolist() for part in parts] == [[[0, 1], [2, 3]], [[4, 5]]]
    assert padding_of({"image": A, "mask": M}) == set()  # a field of the user's that is called so
    assert arguments_by_name(ByName(), (A, B)).keys() == {"meta", "image"}
