"""Targets that look wrong."""

import numpy as np

from core.evaluation.failures.label_errors import likely_label_errors
from core.evaluation.predictions import Predictions


def test_swapped_targets_are_found_and_hardly_any_other() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 900)
    outputs = rng.normal(size=(900, 3)) + 6 * np.eye(3)[truth]
    scores = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    targets = truth.copy()
    swapped = rng.choice(900, 45, replace=False)
    targets[swapped] = (targets[swapped] + 1) % 3
    found = likely_label_errors(Predictions(scores, targets, np.arange(900), True))
    assert len(set(found) & set(swapped)) >= 40
    assert len(set(found) - set(swapped)) <= 5
    assert set(found[:30]) <= set(swapped)


def test_right_targets_are_left_alone() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    predictions = Predictions(scores, np.array([0, 1, 0]), np.arange(3), True)
    assert len(likely_label_errors(predictions)) == 0


def test_margins_say_nothing() -> None:
    predictions = Predictions(np.array([[5.0, -5.0]]), np.array([1]), np.arange(1), False)
    assert len(likely_label_errors(predictions)) == 0
