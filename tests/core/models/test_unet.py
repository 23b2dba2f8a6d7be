"""A U-Net gives numbers at each pixel, whatever the size of the image."""

import pytest
import torch

from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.models.cnn import Cnn
from core.models.maps.unet import Unet
from core.models.registry import outline


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (1, 3), (17, 16)])
def test_outputs_have_the_size_of_the_image(size: tuple[int, int]) -> None:
    network = Unet(depth=3, width=2).build((1, *size), 5).eval()
    assert network(torch.zeros(2, 1, *size)).shape == (2, 5, *size)


def test_every_weight_gets_a_gradient() -> None:
    network = Unet(depth=2, width=2).build((3, 8, 8), 3)
    network(torch.randn(2, 3, 8, 8)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_it_is_for_masks_and_others_are_not() -> None:
    masks, classes = Sample("image", (3, 8, 8), places=(8, 8)), Sample("image", (3, 8, 8))
    assert outline(Unet(width=2), masks, 3).parameters > 0
    with pytest.raises(
        ModelError, match="unet takes a target for each pixel, but this data has one target a"
    ) as no:
        outline(Unet(), classes, 3)
    assert "unet" not in str(no.value.hint)
    with pytest.raises(
        ModelError, match="cnn takes one target a sample, but this data has a target for each"
    ) as no:
        outline(Cnn(), masks, 3)
    assert no.value.hint == "Models that fit: unet, python"
