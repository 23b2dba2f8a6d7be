"""Occlusion maps: how much a score of an image falls where a part of the image is covered.

Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014), section 4.2. The cover has the mean
colour of the training samples; each pixel gets the mean fall of all covers that lie on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.evaluation.values import Array, Floats

if TYPE_CHECKING:
    from core.data.dataset import Progress

__all__ = ["Occlusion", "occlusion"]

PARTS = 6
"""Covers side by side along the shorter side of an image; they overlap by half."""
BATCH = 32

PatchScore = Callable[[Tensor], Array]
"""From images (n, channels, height, width) to scores (n, classes)."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """Map of one score of one image.

    Attributes:
        falls: (height, width), the mean fall of the score where a pixel is covered; negative where it rises.
        score: of the image as it is.
        cover: the side of a cover, in pixels.
    """

    falls: Floats
    score: float
    cover: int

    @property
    def largest(self) -> float:
        """Return the largest fall, at least 0."""
        return max(0.0, float(self.falls.max()))


def occlusion(
    image: Tensor,
    mean: Tensor,
    label: int,
    score: PatchScore,
    progress: "Progress",
    should_stop: Callable[[], bool],
) -> Occlusion | None:
    """Return the map of the score of a class; None if it was stopped.

    Args:
        image: (channels, height, width). mean: of the training samples, of a shape that broadcasts over an image.
        should_stop: asked after each batch.
    """
    height, width = image.shape[-2:]
    side = max(1, -(-min(height, width) // PARTS))
    places = [(y, x) for y in _starts(height, side) for x in _starts(width, side)]
    filled = mean.to(torch.float64).expand(image.shape)
    cover = filled.to(image.dtype) if image.is_floating_point() else filled.round().to(image.dtype)
    falls, covers = np.zeros((height, width)), np.zeros((height, width))
    whole = float(score(image[None])[0, label])
    for start in range(0, len(places), BATCH):
        if should_stop():
            return None
        progress("covering parts", start, len(places))
        some = places[start : start + BATCH]
        scores = score(torch.stack(list(_covered(image, cover, some, side))))[:, label]
        for (y, x), found in zip(some, scores, strict=True):
            falls[y : y + side, x : x + side] += whole - float(found)
            covers[y : y + side, x : x + side] += 1
    return Occlusion(falls / covers, whole, side)


def _starts(length: int, side: int) -> list[int]:
    """Where covers begin along a side, so that they reach its end."""
    return sorted({*range(0, length - side + 1, max(1, side // 2)), length - side})


def _covered(image: Tensor, cover: Tensor, places: list[tuple[int, int]], side: int) -> Iterator[Tensor]:
    for y, x in places:
        changed = image.clone()
        changed[:, y : y + side, x : x + side] = cover[:, y : y + side, x : x + side]
        yield changed
