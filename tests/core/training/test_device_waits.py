"""Between logged points no step waits for the device, whatever is trained and on what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gpu.steps import unlogged_step
from core.config import schema as configuration
from core.data import mapped
from core.data.dataset import Dataset
from core.data.registry import load
from core.user_code.trust import trust
from tests.support import streamed_data
from tests.support.device_waits import NO_DEVICE, BlockingCopies

pytestmark = pytest.mark.slow
FILE = Path(str(streamed_data.__file__))
OPTIONS: dict[str, dict[str, Any]] = {
    "adam with a schedule": {"optimizer": "adamw", "schedule": "cosine"},
    "moving average": {"training": {"ema": 0.99}},
    "clipped": {"training": {"clip_norm": 1.0}},
    "accumulated": {"training": {"accumulate": 2}},
    "channels last": {"training": {"channels_last": True}},
    "label smoothing": {"loss": {"name": "cross_entropy", "label_smoothing": 0.1}},
}
AUGMENTED = [["crop", "flip", "rotation", "colour"], ["randaugment"], ["mixup"], ["cutmix"]]


def check(values: dict[str, Any], data: Dataset) -> None:
    """Fail if a step reads from the device, or waits for a copy."""
    values = configuration.merge({"training": {"batch_size": 16, "accumulate": 1}}, values)
    step = unlogged_step(values, data, NO_DEVICE, fused=False)  # their kernels need values
    for _ in range(3):
        with BlockingCopies() as copies:
            loss = step()
        assert loss.device == NO_DEVICE
        assert not copies.places


@pytest.mark.parametrize("asked", OPTIONS)
def test_no_option_waits(load_data: Callable[..., Dataset], asked: str) -> None:
    check({"data": "digits", "model": "cnn", **OPTIONS[asked]}, load_data("digits"))


@pytest.mark.parametrize("augment", AUGMENTED, ids="-".join)
def test_no_augmentation_waits(load_data: Callable[..., Dataset], augment: list[str]) -> None:
    check({"data": {"name": "digits", "augment": augment}, "model": "cnn"}, load_data("digits"))


@pytest.mark.parametrize("model", ["linear", "mlp", "tabular", "residual_mlp", "resnet_small", "vit_small"])
def test_no_network_waits(load_data: Callable[..., Dataset], model: str) -> None:
    check({"data": "digits", "model": model}, load_data("digits"))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("csv", "mlp"),
        ("labels", "mlp"),
        ("numbers", "mlp"),
        ("signals", "cnn1d"),
        ("tokens", "transformer_small"),
        ("text_folder", "gru"),
        ("text_folder", "text_bag"),
        ("mask_folder", "unet"),
    ],
)
def test_no_data_wait(
    load_data: Callable[..., Dataset], own_data: dict[str, dict[str, Any]], name: str, model: str
) -> None:
    check({"data": {"name": name, **own_data[name]}, "model": model}, load_data(name))


def test_rows_on_disk_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGEST_RESIDENT", 0)
    np.save(tmp_path / "x.npy", np.arange(1600).reshape(100, 4, 4).astype(np.uint8))
    np.save(tmp_path / "y.npy", np.arange(100) % 2)
    values = {"data": {"name": "arrays", "path": str(tmp_path / "x.npy")}, "model": "mlp"}
    data = load(configuration.from_dict(values).data, tmp_path)
    assert isinstance(data.train.inputs, mapped.MappedRows)
    check(values, data)


@pytest.mark.parametrize("made", ["images", "labels", "numbers", "stream"])
def test_streams_do_not_wait(made: str) -> None:
    trust(FILE)
    values = {"data": {"name": f"{FILE}:{made}"}, "model": "mlp"}
    check(values, load(configuration.from_dict(values).data))


def test_a_value_that_is_read_is_seen() -> None:
    with pytest.raises(RuntimeError, match="meta"):
        torch.ones(3, device=NO_DEVICE).sum().item()
    with BlockingCopies() as copies:
        torch.ones(3).to(NO_DEVICE, non_blocking=True)
    assert not copies.places
