"""Losses of several labels a sample."""

import pytest
import torch
from torch.nn import BCEWithLogitsLoss
from torch.nn.functional import binary_cross_entropy_with_logits

from core.errors import ConfigError
from core.losses.base import TargetFacts
from core.losses.cross_entropy import Bce, Focal
from core.losses.labels import balanced_positives, label_bce, label_focal

torch.manual_seed(0)
OUTPUTS, TARGETS = 3 * torch.randn(8, 3), (torch.rand(8, 3) < 0.4).float()


def test_bce_is_that_of_pytorch_with_and_without_weights_of_positives() -> None:
    torch.testing.assert_close(
        label_bce(None)(OUTPUTS, TARGETS).mean(), BCEWithLogitsLoss()(OUTPUTS, TARGETS)
    )
    weights = [3.0, 1.0, 0.5]
    reference = BCEWithLogitsLoss(pos_weight=torch.tensor(weights))
    losses = label_bce(weights)(OUTPUTS, TARGETS)
    assert losses.shape == (8,)
    torch.testing.assert_close(losses.mean(), reference(OUTPUTS, TARGETS))


def test_balanced_positives_weigh_as_much_as_negatives() -> None:
    assert balanced_positives([20, 50, 0, 100], 100) == [4.0, 1.0, 1.0, 1.0]


def test_focal_without_gamma_is_bce_and_alpha_weighs_positives() -> None:
    torch.testing.assert_close(label_focal(0, 0)(OUTPUTS, TARGETS), label_bce(None)(OUTPUTS, TARGETS))
    each = binary_cross_entropy_with_logits(OUTPUTS, TARGETS, reduction="none")
    p = OUTPUTS.sigmoid()
    away = torch.where(TARGETS == 1, 1 - p, p) ** 2
    weights = torch.where(TARGETS == 1, 0.25, 0.75)
    torch.testing.assert_close(label_focal(2, 0.25)(OUTPUTS, TARGETS), (weights * away * each).mean(dim=1))


@pytest.mark.parametrize("gamma", [0.5, 2])
def test_sure_answers_have_finite_gradients(gamma: float) -> None:
    outputs = torch.tensor([[200.0, -200.0, 200.0]], requires_grad=True)
    loss = label_focal(gamma, 0)(outputs, torch.tensor([[1.0, 0.0, 0.0]])).mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()


LABELS = TargetFacts("labels", (2, 4, 8), samples=16)
CLASSES = TargetFacts("classes", (5, 5))


def test_bce_of_labels_is_built_with_its_weights() -> None:
    balanced = Bce(pos_weight="balanced").build(LABELS)
    torch.testing.assert_close(
        balanced(OUTPUTS, TARGETS), label_bce([7.0, 3.0, 1.0])(OUTPUTS, TARGETS).mean()
    )
    scorer = Bce().scorer(TargetFacts("labels", (1, 1), samples=2))
    assert torch.equal(scorer.scores(OUTPUTS[:, :2]), OUTPUTS[:, :2].sigmoid())
    assert scorer.gives_probabilities(LABELS)


def test_alpha_weighs_the_second_of_two_classes() -> None:
    outputs, targets = OUTPUTS[:, :2], TARGETS[:, 0].long()
    each = Focal().losses(CLASSES)(outputs, targets)
    wanted = (each * torch.where(targets == 1, 0.25, 0.75)).mean()
    torch.testing.assert_close(Focal(alpha=0.25).build(CLASSES)(outputs, targets), wanted)


@pytest.mark.parametrize(
    ("loss", "facts", "message"),
    [
        (Bce(pos_weight=(1.0, 2.0)), LABELS, "got 2 weights for 3 labels"),
        (Bce(pos_weight="balanced"), CLASSES, "these samples have one class each"),
        (Bce(class_weights="balanced"), LABELS, "these samples have several labels"),
        (Focal(alpha=0.5), TargetFacts("classes", (1, 1, 1)), "there are 3 classes"),
        (Focal(alpha=0.5, class_weights="balanced"), CLASSES, "and so does loss.class_weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused(loss: Bce | Focal, facts: TargetFacts, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loss.check(facts)
