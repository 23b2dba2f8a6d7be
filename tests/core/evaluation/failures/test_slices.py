"""Slices of the samples, and how they compare with the rest."""

import numpy as np
import pytest

from core.evaluation.failures.slices import MIN_SAMPLES, Outcomes, outcomes, slices
from core.evaluation.intervals.proportions import proportion_intervals
from core.evaluation.predictions import Predictions

N = 600


def answered(right: np.ndarray) -> Predictions:
    targets = np.arange(len(right)) % 2
    said = np.where(right, targets, 1 - targets)
    scores = np.stack([1 - said, said], axis=1).astype(np.float64)
    return Predictions(scores, targets, np.arange(len(right)), True)


def test_the_values_that_are_answered_worse_come_first() -> None:
    rng = np.random.default_rng(0)
    city = np.array(["Ulm", "Bonn", "Kiel"])[np.arange(N) % 3]
    right = rng.random(N) < np.where(city == "Kiel", 0.6, 0.95)
    found = outcomes(answered(right))
    assert found is not None
    first, *others = slices(found, {"city": city, "noise": rng.normal(size=N)})
    assert (first.column, first.value, first.samples, first.is_worse) == ("city", "Kiel", 200, True)
    assert first.score == pytest.approx(right[city == "Kiel"].mean())
    assert first.rest == pytest.approx(right[city != "Kiel"].mean())
    low, high = proportion_intervals(np.array(right[city == "Kiel"].sum()), np.array(200))
    assert first.interval == pytest.approx([float(low), float(high)])
    assert not any(one.is_worse for one in others)
    assert [one.score for one in others] == sorted(one.score for one in others)


def test_numbers_are_put_into_ranges_that_hold_every_sample_once() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=N)
    values[:30] = np.nan
    found = slices(Outcomes("mae", np.abs(values * 0) + 1), {"x": values})
    assert sum(one.samples for one in found) == N
    assert len(found) == 6
    assert {one.value: one.samples for one in found}["missing"] == 30


def test_larger_errors_are_worse() -> None:
    rng = np.random.default_rng(2)
    old = np.arange(N) % 10 == 0
    errors = np.abs(rng.normal(size=N)) * np.where(old, 5, 1)
    targets = rng.normal(size=N)
    found = outcomes(Predictions(targets + errors, targets, np.arange(N), False))
    assert found is not None
    first = slices(found, {"old": old.astype(np.float64)})[0]
    assert (first.value, first.samples, first.is_worse) == ("1", 60, True)
    assert first.score == pytest.approx(errors[old].mean())


def test_few_samples_are_no_slice_and_many_texts_share_one() -> None:
    names = np.array([f"name {place}" for place in range(N)])
    names[:MIN_SAMPLES] = "often"
    found = slices(Outcomes("accuracy", np.ones(N)), {"name": names})
    assert {one.value: one.samples for one in found} == {"often": MIN_SAMPLES, "571 other values": 571}


@pytest.mark.slow
def test_chance_finds_a_worse_slice_in_at_most_one_data_set_of_twenty() -> None:
    flagged = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        columns = {f"c{place}": rng.integers(0, 6, N).astype(np.float64) for place in range(5)}
        flagged += any(
            one.is_worse for one in slices(Outcomes("accuracy", np.floor(rng.random(N) + 0.9)), columns)
        )
    assert flagged <= 2
