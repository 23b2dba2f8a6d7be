"""Losses of masks against PyTorch's own, and the overlap by hand."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from core.arrays import IGNORED
from core.losses import CrossEntropy
from core.losses.base import TargetFacts
from core.losses.cross_entropy import Focal
from core.losses.own_loss import OwnLoss
from core.losses.pixels import Dice

GENERATOR = torch.Generator().manual_seed(0)
OUTPUTS = torch.randn(3, 4, 5, 6, generator=GENERATOR, dtype=torch.float64)
TARGETS = torch.randint(0, 4, (3, 5, 6), generator=GENERATOR).to(torch.uint8)
TARGETS[:, 0] = IGNORED
KNOWN = TARGETS != IGNORED
FACTS = TargetFacts("pixels", [40, 10, 20, 5])
FLAT, CLASSES = OUTPUTS.movedim(1, -1)[KNOWN], TARGETS[KNOWN].long()


@pytest.mark.parametrize(
    ("loss", "wanted"),
    [
        (CrossEntropy(), F.cross_entropy(FLAT, CLASSES)),
        (CrossEntropy(label_smoothing=0.2), F.cross_entropy(FLAT, CLASSES, label_smoothing=0.2)),
        (Focal(gamma=0), F.cross_entropy(FLAT, CLASSES)),
        (
            Focal(),
            (-((1 - FLAT.softmax(1)) ** 2) * FLAT.log_softmax(1))[torch.arange(len(CLASSES)), CLASSES].mean(),
        ),
    ],
    ids=["cross_entropy", "smoothed", "focal 0", "focal"],
)
def test_it_is_the_mean_over_the_pixels_that_count(loss: Any, wanted: torch.Tensor) -> None:
    assert float(loss.build(FACTS)(OUTPUTS, TARGETS)) == pytest.approx(float(wanted))


def test_classes_have_weights_by_their_pixels() -> None:
    loss = CrossEntropy(class_weights="balanced")
    weights = torch.tensor([75 / (4 * count) for count in FACTS.class_counts], dtype=torch.float64)
    each = F.cross_entropy(FLAT, CLASSES, reduction="none") * weights[CLASSES]
    assert float(loss.build(FACTS)(OUTPUTS, TARGETS)) == pytest.approx(float(each.mean()))


@pytest.mark.parametrize("loss", [CrossEntropy(), Focal(), Dice(), Dice(cross_entropy=1.0)], ids=str)
def test_images_of_weight_two_count_as_if_they_were_there_twice(loss: Any) -> None:
    rows = torch.tensor([0, 0, 2])
    once = loss.build(FACTS)(OUTPUTS[rows].float(), TARGETS[rows])
    weighted = loss.weighted(FACTS)(OUTPUTS.float(), TARGETS, torch.tensor([2.0, 0.0, 1.0]))
    assert float(weighted) == pytest.approx(float(once), rel=1e-5)


@pytest.mark.parametrize("loss", [CrossEntropy(), Focal(), Dice(cross_entropy=1.0)], ids=str)
def test_a_batch_where_no_pixel_counts_has_a_finite_loss_without_gradient(loss: Any) -> None:
    outputs = torch.zeros(1, 4, 2, 2, requires_grad=True)
    value = loss.build(FACTS)(outputs, torch.full((1, 2, 2), IGNORED, dtype=torch.uint8))
    value.backward()
    assert float(value.detach()) == 0
    assert outputs.grad is not None
    assert not outputs.grad.any()


def test_dice_is_one_minus_the_overlap_of_each_class() -> None:
    shares = FLAT.softmax(dim=1).float()
    truth = F.one_hot(CLASSES, 4)
    both, sizes = (shares * truth).sum(0), shares.sum(0) + truth.sum(0)
    wanted = 1 - ((2 * both + 1) / (sizes + 1)).mean()
    assert float(Dice().build(FACTS)(OUTPUTS, TARGETS)) == pytest.approx(float(wanted), rel=1e-6)
    together = Dice(cross_entropy=0.5).build(FACTS)(OUTPUTS, TARGETS)
    assert float(together) == pytest.approx(float(wanted + 0.5 * F.cross_entropy(FLAT, CLASSES)), rel=1e-6)


def test_a_right_answer_has_no_dice_loss() -> None:
    outputs = 50.0 * F.one_hot(TARGETS.long() * KNOWN, 4).movedim(-1, 1)
    assert float(Dice().build(FACTS)(outputs.float(), TARGETS)) == pytest.approx(0, abs=1e-6)


def test_an_own_loss_gets_whole_numbers_that_pytorch_takes() -> None:
    own = OwnLoss(
        lambda outputs, targets: F.cross_entropy(outputs, targets, ignore_index=IGNORED),
        "a.py:f",
        "auto",
        "pixels",
    )
    assert float(own(OUTPUTS, TARGETS)) == pytest.approx(float(F.cross_entropy(FLAT, CLASSES)))
    assert torch.allclose(own.scores(OUTPUTS).sum(dim=1), torch.ones(3, 5, 6, dtype=torch.float64))
