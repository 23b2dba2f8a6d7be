"""Answers of a user's function beside plain pairs: several inputs, sequences, three sets; and those refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.sequences import Ragged
from core.errors import DataError, ModelError
from core.events import EpochFinished
from core.models.linear import Linear
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

HEAD = """
import numpy as np, torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, random_split
n = 60
y = np.arange(n) % 2
x = (np.arange(n * 4).reshape(n, 4) % 7).astype(np.float32)
image = (np.arange(n * 2 * 5 * 5).reshape(n, 2, 5, 5) % 251).astype(np.uint8)
ids = np.arange(n * 3).reshape(n, 3) + 2 ** 25

class Own(Dataset):
    def __init__(self, item, n=n):
        self.item, self.n = item, n
    def __len__(self):
        return self.n
    def __getitem__(self, i):
        return self.item(i)

class Table:
    "As Hugging Face's data sets are."
    features = {"text_ids": None, "label": type("ClassLabel", (), {"names": ["no", "yes"]})}
    column_names = ["text_ids", "label"]
    def with_format(self, kind):
        return self
    def __len__(self):
        return n
    def __getitem__(self, i):
        return {"text_ids": np.arange(i % 5 + 1), "label": i % 2}

class Rows(Table):
    "Its columns are numbers."
    def __getitem__(self, i):
        return {"age": i % 7, "height": i / 8, "label": i % 2}
"""
Make = Callable[..., Dataset]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Loads what a function with this body returns."""

    def make(body: str, **fields: Any) -> Dataset:
        file = tmp_path / "mydata.py"
        file.write_text(f"{HEAD}\ndef make():\n    {body}\n")
        trust(file)
        return load(configuration.from_dict({"data": {"name": f"{file}:make", **fields}}).data)

    return make


def columns(data: Dataset) -> Any:
    inputs: Any = data.train.inputs
    return inputs.columns


def first_batch(data: Dataset) -> Any:
    return next(Batches(data.train, data, torch.device("cpu")).iterate(8)).inputs


@pytest.mark.parametrize(
    "body",
    [
        "return {'image': image, 'meta': x, 'ids': ids}, y",
        "return Own(lambda i: ({'image': image[i], 'meta': x[i], 'ids': ids[i]}, i % 2))",
        "return Own(lambda i: {'image': image[i], 'meta': x[i], 'ids': ids[i], 'label': i % 2})",
        "return [({'image': image[i], 'meta': x[i], 'ids': ids[i]}, i % 2) for i in range(n)]",
        "return [{'image': image[i], 'meta': x[i], 'ids': ids[i]} for i in range(n)], y",
    ],
)
def test_dicts_are_inputs_by_name_each_of_its_own_type(body: str, make: Make) -> None:
    data = make(body)
    assert [field.label for field in data.fields] == ["image (2x5x5)", "meta (4)", "ids (3)"]
    assert (data.task, [len(split) for split in data.splits.values()]) == ("binary", [43, 5, 12])
    (note,) = [note for note in data.notes if note.startswith("inputs:")]
    assert (
        "image (2x5x5) standardised by channel, meta (4) standardised by column, ids (3) as they are" in note
    )
    inputs = first_batch(data)
    assert {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in inputs.items()} == {
        "image": (torch.float32, (8, 2, 5, 5)),
        "meta": (torch.float32, (8, 4)),
        "ids": (torch.int64, (8, 3)),
    }
    assert torch.equal(inputs["ids"][:, 0], torch.from_numpy(data.train.indices[:8] * 3 + 2**25))
    train = columns(data)
    pixels = train["image"].float()
    mean, std = pixels.mean(dim=(0, 2, 3)), pixels.std(dim=(0, 2, 3), correction=0)
    expected = (pixels[:8] - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
    assert torch.allclose(inputs["image"], expected, atol=1e-6)
    assert float(inputs["meta"].mean()) != float(train["meta"][:8].mean())


@pytest.mark.parametrize(
    "body",
    [
        "return (x, x), y",
        "return Own(lambda i: ((x[i], x[i]), i % 2))",
        "return Own(lambda i: ([torch.tensor(x[i]), torch.tensor(x[i])], i % 2))",
    ],
)
def test_two_inputs_are_never_stacked(body: str, make: Make) -> None:
    data = make(body)
    assert [field.shape for field in data.fields] == [(4,), (4,)]
    inputs = first_batch(data)
    assert (type(inputs), [tuple(each.shape) for each in inputs]) == (tuple, [(8, 4), (8, 4)])


def test_scaling_none_leaves_all_as_they_are(make: Make) -> None:
    data = make("return {'image': image, 'meta': x}, y", scaling="none")
    inputs = first_batch(data)
    assert torch.equal(inputs["image"], columns(data)["image"][:8].float())
    assert torch.equal(inputs["meta"], columns(data)["meta"][:8])
    unit = first_batch(make("return {'image': image, 'meta': x}, y", scaling="unit"))["image"]
    assert torch.allclose(unit, inputs["image"] / 255)


def test_whole_numbers_that_float32_cannot_hold_stay(make: Make) -> None:
    data = make("return ids, y", scaling="none")
    (inputs,) = first_batch(data)
    assert torch.equal(inputs, columns(data)[0][:8])
    assert inputs.dtype == torch.int64
    assert any("data.scaling=none keeps them, as int64" in note for note in make("return ids, y").notes)


def test_float64_is_centred_before_it_becomes_float32(make: Make) -> None:
    data = make("return {'time': 1e9 + np.arange(n)[:, None] / 8, 'meta': x}, y")
    seconds = first_batch(data)["time"]
    assert seconds.dtype == torch.float32
    assert len(seconds.unique()) == 8


@pytest.mark.parametrize(
    ("values", "dtype"),
    [("x.astype(np.float16)", torch.float32), ("x > 3", torch.bool), ("x + 1j * x", torch.complex64)],
)
def test_other_types_are_kept(values: str, dtype: torch.dtype, make: Make) -> None:
    assert first_batch(make(f"return ({values}, x), y"))[0].dtype == dtype


def test_complex_numbers_alone_reach_a_network_of_the_users_and_no_other(make: Make) -> None:
    data = make("return x + 1j * x, y")
    assert first_batch(data)[0].dtype == torch.complex64
    with pytest.raises(
        ModelError, match=r"linear takes real numbers, but this data has input 0 \(4\) of type"
    ):
        Linear().build_for(data.sample, 2)


def test_a_shipped_network_names_the_inputs_that_could_be_chosen(make: Make) -> None:
    body = "return {'image': image, 'meta': x}, y"
    with pytest.raises(
        ModelError, match=r"linear takes one input, but this data has 2: image \(2x5x5\)"
    ) as told:
        Linear().build_for(make(body).sample, 2)
    assert str(told.value.hint).startswith("Set data.inputs to image or meta")
    chosen = make(body, inputs="meta")
    assert (chosen.kind, chosen.fields, chosen.sample_shape) == ("table", (), (4,))
    with pytest.raises(DataError, match=r"samples have no input 'metta'\. Known are image, meta"):
        make(body, inputs="metta")


@pytest.mark.parametrize(
    "body",
    [
        "return [np.arange(i % 5 + 1) for i in range(n)], y",
        "return [list(range(i % 5 + 1)) for i in range(n)], y",
        "return np.array([np.arange(i % 5 + 1) for i in range(n)], dtype=object), y",
        "return Own(lambda i: (torch.arange(i % 5 + 1), i % 2))",
        "return Table()",
    ],
)
def test_sequences_of_different_lengths_are_padded(body: str, make: Make) -> None:
    data = make(body)
    assert (data.sample_shape, data.fields[0].is_sequence) == ((5,), True)
    column = columns(data)[0]
    assert isinstance(column, Ragged)
    assert column.lengths.tolist() == [at % 5 + 1 for at in data.train.indices]
    inputs = first_batch(data)
    assert inputs[0].dtype == torch.int64
    assert [*inputs] == [0, "mask", "lengths"]
    assert torch.equal(inputs["mask"].sum(dim=1), inputs["lengths"])
    assert all(
        row[:length].tolist() == [*range(length)]
        for row, length in zip(inputs[0], inputs["lengths"], strict=True)
    )
    with pytest.raises(ModelError, match="linear takes samples of one shape"):
        Linear().build_for(data.sample, 2)


def test_a_data_set_of_tables_gives_its_class_names(make: Make) -> None:
    data = make("return Table()")
    assert data.class_names == ("no", "yes")
    assert "targets: label of each sample, the rest are inputs" in data.notes


@pytest.mark.parametrize(
    "body",
    [
        "return TensorDataset(t, u), TensorDataset(t[:8], u[:8]), TensorDataset(t[:6], u[:6])",
        "return (x, y), (x[:8], y[:8]), (x[:6], y[:6])",
        "return {'train': (x, y), 'val': (x[:8], y[:8]), 'test': (x[:6], y[:6])}",
        "return random_split(TensorDataset(torch.cat([t, t[:14]]), torch.cat([u, u[:14]])), [60, 8, 6])",
        "return DataLoader(TensorDataset(t, u), 4), DataLoader(TensorDataset(t[:8], u[:8])), (x[:6], y[:6])",
        "return ({'a': x, 'b': x}, y), ({'a': x[:8], 'b': x[:8]}, y[:8]), ({'a': x[:6], 'b': x[:6]}, y[:6])",
    ],
)
def test_train_validation_and_test(body: str, make: Make) -> None:
    data = make(f"t, u = torch.tensor(x), torch.tensor(y); {body}")
    assert [len(split) for split in data.splits.values()] == [60, 8, 6]


def test_splits_of_other_inputs_are_refused(make: Make) -> None:
    with pytest.raises(DataError, match="the test set has a, c, the training samples a, b"):
        make("return ({'a': x, 'b': x}, y), ({'a': x, 'c': x}, y)")
    with pytest.raises(
        DataError, match="the test set: b has samples of 3 float32, the training samples have 4"
    ):
        make("return ({'a': x, 'b': x}, y), ({'a': x, 'b': x[:, 1:]}, y)")


def test_a_third_array_weighs_samples(make: Make) -> None:
    data = make("return x, y, np.arange(n)")
    assert data.train.weights is not None
    assert np.array_equal(data.train.weights.numpy(), data.train.indices)
    assert any(note.startswith("weights:") for note in data.notes)
    data = make("return (x, y, np.arange(n)), (x[:6], y[:6])")
    assert data.test.weights is not None
    assert data.test.weights.tolist() == [1] * 6, "without weights they count alike"
    assert any("the test samples have none" in note for note in data.notes)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return ((a, b) for a, b in zip(x, y))", r"generator, which can be read only once .* Return a list"),
        ("return iter([]), y", "list_iterator, which can be read only once"),
        (
            "return DataLoader(Own(lambda i: (x[i], 0)), collate_fn=len)",
            "collate function of .* returned an object",
        ),
        ("return {'image': image, 'meta': x}", r"a dict of image, meta\. Return \(inputs, targets\)"),
        ("return Own(lambda i: {'image': image[i], 'meta': x[i]})", "should be the target"),
        (
            "return Own(lambda i: (x[i], x[i], i % 2))",
            r"tuple of 3.*\(\(a, b\), target\) for several inputs",
        ),
        ("return Own(lambda i: (x[i], {'boxes': x[i]}))", "has a dict of boxes as its target"),
        ("return Own(lambda i: ({'a': x[i], str(i): x[i]}, 0))", "sample 1 .* has the inputs a, 1, sample 0"),
        ("return ({'a': x, 'b': x[:9]}, y)", "has 60 samples in a and 9 in b"),
        (
            "return ({'a': np.full((n, 2), np.nan), 'b': x}, y)",
            "a has NaN or infinite values, first in sample 0",
        ),
        ("return ({'a': np.array(['p'] * n), 'b': x}, y)", "a holds texts, not numbers"),
        ("return [np.arange(i % 5) for i in range(n)], y", "sample 0 is an empty sequence"),
        ("return ({'mask': x, 'b': [np.arange(i + 1) for i in range(n)]}, y)", "an input of the name mask"),
        ("return type('F', (), {'columns': [], 'dtypes': []})()", r"a table, .*to_numpy\(\)"),
        ("return type('Arrow', (), {'columns': [], 'schema': 0})()", r"a table, .*to_numpy\(\)"),
        ("return dict(enumerate(x))", r"a dict of 0, 1, 2, 3, 4, 5, 6, 7, \.\.\.\. Return"),
        ("return memoryview(x)", "object of type memoryview. It must return inputs and targets"),
    ],
)
def test_what_it_may_not_return_is_refused_in_one_line(body: str, message: str, make: Make) -> None:
    with pytest.raises(DataError, match=message) as told:
        make(body)
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_the_example_trains_resumes_and_predicts(train_run: Callable[..., Any]) -> None:
    example = REPOSITORY / "examples" / "two_inputs.py"
    trust(example)
    config = {
        "data": f"{example}:make",
        "model": {"name": f"{example}:Adder", "arguments": {"width": 32}},
        "optimizer": {"name": "adam", "lr": 0.01},
        "training": {"epochs": 2, "batch_size": 64, "baselines": "none"},
    }
    run = train_run(config)
    again = train_run({"training": {"epochs": 3}}, run=run.run)
    assert again.finished.status == "completed"
    assert again.told(EpochFinished)[-1].validation["accuracy"] > 0.3  # 0.1 without both inputs


@pytest.mark.parametrize("body", ["return Rows()", "return [Rows()[i] for i in range(n)]"])
def test_dicts_of_numbers_are_rows_of_a_table(body: str, make: Make) -> None:
    data = make(body)
    assert (data.kind, data.feature_names, data.sample_shape) == ("table", ("age", "height"), (2,))
    note = "samples are rows of a table with the columns age, height: name them in data.inputs to give a network each"
    assert any(each.startswith(note) for each in data.notes)
    at = data.train.indices
    np.testing.assert_allclose(data.in_unit(data.train.inputs[:]).numpy(), np.stack([at % 7, at / 8], axis=1))


@pytest.mark.parametrize(
    ("body", "fields"), [("return Rows()", {"inputs": "age,height"}), ("return Own(Rows().__getitem__)", {})]
)
def test_numbers_by_name_where_they_are_asked_for(body: str, fields: dict[str, str], make: Make) -> None:
    assert [field.name for field in make(body, **fields).fields] == ["age", "height"]
