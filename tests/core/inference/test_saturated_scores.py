"""Outputs of a network that is very sure: their order and their loss survive the softmax."""

import pytest
import torch
from sklearn import metrics as reference
from torch.nn.functional import cross_entropy

from core.evaluation.predictions import Predictions
from core.losses import CrossEntropy
from core.losses.base import Scorer, exact_scores
from core.losses.cross_entropy import Bce
from core.losses.regression import Mse
from core.tasks.evaluation import evaluate


def sure(n: int = 400, scale: float = 12.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs (n, 2) whose softmax in float32 is exactly 1 for many samples, and targets (n,)."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(n) % 2
    margin = scale * (torch.randn(n, generator=generator) + 1.5 * targets)
    return torch.stack([torch.zeros(n), margin], dim=1), targets


def report_of(scorer: Scorer, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float | None]:
    scores = exact_scores(scorer, outputs).numpy()
    names = [str(label) for label in range(outputs.shape[1])]
    predictions = Predictions(scores, targets.numpy(), torch.arange(len(targets)).numpy(), True)
    task: str = "binary" if len(names) == 2 else "multiclass"
    return evaluate(predictions, task=task, class_names=names, split="test", intervals=False).metrics


@pytest.mark.parametrize("scorer", [CrossEntropy(), Bce()], ids=["cross_entropy", "bce"])
def test_samples_are_ranked_and_judged_by_their_outputs(scorer: Scorer) -> None:
    outputs, targets = sure()
    rounded = outputs.softmax(dim=1)[:, 1]
    assert (rounded == 1).float().mean() > 0.1
    found = report_of(scorer, outputs, targets)
    margin = outputs[:, 1]

    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(targets, margin), abs=1e-9)
    assert found["average_precision"] == pytest.approx(
        reference.average_precision_score(targets, margin), abs=1e-9
    )
    assert found["roc_auc"] != pytest.approx(reference.roc_auc_score(targets, rounded), abs=1e-4)
    expected = float(cross_entropy(outputs.double(), targets))
    assert found["log_loss"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_that_were_rounded_to_1_are_ranked_by_those_of_the_others(classes: int) -> None:
    outputs, targets = sure(scale=20.0)
    if classes == 3:
        outputs = torch.cat([outputs, torch.full((len(outputs), 1), -5.0)], dim=1)
        targets = torch.arange(len(targets)) % 3
    scores = outputs.softmax(dim=1).numpy()
    assert (scores == 1).mean() > 0.1
    given = Predictions(scores, targets.numpy(), torch.arange(len(targets)).numpy(), True)
    names = [str(label) for label in range(classes)]
    task = "binary" if classes == 2 else "multiclass"
    rows = evaluate(given, task=task, class_names=names, split="test", intervals=False).per_class
    exact = outputs.double()
    for label, row in enumerate(rows):
        others = torch.cat([exact[:, :label], exact[:, label + 1 :]], dim=1).logsumexp(dim=1)
        odds = exact[:, label] - others
        assert row["roc_auc"] == pytest.approx(reference.roc_auc_score(targets == label, odds), abs=2e-3)
    if classes == 2:
        assert rows[0]["roc_auc"] == pytest.approx(rows[1]["roc_auc"], abs=1e-12)


def test_the_largest_of_two_saturated_sigmoids_is_predicted() -> None:
    outputs = torch.tensor([[20.0, 25.0, -3.0], [30.0, 22.0, 0.0], [-9.0, 1.0, 25.0]])
    scores = exact_scores(Bce(), outputs)

    assert scores.argmax(dim=1).tolist() == [1, 0, 2]
    assert outputs.sigmoid().argmax(dim=1).tolist() != [1, 0, 2]


def test_scores_stay_as_they_are_where_float32_has_the_digits() -> None:
    outputs, _ = sure(scale=1.0)

    assert exact_scores(CrossEntropy(), outputs).dtype == torch.float32
    numbers = torch.tensor([[5.0], [7.0]])
    assert exact_scores(Mse(), numbers).dtype == torch.float32
