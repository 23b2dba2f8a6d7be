"""The temperature that makes probabilities most likely."""

import numpy as np
import pytest

from core.evaluation.calibration import best_temperature, tempered
from core.evaluation.predictions import Predictions


@pytest.mark.parametrize("sure", [0.4, 1.0, 3.0])
def test_a_model_that_is_too_sure_is_cooled_by_as_much(sure: float) -> None:
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(20_000, 3)) * 2
    truth = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    targets = (truth.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    scores = np.exp(outputs * sure) / np.exp(outputs * sure).sum(axis=1, keepdims=True)
    found = best_temperature(Predictions(scores, targets, np.arange(20_000), True))
    assert found == pytest.approx(sure, rel=0.03)
    np.testing.assert_allclose(tempered(scores, sure), truth, atol=1e-9)


def test_samples_count_by_their_weight() -> None:
    scores = np.array([[0.9, 0.1]] * 10)
    targets = np.array([0] * 5 + [1] * 5)
    weights = np.array([9.0] * 5 + [1.0] * 5)
    found = best_temperature(Predictions(scores, targets, np.arange(10), True, weights=weights))
    assert found == pytest.approx(1, abs=1e-3)
