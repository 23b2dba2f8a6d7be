"""Augmentation: each change does what it says, repeatably, in training only, and is refused where it does not fit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.config import schema as configuration
from core.config.schema import FAMILIES
from core.control import RunControl
from core.data.augment.augmenter import Augmenter, augmenter
from core.data.augment.options import Augmentation, parse
from core.data.batches import Batch, Batches, epoch_order
from core.data.builtin.vision import Mnist
from core.data.dataset import Dataset
from core.data.kinds.registry import kind_of
from core.errors import ConfigError
from core.events import EpochFinished
from core.losses import Auto, CrossEntropy
from core.options import choices
from core.training.meter import Meter
from tests.support.narrow import instance
from tests.support.repository import REPOSITORY

Load = Callable[..., Dataset]
NAMES = list(kind_of("image").augmentations)
ALL = ["crop:1", "flip", "rotation:20", "colour", "randaugment", "mixup", "cutmix"]


def colour_data(load_data: Load) -> Dataset:
    return load_data("cifar10")


def changed(
    data: Dataset, *asked: str, batch: int = 0, epoch: int = 0, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """The first 64 training images and their targets, changed."""
    change = Augmenter([parse(text) for text in asked], data, seed)
    return change(data.train.inputs[:64], data.train.targets[:64], batch, epoch)


def images(data: Dataset) -> Tensor:
    return data.train.inputs[:64].float()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", ["cifar10", "mnist", "digits"])
def test_a_batch_keeps_its_shape_and_range(name: str, source: str, load_data: Load) -> None:
    data = load_data(source)
    inputs, targets = changed(data, name)
    assert inputs.shape == data.train.inputs[:64].shape
    assert inputs.dtype == torch.float32
    low, high = data.value_range
    assert low - 1e-3 <= float(inputs.min()) <= float(inputs.max()) <= high + 1e-3
    assert not torch.equal(inputs, images(data))
    mixed = name in ("mixup", "cutmix")
    assert targets.shape == ((64, data.outputs) if mixed else (64,))
    assert mixed or torch.equal(targets, data.train.targets[:64])


@pytest.mark.parametrize("name", NAMES)
def test_seed_epoch_and_batch_say_all(name: str, load_data: Load) -> None:
    data = colour_data(load_data)
    first = changed(data, name, batch=3, epoch=2, seed=5)
    torch.rand(7)
    again = changed(data, name, batch=3, epoch=2, seed=5)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    for other in ({"batch": 4}, {"epoch": 3}, {"seed": 6}):
        key = {"batch": 3, "epoch": 2, "seed": 5} | other
        assert not torch.equal(changed(data, name, **key)[0], first[0])


def test_the_random_numbers_of_everything_else_stay(load_data: Load) -> None:
    data = colour_data(load_data)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    changed(data, *ALL)
    assert torch.equal(torch.rand(3), expected)


def test_a_crop_is_a_window_of_the_padded_image(load_data: Load) -> None:
    data = colour_data(load_data)
    inputs, _ = changed(data, "crop:2")
    padded = torch.nn.functional.pad(images(data), (2, 2, 2, 2))
    offsets = set()
    for image, around in zip(inputs, padded, strict=True):
        windows = {
            (y, x): torch.allclose(around[:, y : y + 32, x : x + 32], image, atol=1e-3)
            for y in range(5)
            for x in range(5)
        }
        assert any(windows.values())
        offsets |= {place for place, same in windows.items() if same}
    assert len(offsets) > 10, "each image has its own window"


def test_a_flip_is_one_and_there_are_as_many_as_asked_for(load_data: Load) -> None:
    data = colour_data(load_data)
    whole = images(data)
    flipped = [
        torch.allclose(image, old.flip(-1), atol=1e-3)
        for image, old in zip(changed(data, "flip:0.25")[0], whole, strict=True)
    ]
    assert 6 <= sum(flipped) <= 26
    assert torch.allclose(changed(data, "flip:1")[0], whole.flip(-1), atol=1e-3)
    assert torch.allclose(changed(data, "flip:0")[0], whole, atol=1e-3)


def test_a_turn_goes_as_far_as_asked_for_and_keeps_proportions(load_data: Load) -> None:
    data = load_data("mnist")
    bars = torch.zeros(64, 1, 40, 20)
    bars[:, :, 10:30, 9:11] = 255
    turned, _ = Augmenter([parse("rotation:90")], data, 0)(bars, torch.zeros(64, dtype=torch.int64), 0, 0)
    lengths = []
    for image in turned[:, 0]:
        ys, xs = torch.nonzero(image > 100, as_tuple=True)
        far = torch.hypot(ys - 19.5, xs - 9.5).max()
        lengths.append(float(far))
    assert all(6 <= length <= 12 for length in lengths), "a bar stays as long, or is cut at the side"
    small, _ = Augmenter([parse("rotation:1")], data, 0)(bars, torch.zeros(64, dtype=torch.int64), 0, 0)
    assert float((small - bars).abs().mean()) < 3


def test_grey_images_get_no_colours_and_coloured_ones_stay_in_range(load_data: Load) -> None:
    grey = torch.full((64, 3, 4, 4), 100.0)
    data = colour_data(load_data)
    inputs, _ = Augmenter([parse("colour:1")], data, 0)(grey, torch.zeros(64, dtype=torch.int64), 0, 0)
    assert torch.allclose(inputs[:, 0], inputs[:, 1], atol=1e-2)
    assert len({round(float(value)) for value in inputs[:, 0, 0, 0]}) > 20, "each image has its own factor"


def test_mixed_classes_are_shares_that_fit_the_images(load_data: Load) -> None:
    data = colour_data(load_data)
    for name in ("mixup:1", "cutmix"):
        inputs, targets = changed(data, name)
        assert torch.allclose(targets.sum(dim=1), torch.ones(64))
        own = targets[torch.arange(64), data.train.targets[:64]]
        partner = images(data).roll(1, 0)
        if name == "cutmix":
            same = torch.isclose(inputs, images(data), atol=1e-2).all(dim=1).float().mean(dim=(1, 2))
            other = data.train.targets[:64] != data.train.targets[:64].roll(1)
            assert torch.allclose(same[other], own[other], atol=0.02)
        else:
            share = float(own.min())
            assert torch.allclose(inputs, images(data) * share + partner * (1 - share), atol=1e-2)


def test_the_class_with_the_larger_share_counts_for_accuracy() -> None:
    meter = Meter("multiclass")
    outputs = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    meter.add(torch.tensor(0.5), outputs, Batch(outputs, torch.tensor([[0.8, 0.2], [0.7, 0.3]])))
    meter.read()
    assert meter.mean()["accuracy"] == 0.5


# -- in a run --------------------------------------------------------------------------------------------------


CONFIG: dict[str, Any] = {
    "data": {"name": "digits", "augment": ALL},
    "model": {"name": "mlp", "dropout": 0.2},
    "training": {"epochs": 3, "batch_size": 200},
}


@pytest.mark.slow
def test_a_run_goes_on_bit_for_bit(train_run: Callable[..., Any]) -> None:
    whole = train_run(CONFIG)

    def stop(control: RunControl, model: Any) -> None:
        control.stop()

    begun = train_run(CONFIG, at_step=(10, stop))
    assert begun.finished.status == "stopped"
    resumed = train_run(run=begun.run)
    assert resumed.finished.status == "completed"
    for key, weight in whole.weights().items():
        assert torch.equal(weight, resumed.weights()[key])
    last = [run.told(EpochFinished)[-1] for run in (whole, resumed)]
    assert last[0].train == last[1].train
    assert 0.1 < last[0].train["accuracy"] < 1


@pytest.mark.slow
def test_only_training_is_augmented(train_run: Callable[..., Any], load_data: Load) -> None:
    run = train_run(CONFIG)
    plain = train_run(CONFIG | {"data": "digits"})
    assert not torch.equal(run.weights()["1.weight"], plain.weights()["1.weight"])
    data = load_data("digits")
    batches = Batches(data.validation, data, torch.device("cpu"))
    assert (
        len({tuple(x.flatten().tolist()) for x, *_ in [next(batches.iterate(8)), next(batches.iterate(8))]})
        == 1
    )


def test_batches_are_cut_and_numbered_as_without(load_data: Load) -> None:
    data = load_data("digits")
    batches, order = Batches(data.train, data, torch.device("cpu")), epoch_order(len(data.train), 0, 0)
    numbers = []

    def note(inputs: Tensor, targets: Tensor, number: int) -> tuple[Tensor, Tensor]:
        numbers.append((number, len(inputs)))
        return inputs, targets

    seen = list(batches.iterate(100, order, 2, note))
    plain = list(batches.iterate(100, order, 2))
    assert numbers == [(number, 100) for number in range(2, 12)] + [(12, 93)]
    for (x, y, _), (same_x, same_y, _) in zip(seen, plain, strict=True):
        assert torch.equal(x, same_x)
        assert torch.equal(y, same_y)


def test_nothing_is_made_when_nothing_is_asked_for(load_data: Load) -> None:
    for name in ("digits", "iris"):
        option = configuration.from_dict({"data": name}).data
        assert augmenter(option, load_data(name), Auto(), 0)(0) is None


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stands_for"),
    [
        ("crop", {"name": "crop", "padding": 4}),
        ("crop:8", {"name": "crop", "padding": 8}),
        (" flip : 0.3", {"name": "flip", "chance": 0.3}),
        ("mixup:1", {"name": "mixup", "alpha": 1.0}),
    ],
)
def test_a_text_stands_for_an_augmentation(given: str, stands_for: dict[str, Any]) -> None:
    assert parse(given).model_dump() == stands_for


def test_yaml_may_write_the_setting_as_a_mapping() -> None:
    config = configuration.from_dict({"data": {"name": "mnist", "augment": [{"crop": 2}, "flip"]}})
    assert instance(Mnist, config.data).augment == ("crop:2", "flip")
    assert configuration.from_dict(configuration.to_dict(config)) == config
    config = configuration.from_dict(
        configuration.set_path({"data": "mnist"}, "data.augment=[crop: 2, flip:0.3]")
    )
    assert instance(Mnist, config.data).augment == ("crop:2", "flip:0.3")


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (["zoom"], r"data\.augment\.0: unknown augmentation 'zoom'\. Known: crop, flip, "),
        (["flip", "crop:0"], r"data\.augment\.1: crop:0: padding: input should be .*The usual is crop:4"),
        (["flip:no"], r"flip:no: chance: input should be a valid number"),
        ([3], r"data\.augment\.0: got 3, takes text"),
        ("flip", "takes a list"),
    ],
)
def test_what_is_no_augmentation_is_told(augment: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        configuration.from_dict({"data": {"name": "mnist", "augment": augment}})
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_mixing_needs_a_loss_that_takes_shares(load_data: Load, train_run: Callable[..., Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"loss\.name: 'hinge' takes one class per sample, but mixup mixes two"
    ) as caught:
        train_run(CONFIG | {"loss": "hinge"})
    assert "Losses that fit: auto, cross_entropy" in caught.value.hint
    assert train_run(CONFIG | {"loss": "mse"}).finished.status == "completed"
    fine = CONFIG | {"loss": "hinge", "data": {"name": "digits", "augment": ["flip"]}}
    assert train_run(fine).finished.status == "completed"


def test_tables_and_numbers_are_refused(load_data: Load, tmp_path: Any) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((20, 3)), y=np.arange(20) % 2)
    table = configuration.from_dict({"data": {"name": "arrays", "augment": ["flip"]}}).data
    with pytest.raises(ConfigError, match=r"data\.augment: flip does not fit rows of a table"):
        augmenter(table, load_data("iris"), Auto(), 0)
    numbers = replace(load_data("digits"), task="regression")
    mixing = configuration.from_dict({"data": {"name": "digits", "augment": ["cutmix"]}}).data
    with pytest.raises(ConfigError, match="cutmix mixes classes, but this is a regression task"):
        augmenter(mixing, numbers, CrossEntropy(), 0)


@pytest.mark.parametrize("option", choices(Augmentation).values(), ids=lambda option: option.__name__)
def test_each_is_described(option: Any) -> None:
    assert option.__doc__
    assert len(option.model_fields) == 2, "a name and one setting"
    for field in option.model_fields.values():
        assert field.default is not None
    assert all(field.description for key, field in option.model_fields.items() if key != "name")


def test_the_guide_names_each_augmentation_and_each_source() -> None:
    guide = (REPOSITORY / "docs" / "data.md").read_text()
    own = [name for name, option in choices(FAMILIES["data"]).items() if "path" in option.model_fields]
    assert [name for name in [*NAMES, *own] if f"`{name}`" not in guide] == []
