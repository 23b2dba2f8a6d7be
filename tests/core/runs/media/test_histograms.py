"""Histograms: nothing is lost, and what is not finite is counted apart."""

from typing import Any

import numpy as np
import pytest
import torch

from core.errors import DataError, RunDamaged
from core.runs.media.histograms import counted_values, from_text, given_counts, to_text


def test_values_of_any_kind_are_counted() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    for given in (
        values,
        torch.from_numpy(values).requires_grad_(),
        values.reshape(10, 100),
        values.tolist(),
    ):
        counts = counted_values(given, 16)
        expected, edges = np.histogram(values, 16)
        assert counts.counts == expected.tolist()
        assert counts.edges == pytest.approx(edges.tolist())
        assert (counts.mean, counts.deviation) == pytest.approx((values.mean(), values.std()))
    assert from_text(to_text(counts)) == counts


def test_what_is_not_finite_is_counted_apart() -> None:
    counts = counted_values([1.0, 2.0, float("nan"), float("inf")], 2)
    assert (counts.counts, counts.not_finite, counts.total) == ([1, 1], 2, 2)


@pytest.mark.parametrize(
    "values", [[5.0], [7, 7, 7], [-1.7e308, 1.7e308], [1e16, 1e16 + 2], [5e-324, 0.0], [True, False]]
)
def test_extreme_values_have_bins_too(values: list[float]) -> None:
    counts = counted_values(values, 64)
    assert counts.total == len(values)
    assert from_text(to_text(counts)) == counts


@pytest.mark.parametrize("values", [[], [float("nan")], ["a"], object(), [[1], [1, 2]], [1j]])
def test_what_is_no_histogram(values: Any) -> None:
    with pytest.raises(DataError, match="no histogram"):
        counted_values(values, 8)


def test_bins_that_are_given() -> None:
    assert given_counts(np.histogram([1, 2, 2], 2)).counts == [1, 2]
    for wrong in ([1, 2], ([1], [0, 1, 2]), ([1, 2], [0, 1, 1]), ([-1], [0, 1]), 5):
        with pytest.raises(DataError, match="np_histogram"):
            given_counts(wrong)
    with pytest.raises(DataError, match="bins: got 0"):
        counted_values([1], 0)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"edges": [0, 1], "counts": [1, 2]}', '{"edges": [0, "x"], "counts": [1]}', "[" * 9999],
)
def test_a_damaged_file_is_told(text: str) -> None:
    with pytest.raises(RunDamaged):
        from_text(text)
