"""Splits without leaks, and statistics that only train has a say in."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from core.config.schema import FAMILIES
from core.data.batches import Batches, epoch_order
from core.data.dataset import Dataset, Split
from core.data.registry import default_root
from core.data.splits import assemble, divide
from core.errors import DataError
from core.options import choices
from tests.support.narrow import instance

Load = Callable[..., Dataset]


def rows(split: Split) -> torch.Tensor:
    """The inputs, which are in memory."""
    return instance(torch.Tensor, split.inputs)


ALL = [name for name in choices(FAMILIES["data"]) if name != "text_folder"]
"""All but texts, which are no numbers; see `tests/core/data/text`."""
OFFICIAL = {"mnist", "fashion_mnist", "kmnist", "emnist", "cifar10", "cifar100", "svhn"}
SAMPLES = {"digits": 1797, "iris": 150, "wine": 178, "breast_cancer": 569, "diabetes": 442} | {
    "moons": 1000,
    "spirals": 1000,
}
TASKS = {
    "breast_cancer": "binary",
    "diabetes": "regression",
    "moons": "binary",
    "spirals": "binary",
    "mask_folder": "segmentation",
}


@pytest.mark.parametrize("name", ALL)
class TestEveryDataSet:
    def test_splits_are_disjoint_and_complete(self, name: str, load_data: Load) -> None:
        data = load_data(name)
        parts = ("train", "validation") if name in OFFICIAL else ("train", "validation", "test")
        indices = np.concatenate([data.splits[part].indices for part in parts])
        assert len(np.unique(indices)) == len(indices) == SAMPLES.get(name, 300)
        if name in OFFICIAL:
            assert len(data.test) == 100

    def test_shapes_and_kinds_are_as_promised(self, name: str, load_data: Load) -> None:
        data = load_data(name)
        assert data.name == name
        assert data.task == TASKS.get(name, "multiclass")
        assert data.outputs == (len(data.class_names) if data.task != "regression" else 1)
        assert len(data.sample_shape) == (3 if data.kind == "image" else 1)
        assert len(data.feature_names) == (0 if data.kind == "image" else data.sample_shape[0])
        for split in data.splits.values():
            assert split.inputs.shape == (len(split), *data.sample_shape)
            assert split.inputs.dtype == (torch.uint8 if data.kind == "image" else torch.float32)
            assert split.indices.dtype == np.int64
            if data.task == "regression":
                assert (split.targets.shape, split.targets.dtype) == ((len(split), 1), torch.float32)
            elif data.task == "segmentation":
                assert split.targets.shape == (len(split), *data.sample_shape[1:])
                assert split.targets.dtype == torch.uint8
            else:
                assert (split.targets.shape, split.targets.dtype) == ((len(split),), torch.int64)
                assert 0 <= split.targets.min() <= split.targets.max() < data.outputs
            low, high = data.value_range
            if data.kind == "image":
                inputs = rows(split)
                assert low <= inputs.min() <= inputs.max() <= high

    def test_standardised_train_has_mean_0_and_deviation_1(self, name: str, load_data: Load) -> None:
        data = load_data(name)
        batches = Batches(data.train, data, torch.device("cpu"))
        inputs, targets, _ = next(batches.iterate(len(data.train)))
        over = (0, 2, 3) if data.kind == "image" else (0,)
        assert torch.allclose(inputs.double().mean(over), torch.zeros(1, dtype=torch.float64), atol=1e-4)
        assert torch.allclose(
            inputs.double().std(over, correction=0), torch.ones(1, dtype=torch.float64), atol=1e-3
        )
        if data.task == "regression":
            assert abs(float(targets.double().mean())) < 1e-5
            assert float(targets.double().std(correction=0)) == pytest.approx(1)

    def test_same_seed_same_split(self, name: str, load_data: Load) -> None:
        again = inspect.unwrap(load_data)(name)
        for part, split in load_data(name).splits.items():
            assert np.array_equal(split.indices, again.splits[part].indices)
            assert torch.equal(rows(split), rows(again.splits[part]))
        other = load_data(name, split_seed=1)
        assert not np.array_equal(other.validation.indices, again.validation.indices)

    def test_classes_have_equal_shares_in_every_split(self, name: str, load_data: Load) -> None:
        data = load_data(name)
        if data.task in ("regression", "segmentation"):
            return
        shares = {
            part: np.bincount(split.targets, minlength=data.outputs) / len(split)
            for part, split in data.splits.items()
        }
        for part, share in shares.items():
            assert np.abs(share - shares["train"]).max() <= 1.5 / len(data.splits[part])

    def test_nothing_is_held_out_when_nothing_shall_be(self, name: str, load_data: Load) -> None:
        data = load_data(name, validation=0.0)
        assert len(data.validation) == 0
        assert data.validation.inputs.shape == (0, *data.sample_shape)
        assert len(data.train) > len(load_data(name).train)


@pytest.mark.parametrize("name", ["digits", "wine", "diabetes", "mnist"])
def test_the_test_split_does_not_depend_on_the_validation_share(name: str, load_data: Load) -> None:
    """Samples seen once, at the end, must not move into training when another option changes."""
    tests = [load_data(name, validation=share).test for share in (0.0, 0.1, 0.5)]
    for test in tests[1:]:
        assert np.array_equal(test.indices, tests[0].indices)
        assert torch.equal(rows(test), rows(tests[0]))
        assert torch.equal(test.targets, tests[0].targets)


def test_an_official_test_set_is_kept_whole_and_in_order(load_data: Load) -> None:
    data = load_data("mnist", split_seed=5)
    assert np.array_equal(data.test.indices, np.arange(100))
    assert torch.equal(data.test.targets, torch.arange(100) % 10)


def extreme(data_kind: str, held_out: float) -> Dataset:
    """A data set whose held-out samples would spoil every statistic."""
    inputs = torch.arange(12.0).reshape(12, 1)
    if data_kind == "bytes":
        inputs = inputs.to(torch.uint8).reshape(12, 1, 1, 1)
    elif data_kind == "floats":
        inputs = inputs.reshape(12, 1, 1, 1)
    inputs[8:] = held_out
    targets = torch.cat([torch.arange(8.0), torch.full((4,), 1000 * held_out)]).unsqueeze(1)
    parts = {"train": np.arange(8), "validation": np.arange(8, 10), "test": np.arange(10, 12)}
    kind: Literal["table", "image"] = "table" if data_kind == "table" else "image"
    return assemble(name="extreme", kind=kind, inputs=inputs, targets=targets, parts=parts)


@pytest.mark.parametrize("kind", ["table", "bytes", "floats"])
def test_statistics_come_from_train_alone(kind: str) -> None:
    data, other = extreme(kind, 255.0), extreme(kind, 77.0)
    assert data.mean.flatten().tolist() == [3.5]
    assert data.std.flatten().tolist() == pytest.approx([np.arange(8).std()])
    assert data.target_mean == (3.5,)
    assert data.target_std[0] == pytest.approx(np.arange(8).std())
    assert torch.equal(data.mean, other.mean)
    assert torch.equal(data.std, other.std)
    assert (data.target_mean, data.target_std) == (other.target_mean, other.target_std)


def test_statistics_of_bytes_equal_those_of_floats() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 3, 4, 5), generator=generator, dtype=torch.uint8)
    parts = {"train": np.arange(50), "validation": np.arange(0), "test": np.arange(0)}
    targets = torch.zeros(50, 1)
    a = assemble(name="a", kind="image", inputs=images, targets=targets, parts=parts)
    b = assemble(name="b", kind="image", inputs=images.float(), targets=targets, parts=parts)
    assert a.mean.shape == a.std.shape == (3, 1, 1)
    assert torch.allclose(a.mean, b.mean)
    assert torch.allclose(a.std, b.std)


class Float64(TorchFunctionMode):
    """Counts the numbers of the largest float64 tensor that is made."""

    largest = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.dtype == torch.float64:
            self.largest = max(self.largest, made.numel())
        return made


@pytest.mark.parametrize("columns", [1, 8, 9, 50])
def test_a_large_table_is_not_copied_for_its_statistics(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = torch.randn(100, columns, generator=torch.Generator().manual_seed(0)) * 7 + 3
    parts = {"train": np.arange(100), "validation": np.arange(0), "test": np.arange(0)}
    monkeypatch.setattr("core.data.splits.NUMBERS_AT_ONCE", 90)
    with Float64() as made:
        data = assemble(name="a", kind="table", inputs=inputs, targets=torch.zeros(100, 1), parts=parts)
    assert 0 < made.largest < 100 * 16
    assert torch.allclose(data.mean, inputs.double().mean(dim=0).float())
    assert torch.allclose(data.std, inputs.double().std(dim=0, correction=0).float())


def test_a_constant_column_and_a_constant_target_stay_finite() -> None:
    parts = {"train": np.arange(4), "validation": np.arange(0), "test": np.arange(0)}
    data = assemble(
        name="flat",
        kind="table",
        inputs=torch.full((4, 2), 3.0),
        targets=torch.full((4, 1), 5.0),
        parts=parts,
    )
    assert data.std.tolist() == [1.0, 1.0]
    assert data.target_std == (1.0,)
    (inputs, targets, _), *rest = Batches(data.train, data, torch.device("cpu")).iterate(4)
    assert not rest
    assert torch.equal(inputs, torch.zeros(4, 2))
    assert torch.equal(targets, torch.zeros(4, 1))


@pytest.mark.parametrize("share", [0.5, 0.001, 0.999])
def test_a_share_that_leaves_a_side_without_samples_is_refused(share: float) -> None:
    targets = np.array([0, 0, 0, 1])
    with pytest.raises(DataError, match=r"data\.validation: .* of 4 samples cannot be held out"):
        divide(targets, share, task="binary", seed=0, field="data.validation")


# -- batches ---------------------------------------------------------------------------------------------------


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone() -> None:
    first = epoch_order(1000, seed=3, epoch=2)
    torch.rand(5)
    assert torch.equal(first, epoch_order(1000, seed=3, epoch=2))
    assert torch.equal(first.sort().values, torch.arange(1000))
    assert not torch.equal(first, epoch_order(1000, seed=3, epoch=3))
    assert not torch.equal(first, epoch_order(1000, seed=2, epoch=3))


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000, 5000])
@pytest.mark.parametrize("first", [0, 3])
def test_batches_are_the_ordered_samples_cut_in_pieces(batch_size: int, first: int, load_data: Load) -> None:
    data = load_data("digits")
    batches = Batches(data.train, data, torch.device("cpu"))
    order = epoch_order(len(batches), 0, 0)
    inputs = ((rows(data.train).float() - data.mean) / data.std)[order].split(batch_size)[first:]
    targets = data.train.targets[order].split(batch_size)[first:]
    seen = [(x.clone(), y.clone()) for x, y, _ in batches.iterate(batch_size, order, first)]
    assert len(seen) == len(targets) == max(0, batches.count(batch_size) - first)
    for (x, y), expected_x, expected_y in zip(seen, inputs, targets, strict=True):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)


def test_samples_are_not_changed_by_standardising_them(load_data: Load) -> None:
    data = load_data("wine")
    before = rows(data.train).clone()
    for inputs, *_ in Batches(data.train, data, torch.device("cpu")).iterate(16):
        inputs.zero_()
    assert torch.equal(rows(data.train), before)


def test_an_empty_split_has_no_batches(load_data: Load) -> None:
    data = load_data("wine")
    empty = Split(data.train.inputs[:0], data.train.targets[:0], data.train.indices[:0])
    batches = Batches(empty, data, torch.device("cpu"))
    assert (len(batches), batches.count(8), list(batches.iterate(8))) == (0, 0, [])


def test_where_data_sets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_root().name == "data"
    monkeypatch.setenv("TUI_DATA", "~/sets")
    assert default_root() == Path.home() / "sets"
