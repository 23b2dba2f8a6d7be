"""Several numbers to predict: each is standardised on its own, and given back in its own unit."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.splits import assemble
from core.losses.base import TargetFacts
from core.losses.regression import Poisson
from core.tasks.registry import task_of

ROWS = 40
NUMBERS = task_of("regression")


def several(weights: bool = False) -> Dataset:
    dice = np.random.default_rng(0)
    inputs = torch.from_numpy(dice.normal(size=(ROWS, 3)).astype(np.float32))
    targets = torch.from_numpy(dice.normal(size=(ROWS, 2)).astype(np.float32) * [1, 50] + [3, -400]).float()
    everything = np.arange(ROWS)
    parts = {"train": everything[:30], "validation": everything[30:], "test": everything[:0]}
    return assemble(name="a", kind="table", inputs=inputs, targets=targets, parts=parts)


def test_each_target_has_its_own_mean_and_deviation() -> None:
    data = several()
    train: Any = data.train.targets.numpy().astype(np.float64)
    assert data.target_mean == pytest.approx(train.mean(axis=0), rel=1e-6)
    assert data.target_std == pytest.approx(train.std(axis=0), rel=1e-6)
    assert data.outputs == 2
    (batch,) = Batches(data.train, data, torch.device("cpu")).iterate(ROWS)
    assert batch.targets.mean(dim=0).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert batch.targets.std(dim=0, correction=0).tolist() == pytest.approx([1, 1], rel=1e-5)


def test_weights_count_in_mean_and_deviation() -> None:
    column, weights = torch.tensor([[1.0], [2.0], [2.0], [9.0]]), torch.tensor([1.0, 2.0, 0.0, 0.0])
    (mean,), (std,) = NUMBERS.scale(column, weights)
    thrice = torch.tensor([[1.0], [2.0], [2.0]])
    assert (mean, std) == pytest.approx([each[0] for each in NUMBERS.scale(thrice)])


def test_predictions_are_in_the_unit_of_each_target() -> None:
    data = several()
    standard = NUMBERS.standardised(data.validation.targets, data)
    found = NUMBERS.predictions(standard, data.validation, data, probabilities=False)
    assert found.scores.shape == (10, 2)
    assert found.scores == pytest.approx(data.validation.targets.numpy(), rel=1e-5)
    assert found.targets.shape == (10, 2)


def read(answers: Tensor, targets: Tensor, weights: Tensor | None = None) -> float:
    tally = NUMBERS.tally()
    tally.add(answers, targets, weights)
    score, _ = tally.read(targets, weights, 2, lambda sums: sums)
    return score


def test_the_score_of_an_epoch_is_the_mean_r2() -> None:
    from sklearn.metrics import r2_score

    dice = np.random.default_rng(1)
    targets, answers = dice.normal(size=(2, 20, 2))
    weights = dice.random(20)
    given = [torch.from_numpy(each) for each in (answers, targets, weights)]
    assert read(given[0], given[1]) == pytest.approx(r2_score(targets, answers), rel=1e-9)
    assert read(*given) == pytest.approx(r2_score(targets, answers, sample_weight=weights), rel=1e-9)


def test_poisson_has_a_unit_for_each_target() -> None:
    facts = TargetFacts("numbers", mean=(2.0, 100.0), std=(1.0, 10.0))
    outputs = torch.zeros(3, 2)
    assert Poisson().scorer(facts).scores(outputs).abs().max() < 1e-6, "the mean of each, standardised"
    grow = torch.full((3, 2), 0.1, requires_grad=True)
    targets = torch.zeros(3, 2)
    loss = Poisson().build(facts)(grow, targets)
    assert Poisson().each(facts)(grow, targets).mean().item() == pytest.approx(loss.item())
