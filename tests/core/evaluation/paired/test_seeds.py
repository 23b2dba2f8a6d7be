"""Configurations with several seeds each: what is chance in the samples, and what in the seeds."""

import numpy as np
import pytest
from scipy import stats

from core.evaluation import Predictions
from core.evaluation.paired import Difference, Repeated, repeated_difference
from tests.support.narrow import some


def runs(rng: np.random.Generator, right: np.ndarray) -> Repeated:
    """One run for each row of `right` (runs, n): which samples it gets right."""
    targets = np.zeros(right.shape[1], dtype=np.int64)
    found = tuple(
        Predictions(np.eye(2)[(~row).astype(np.int64)], targets, np.arange(len(row)), True) for row in right
    )
    return Repeated(tuple(float(row.mean()) for row in right), found)


def test_without_samples_it_is_the_test_of_student_over_the_seeds() -> None:
    first, second = (0.80, 0.83, 0.82), (0.75, 0.78, 0.74, 0.77)
    found = some(repeated_difference("accuracy", Repeated(first), Repeated(second), 1))
    assert found.p == pytest.approx(stats.ttest_ind(first, second).pvalue)
    assert repeated_difference("accuracy", Repeated((0.8,)), Repeated((0.7,)), 1) is None


def test_samples_add_their_chance_and_a_single_run_takes_the_spread_of_the_others_seeds() -> None:
    rng = np.random.default_rng(0)
    first, second = (runs(rng, rng.random((4, 100)) < share) for share in (0.9, 0.85))

    def width(found: Difference | None) -> float:
        low, high = some(found).interval
        return high - low

    seeds = repeated_difference("accuracy", Repeated(first.values), Repeated(second.values), 1)
    both = repeated_difference("accuracy", first, second, 1)
    assert some(both).value == pytest.approx(np.mean(first.values) - np.mean(second.values))
    assert some(both).p > some(seeds).p
    alone = Repeated(second.values[:1], second.predictions[:1])
    assert width(repeated_difference("accuracy", first, alone, 1)) > width(both)


@pytest.mark.slow
def test_equal_configurations_are_rarely_told_apart_and_different_ones_are() -> None:
    rng, told = np.random.default_rng(1), 0
    for _ in range(100):
        easy = rng.random(100)
        groups = [runs(rng, rng.random((3, 100)) < 0.7 + 0.3 * easy) for _ in range(4)]
        best = max(groups, key=lambda group: float(np.mean(group.values)))
        told += any(
            some(repeated_difference("accuracy", best, group, 6)).is_clear
            for group in groups
            if group is not best
        )
    assert told <= 5
    good, bad = (runs(rng, rng.random((5, 300)) < share) for share in (0.95, 0.8))
    assert some(repeated_difference("accuracy", good, bad, 28)).is_clear
