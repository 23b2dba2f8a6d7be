"""Occlusion maps: they point to the part of a picture that a network looks at."""

from typing import Any

import numpy as np
import pytest
import torch

from core.data.dataset import no_progress
from core.inference.occlusion import BATCH, occlusion
from tests.support.narrow import some


def corner(images: torch.Tensor) -> np.ndarray:
    """Scores of two classes by a network that looks at the upper left corner alone."""
    seen = images[:, :, :3, :3].double().mean(dim=(1, 2, 3)) / 255
    return torch.stack([1 - seen, seen], dim=1).numpy()


@pytest.mark.parametrize("size", [(12, 12), (7, 18), (3, 1)])
def test_a_network_that_looks_at_a_corner_is_caught_at_it(size: tuple[int, int]) -> None:
    image = torch.full((1, *size), 250, dtype=torch.uint8)
    asked: list[int] = []

    def score(images: torch.Tensor) -> np.ndarray:
        asked.append(len(images))
        return corner(images)

    found = some(occlusion(image, torch.full((1, 1, 1), 49.6), 1, score, no_progress, lambda: False))
    assert found.falls.shape == size
    assert found.score == pytest.approx(250 / 255)
    assert found.falls[0, 0] == found.falls.max() == found.largest > 0
    beyond = 3 + found.cover - 1
    assert not found.falls[beyond:].any()
    assert not found.falls[:, beyond:].any()
    assert max(asked) <= BATCH
    other = some(occlusion(image, torch.full((1, 1, 1), 50.0), 0, corner, no_progress, lambda: False))
    assert other.falls[0, 0] < 0
    assert other.largest == pytest.approx(0, abs=1e-12)


def test_it_is_stopped_between_batches_and_reports_its_progress() -> None:
    steps: list[tuple[Any, ...]] = []
    image = torch.rand(3, 40, 40)

    def progress(*step: Any) -> None:
        steps.append(step)

    assert occlusion(image, torch.zeros(3, 1, 1), 1, corner, progress, lambda: len(steps) == 2) is None
    assert [step[1] for step in steps] == [0, BATCH]
    assert steps[0][2] > 2 * BATCH
