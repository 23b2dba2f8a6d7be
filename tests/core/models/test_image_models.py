"""Networks for images and tables, and torchvision's zoo: what they take, what is frozen, what is downloaded."""

import hashlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import nn
from torchvision import models

from core.config import schema as configuration
from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.models.freezing import freeze_all_but_last
from core.models.registry import outline, rebuild
from core.models.summary import condensed
from core.models.zoo import Zoo
from core.models.zoo_names import Architecture
from core.session.session import assemble
from tests.support.narrow import instance


def build(
    values: dict[str, Any] | str, sample_shape: tuple[int, ...] = (1, 8, 8), outputs: int = 10
) -> nn.Module:
    torch.manual_seed(0)
    return configuration.from_dict({"model": values}).model.build(sample_shape, outputs)


@pytest.mark.parametrize("name", ["resnet_small", "vit_small"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 7, 13), (1, 1, 1)])
def test_networks_for_small_images(name: str, shape: tuple[int, ...]) -> None:
    network = build({"name": name}, shape, 5)
    assert network(torch.rand(2, *shape)).shape == (2, 5)
    with pytest.raises(ModelError, match=f"{name} takes images, but this data has rows of a table"):
        build({"name": name}, (3,))


def test_three_blocks_make_the_papers_resnet_20() -> None:
    model = configuration.from_dict({"model": {"name": "resnet_small", "blocks": 3}}).model
    summary = outline(model, Sample("image", (3, 32, 32)), 10)
    convolutions = [
        layer for layer in summary.layers if layer.kind == "Conv2d" and "shortcut" not in layer.name
    ]
    assert len(convolutions) == 19
    assert summary.parameters == pytest.approx(0.27e6, rel=0.02)  # table 6 of the paper


def test_heads_divide_the_width() -> None:
    with pytest.raises(ModelError, match=r"model\.heads: got 3, takes a divisor of the width, 64"):
        build({"name": "vit_small", "heads": 3})


def test_a_residual_block_adds_to_what_it_gets() -> None:
    network = build({"name": "residual_mlp", "width": 6, "blocks": 1, "dropout": 0}, (4,), 2).eval()
    block = network.get_submodule("2")
    last = instance(nn.Sequential, block.get_submodule("body"))[-1]
    nn.init.zeros_(last.get_parameter("weight"))
    nn.init.zeros_(last.get_parameter("bias"))
    hidden = torch.rand(1, 6)  # one sample is enough
    assert torch.equal(block(hidden), hidden)


# -- torchvision's zoo -------------------------------------------------------------------------------------------


def test_every_network_of_torchvision_is_listed() -> None:
    assert list(get_args(Architecture)) == models.list_models(module=models)


def test_a_network_by_its_own_name() -> None:
    model = configuration.from_dict({"model": "resnet50"}).model
    assert model == Zoo(architecture="resnet50")


FAMILIES = [
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "maxvit_t",
]
FAMILIES += [
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_0",
]
FAMILIES += ["swin_t", "swin_v2_t", "vgg11", "vit_b_32"]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", FAMILIES)
def test_heads_fit_and_small_grey_images_are_taken(architecture: str) -> None:
    """On the meta device: sizes alone, without the time and the memory of the real thing."""
    summary = outline(Zoo(architecture=architecture), Sample("image", (1, 8, 8)), 1)
    assert summary.parameters == summary.trainable > 300_000
    heads = [
        layer for layer in summary.layers if layer.output_shape == (1,) or layer.output_shape == (1, 1, 1)
    ]
    assert heads


def test_the_one_family_that_is_built_for_real() -> None:
    assert (
        outline(Zoo(architecture="regnet_x_400mf", enlarge_to=32), Sample("image", (3, 8, 8)), 3).parameters
        > 5_000_000
    )


@pytest.mark.parametrize(
    ("fields", "shape", "size"),
    [
        ({}, (1, 8, 8), (64, 64)),
        ({}, (3, 16, 32), (64, 128)),
        ({}, (3, 100, 80), (100, 80)),
        ({"enlarge_to": 16}, (1, 8, 8), (16, 16)),
        ({"architecture": "inception_v3"}, (1, 8, 8), (128, 128)),
        ({"architecture": "vit_b_16"}, (1, 50, 70), (80, 80)),
        ({"architecture": "vit_b_16", "pretrained": True}, (1, 50, 70), (224, 224)),
        ({"architecture": "maxvit_t"}, (1, 50, 70), (224, 224)),
    ],
)
def test_to_which_size_images_are_brought(fields: dict[str, Any], shape: Any, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        assert Zoo(**fields).build(shape, 3).size == size


def test_images_of_two_channels_are_refused() -> None:
    with pytest.raises(ModelError, match="takes images of 1 or 3 channels, this data has 2"):
        Zoo().build((2, 8, 8), 3)


def test_a_grey_image_is_a_colour_image_of_three_equal_channels() -> None:
    network = build({"name": "zoo", "enlarge_to": 16}).eval()
    grey = torch.rand(2, 1, 8, 8)
    assert torch.equal(network(grey), network(grey.repeat(1, 3, 1, 1)))


def test_frozen_layers_do_not_change_and_their_norms_stay_in_evaluation() -> None:
    network = build({"name": "zoo", "trainable_layers": 2, "enlarge_to": 32})
    trained = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert trained == [
        "network.layer4.1.conv2.weight",
        *(f"network.layer4.1.bn2.{part}" for part in ("weight", "bias")),
        *(f"network.fc.{part}" for part in ("weight", "bias")),
    ]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.train()
    network(torch.rand(4, 1, 8, 8)).sum().backward()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {
        f"network.layer4.1.bn2.{part}" for part in ("running_mean", "running_var", "num_batches_tracked")
    }
    assert not network.get_submodule("network.bn1").training
    assert network.get_submodule("network.layer4.1.bn2").training


def test_more_layers_than_there_are_freeze_nothing() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    assert freeze_all_but_last(network, 9) == []
    assert all(weight.requires_grad for weight in network.parameters())
    freeze_all_but_last(network, 1)
    assert [weight.requires_grad for weight in network.parameters()] == [False] * 4 + [True] * 2


def test_a_summary_tells_frozen_parameters() -> None:
    summary = outline(Zoo(trainable_layers=1), Sample("image", (1, 8, 8)), 10)
    assert summary.trainable == 512 * 10 + 10 < summary.parameters


def test_a_deep_network_is_told_by_its_parts() -> None:
    summary = outline(Zoo(architecture="resnet50"), Sample("image", (1, 8, 8)), 10)
    parts = condensed(summary.layers, 40)
    assert sum(part.parameters for part in parts) == summary.parameters
    assert [part.kind for part in parts][4:8] == ["layer1.0", "layer1.1", "layer1.2", "layer2.0"]
    assert condensed(summary.layers, 1000) == list(summary.layers)


# -- weights learnt elsewhere ------------------------------------------------------------------------------------


class Stored:
    """Stands for torchvision's record of weights."""

    url = ""


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of a squeezenet, as a file that can be downloaded from a folder."""
    torch.manual_seed(1)
    path = tmp_path / "weights.pth"
    torch.save(models.squeezenet1_1(num_classes=1000).state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    remote = path.rename(tmp_path / f"squeezenet1_1-{digest[:8]}.pth")
    Stored.url = remote.as_uri()
    monkeypatch.setattr(Zoo, "_weights", lambda self: Stored)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    return remote


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


SQUEEZENET = Zoo(architecture="squeezenet1_1", pretrained=True, enlarge_to=32)


def test_pretrained_weights_are_downloaded_once_and_fitted(stored: Path, load_data: Any) -> None:
    told: list[tuple[str, int, int]] = []
    SQUEEZENET.fetch(lambda *progress: told.append(progress))
    assert told[-1][0] == f"downloading {stored.name}"
    assert told[-1][1] == told[-1][2] == stored.stat().st_size
    learnt = torch.load(stored, weights_only=True)
    stored.unlink()
    SQUEEZENET.fetch(lambda *progress: pytest.fail("it is there"))
    built = SQUEEZENET.build((1, 8, 8), 10).state_dict()
    other = {key for key, value in learnt.items() if not _equal(built[f"network.{key}"], value)}
    assert other == {"classifier.1.weight", "classifier.1.bias"}
    again = rebuild(SQUEEZENET, load_data("digits"), built)
    assert torch.equal(again.state_dict()["network.classifier.1.bias"], built["network.classifier.1.bias"])


def test_a_preview_downloads_nothing(stored: Path) -> None:
    assert outline(SQUEEZENET, Sample("image", (1, 8, 8)), 10).parameters > 0
    with pytest.raises(ModelError, match=r"model\.pretrained: .* not found"):
        SQUEEZENET.build((1, 8, 8), 10)


def test_offline_says_where_the_file_belongs(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*arguments: Any, **words: Any) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(ModelError, match=r"model\.pretrained: cannot download squeezenet1_1-") as caught:
        SQUEEZENET.fetch(lambda *progress: None)
    assert "no network" in caught.value.message
    assert str(stored.parent / "hub") in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"not weights"])
def test_a_damaged_file_is_named(stored: Path, content: bytes) -> None:
    SQUEEZENET.fetch(lambda *progress: None)
    file = next((stored.parent / "hub").rglob("*.pth"))
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"squeezenet.* cannot be read"):
        SQUEEZENET.build((1, 8, 8), 10)


def test_a_wrong_download_is_refused(stored: Path) -> None:
    stored.write_bytes(b"something else")
    with pytest.raises(ModelError, match="wrong checksum"):
        SQUEEZENET.fetch(lambda *progress: None)


@pytest.mark.slow
def test_a_frozen_network_trains_its_head(train_run: Any, load_data: Any) -> None:
    model = {"name": "zoo", "architecture": "squeezenet1_1", "trainable_layers": 1, "enlarge_to": 32}
    values = {"data": "digits", "model": model, "training": {"epochs": 1, "batch_size": 512}}
    before = assemble(configuration.from_dict(values), load_data("digits")).model.state_dict()
    trained = train_run(values)
    assert trained.finished.status == "completed"
    changed = {key for key, value in trained.weights().items() if not torch.equal(value, before[key])}
    assert changed == {"network.classifier.1.weight", "network.classifier.1.bias"}
