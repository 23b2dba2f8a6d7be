"""Views of errors against SciPy and scikit-learn."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from core.evaluation.error_views import bins_of, errors_as_dicts, median_error, normal_quantiles
from core.evaluation.predictions import Predictions

RNG = np.random.default_rng(0)
PREDICTED = RNG.normal(size=103)
TARGETS = PREDICTED + RNG.standard_t(3, 103)


def test_median_and_quantiles_are_those_of_scikit_learn_and_scipy() -> None:
    residual = TARGETS - PREDICTED
    found = median_error(residual)
    assert found.value == pytest.approx(metrics.median_absolute_error(TARGETS, PREDICTED), abs=1e-12)
    assert abs(residual[found.position]) == pytest.approx(found.value)
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]
    assert median_error(residual[:5]).interval is None
    assert median_error(residual, np.ones(103)).value == pytest.approx(found.value)
    heavy = np.where(np.arange(103) == 7, 1000.0, 1.0)
    assert median_error(residual, heavy).position == 7
    for n in (1, 2, 103):
        (across, up), _ = (
            stats.probplot(residual[:n], fit=True) if n > 2 else (stats.probplot(residual[:n], fit=False), 0)
        )
        mine = normal_quantiles(residual[:n])
        np.testing.assert_allclose(mine[0], across, atol=1e-9)
        np.testing.assert_allclose(mine[1], up, atol=1e-12)
    weighted = normal_quantiles(residual, np.ones(103))[0]
    np.testing.assert_allclose(weighted, stats.norm.ppf((np.arange(103) + 0.5) / 103), atol=1e-9)


def test_an_exact_interval_of_the_median_holds_it() -> None:
    draws = np.abs(np.random.default_rng(1).normal(size=(400, 25)))
    true = stats.norm.ppf(0.75)
    held = sum(low <= true <= high for low, high in (median_error(each).interval or [1, 0] for each in draws))
    assert held >= 375


def test_bins_share_out_the_samples_and_their_errors() -> None:
    residual = TARGETS - PREDICTED
    found = bins_of(PREDICTED, residual)
    assert [each.samples for each in found] == pytest.approx([10.3] * 10, abs=1)
    assert sum(each.samples * each.mae for each in found) / 103 == pytest.approx(np.abs(residual).mean())
    assert sum(each.samples * each.bias for each in found) / 103 == pytest.approx(residual.mean())
    for first, second in itertools.pairwise(found):
        assert first.high < second.low
    inside = (found[3].low <= PREDICTED) & (found[3].high >= PREDICTED)
    assert found[3].rmse == pytest.approx(np.sqrt((residual[inside] ** 2).mean()))
    wanted = stats.t.interval(
        0.95, inside.sum() - 1, loc=np.abs(residual[inside]).mean(), scale=stats.sem(np.abs(residual[inside]))
    )
    assert found[3].interval == pytest.approx(np.maximum(wanted, 0))
    times = RNG.integers(1, 4, 103)
    heavy, repeated = (
        bins_of(*each)
        for each in (
            (PREDICTED, residual, times.astype(float), 1),
            (np.repeat(PREDICTED, times), np.repeat(residual, times), None, 1),
        )
    )
    assert heavy[0].mae == pytest.approx(repeated[0].mae)
    assert len(bins_of(np.ones(20), np.ones(20))) == 1
    assert bins_of(np.ones(3), np.ones(3))[0].interval is None


def test_each_target_has_its_largest_error_with_its_sample() -> None:
    both = Predictions(
        np.stack([PREDICTED, 10 * PREDICTED], axis=1),
        np.stack([TARGETS, PREDICTED], axis=1),
        np.arange(103) + 5,
        False,
    )
    first, second = errors_as_dicts(both, ["a", "b"])
    at = int(np.abs(TARGETS - PREDICTED).argmax())
    assert first["largest"]["index"] == at + 5
    assert (first["target"], second["target"]) == ("a", "b")
    assert second["largest"]["error"] == pytest.approx(-9 * PREDICTED[np.abs(PREDICTED).argmax()])
    assert len(first["normal_quantiles"][0]) == 103
