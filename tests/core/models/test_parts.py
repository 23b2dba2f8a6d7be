"""Networks, meter and devices against their definitions."""

from typing import Any

import pytest
import torch
from torch import nn

from core.config.schema import from_dict
from core.data.batches import Batch
from core.devices import discover, resolve
from core.errors import DeviceError, ModelError
from core.models.summary import summarise
from core.training.meter import Meter

# -- networks --------------------------------------------------------------------------------------------------


def build(values: dict[str, Any], shape: tuple[int, ...], outputs: int) -> nn.Module:
    return from_dict({"model": values}).model.build(shape, outputs)


def test_parameters_of_the_networks() -> None:
    assert summarise(build({"name": "linear"}, (1, 28, 28), 10), (1, 28, 28), 10).parameters == 784 * 10 + 10
    mlp = summarise(build({"name": "mlp"}, (1, 28, 28), 10), (1, 28, 28), 10)
    assert mlp.parameters == 784 * 100 + 100 + 100 * 10 + 10
    assert mlp.multiply_adds == 784 * 100 + 100 * 10
    assert [layer.kind for layer in mlp.layers] == ["Flatten", "Linear", "ReLU", "Linear"]
    assert [layer.output_shape for layer in mlp.layers] == [(784,), (100,), (100,), (10,)]
    lenet = summarise(build({"name": "cnn"}, (1, 28, 28), 10), (1, 28, 28), 10)
    assert lenet.layers[0].output_shape == (6, 28, 28)
    assert lenet.parameters == sum(
        [6 * 25 + 6, 16 * 6 * 25 + 16, 16 * 49 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10]
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_activation_and_dropout_stand_after_each_hidden_layer(activation: str) -> None:
    values = {"name": "mlp", "hidden": [5, 4], "dropout": 0.5, "activation": activation}
    kinds = [type(layer).__name__.lower() for layer in build(values, (3,), 2).children()]
    assert kinds == ["flatten", *["linear", activation, "dropout"] * 2, "linear"]
    values = {"name": "cnn", "channels": [2, 3], "hidden": [4], "dropout": 0.5, "activation": activation}
    kinds = [type(layer).__name__.lower() for layer in build(values, (1, 8, 8), 2).children()]
    assert kinds == [
        *["conv2d", activation, "maxpool2d"] * 2,
        "flatten",
        "linear",
        activation,
        "dropout",
        "linear",
    ]


def test_a_convolution_without_linear_layers_still_ends_in_one() -> None:
    assert build({"name": "cnn", "hidden": []}, (3, 4, 4), 7)(torch.zeros(2, 3, 4, 4)).shape == (2, 7)


def test_images_too_small_to_pool_are_refused() -> None:
    with pytest.raises(ModelError, match="takes images of 4x4 or more, got 8x3"):
        build({"name": "cnn"}, (1, 8, 3), 2)


def test_a_summary_leaves_the_network_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    summarise(model, (3,), 2)
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(ModelError, match="does not take samples of shape 5"):
        summarise(model, (5,), 2)


# -- the meter -------------------------------------------------------------------------------------------------


def test_the_meter_gives_means_over_samples() -> None:
    meter = Meter("multiclass")
    meter.restore({})
    assert meter.mean() == {}
    meter.add(torch.tensor(1.0), torch.eye(3), Batch(torch.zeros(3), torch.tensor([0, 1, 0])))
    meter.add(torch.tensor(4.0), torch.eye(3)[:1], Batch(torch.zeros(1), torch.tensor([0])))
    meter.read()
    assert meter.mean() == {"loss": (3 * 1 + 4) / 4, "accuracy": 3 / 4}


def test_the_meter_gives_r2_of_standardised_targets() -> None:
    targets = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    meter = Meter("regression")
    meter.restore({})
    meter.add(torch.tensor(0.25), targets * 0.5, Batch(torch.zeros(4), targets))
    meter.read()
    assert meter.mean() == {"loss": 0.25, "r2": 0.75}


# -- devices ---------------------------------------------------------------------------------------------------


def test_the_processor_is_always_there() -> None:
    devices = {device.name: device for device in discover()}
    assert devices["cpu"].memory > 0
    assert str(resolve("cpu")) == "cpu"
    assert str(resolve("auto")) == next(iter(devices))


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("cuda", "cuda:7"):
        with pytest.raises(DeviceError, match=f"training.device: {name} is not available here"):
            resolve(name)


def test_cuda_without_a_number_is_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = type("Properties", (), {"name": "Some GPU", "total_memory": 2**34})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    assert [device.name for device in discover()][:2] == ["cuda:0", "cuda:1"]
    assert str(resolve("cuda")) == str(resolve("auto")) == "cuda:0"
    assert str(resolve("cuda:1")) == "cuda:1"
