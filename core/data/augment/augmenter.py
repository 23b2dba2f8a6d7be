"""Augmentation of whole batches where they lie.

What is done to a batch depends on the seed, the epoch and the number of the batch alone, so that a run resumes bit
for bit without any state, and the random numbers of the rest of the training stay what they are without it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.arrays import IGNORED
from core.data.augment import signals
from core.data.augment.check import check_augment
from core.data.augment.options import (
    Augmentation,
    Colour,
    Crop,
    CutMix,
    Flip,
    Mask,
    MixUp,
    Noise,
    RandAugment,
    Rotation,
    Shift,
    parse,
)
from core.data.batches import Augment
from core.data.builtin.vision import torchvision_module
from core.data.dataset import Dataset
from core.data.kinds.registry import kind_of
from core.losses import LossConfig

__all__ = ["Augmenter", "augmenter"]

Change = Callable[[Tensor], Tensor]
GROUPS = 8
"""Parts of a batch that get their own changes from RandAugment, which changes all images of a batch alike."""
MASK_DIMENSIONS = 3
GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def augmenter(options: Any, data: Dataset, loss: LossConfig, seed: int) -> Callable[[int], Augment | None]:
    """Return the function that gives the changes to the batches of an epoch; these are None if none are asked for.

    Raises:
        ConfigError: it fits neither data nor loss.
        DependencyError: torchvision does not load.
    """
    check_augment(options, loss, data.kind, data.task)
    asked = [parse(text) for text in getattr(options, "augment", ())]
    return Augmenter(asked, data, seed).of_epoch if asked else lambda epoch: None


class Augmenter:
    """Changes batches.

    Args:
        asked: in the order in which they are applied. Of those that mix images each batch gets one, and gets it last.
        data: for the range of its values, or their statistics, and the number of its classes.
    """

    def __init__(self, asked: list[Augmentation], data: Dataset, seed: int) -> None:
        self.seed = seed
        self.unit = _unit(data)
        self.changes = [(_change(one), one.masks == "moves") for one in asked if not one.mixes]
        self.mixes = [_mix(one, data.outputs) for one in asked if one.mixes]

    def of_epoch(self, epoch: int) -> Augment:
        """Return the changes to the batches of an epoch."""
        return partial(self, epoch=epoch)

    def __call__(self, inputs: Tensor, targets: Tensor, batch: int, epoch: int) -> tuple[Tensor, Tensor]:
        """Return changed inputs, float32 in the data's own unit, and targets: mixed ones are (b, classes) shares.

        Args:
            inputs: (b, channels, height, width) or (b, channels, time) in the data's own unit.
            targets: (b,) classes, (b, 1) numbers, or masks (b, height, width), which are moved with their images.
        """
        low, span = (each.to(inputs.device) if isinstance(each, Tensor) else each for each in self.unit)
        images = (inputs.to(torch.float32) - low) / span
        words = np.random.SeedSequence((self.seed, epoch, batch)).generate_state(1, np.uint64)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(words[0] >> np.uint64(1)))
            for change, moves in self.changes:
                if moves and targets.ndim == MASK_DIMENSIONS:
                    images, targets = _moved(change, images, targets)
                else:
                    images = change(images)
            if self.mixes:
                mix = self.mixes[int(torch.randint(len(self.mixes), ()))]
                images, targets = mix(images, targets)
        return images * span + low, targets


def _unit(data: Dataset) -> tuple[float | Tensor, float | Tensor]:
    """Return zero and unit of the changes: of images black and white, of signals mean and deviation of a channel."""
    if kind_of(data.kind).shown == "picture":
        low, high = data.value_range
        return low, high - low
    return data.mean, data.std


def _moved(change: Change, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return images and masks after a change that moves pixels; what comes in from outside counts nowhere."""
    joined = torch.cat([images, (masks.to(images.dtype) - IGNORED).unsqueeze(1)], dim=1)
    moved = change(joined)
    return moved[:, :-1].contiguous(), (moved[:, -1] + IGNORED).round().to(masks.dtype)


def _change(asked: Augmentation) -> Change:
    """The work of one that changes each image by itself, on floats from 0 to 1."""
    if isinstance(asked, Crop):
        return partial(_crop, padding=asked.padding)
    if isinstance(asked, Flip):
        return partial(_flip, chance=asked.chance)
    if isinstance(asked, Rotation):
        return partial(_rotate, degrees=asked.degrees)
    if isinstance(asked, Colour):
        return partial(_recolour, strength=asked.strength)
    if isinstance(asked, Noise):
        return partial(signals.noise, strength=asked.strength)
    if isinstance(asked, Shift):
        return partial(signals.shift, fraction=asked.fraction)
    if isinstance(asked, Mask):
        return partial(signals.mask, fraction=asked.fraction)
    assert isinstance(asked, RandAugment)
    change = torchvision_module("transforms.v2").RandAugment(magnitude=asked.magnitude)
    return partial(_in_groups, change=change)


def _mix(asked: Augmentation, classes: int) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    assert isinstance(asked, MixUp | CutMix)
    mixing = getattr(torchvision_module("transforms.v2"), type(asked).__name__)
    mix: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = mixing(alpha=asked.alpha, num_classes=classes)
    return mix


def _each(images: Tensor, low: float, high: float) -> Tensor:
    """A number from `low` to `high` for each image, (b, 1, 1, 1). Drawn on the processor: the same on any device."""
    drawn = torch.empty(len(images)).uniform_(low, high)
    return drawn.to(images.device, non_blocking=True).view(-1, 1, 1, 1)


def _crop(images: Tensor, padding: int) -> Tensor:
    height, width = images.shape[2:]
    offsets = torch.randint(2 * padding + 1, (2, len(images), 1)).to(images.device, non_blocking=True)
    rows = offsets[0] + torch.arange(height, device=images.device)
    columns = offsets[1] + torch.arange(width, device=images.device)
    padded = functional.pad(images, (padding,) * 4).permute(0, 2, 3, 1)
    sample = torch.arange(len(images), device=images.device).view(-1, 1, 1)
    return padded[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def _flip(images: Tensor, chance: float) -> Tensor:
    return torch.where(_each(images, 0, 1) < chance, images.flip(-1), images)


def _rotate(images: Tensor, degrees: float) -> Tensor:
    angle = torch.deg2rad(_each(images, -degrees, degrees)).flatten()
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    ratio = images.shape[2] / images.shape[3]  # coordinates go from -1 to 1 in both directions
    turns = torch.stack([cos, -sin * ratio, zero, sin / ratio, cos, zero], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(turns, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _recolour(images: Tensor, strength: float) -> Tensor:
    brightness, contrast, saturation = (_each(images, 1 - strength, 1 + strength) for _ in range(3))
    images = (images * brightness).clamp(0, 1)
    mean = _grey(images).mean(dim=(1, 2, 3), keepdim=True)
    images = (mean + (images - mean) * contrast).clamp(0, 1)
    if images.shape[1] != 3:
        return images
    grey = _grey(images)
    return (grey + (images - grey) * saturation).clamp(0, 1)


def _grey(images: Tensor) -> Tensor:
    """Brightness of each pixel, (b, 1, height, width)."""
    if images.shape[1] != 3:
        return images.mean(dim=1, keepdim=True)
    return (images * images.new_tensor(GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def _in_groups(images: Tensor, change: Change) -> Tensor:
    return torch.cat([change(group) for group in images.chunk(GROUPS)])
