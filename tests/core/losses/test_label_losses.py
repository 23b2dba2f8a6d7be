"""Losses of several labels a sample."""

import pytest
import torch
from torch.nn import BCEWithLogitsLoss
from torch.nn.functional import binary_cross_entropy_with_logits

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
