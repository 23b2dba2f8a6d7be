"""Cutting long series down: nothing that a chart shows may be lost."""

import math

import numpy as np
import pytest

from core.runs.history.series import GrowingSeries
from tui.charts.series import reduce_min_max, smooth


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


class TestReduceMinMax:
    def test_keeps_the_extremes_of_every_column(self) -> None:
        x, y = np.arange(10_000.0), noise(10_000)
        reduced_x, reduced_y = reduce_min_max(x, y, 100)
        columns = np.array_split(y, 100)
        assert reduced_y.reshape(100, 2).min(axis=1) == pytest.approx([part.min() for part in columns])
        assert reduced_y.reshape(100, 2).max(axis=1) == pytest.approx([part.max() for part in columns])
        assert (np.diff(reduced_x) >= 0).all()
        assert (reduced_x[0], reduced_x[-1]) == (0, 9999)

    def test_one_spike_among_a_million_points_stays(self) -> None:
        y = np.zeros(1_000_000)
        y[123_456] = 7.0
        assert reduce_min_max(np.arange(1_000_000.0), y, 140)[1].max() == 7.0

    def test_steep_parts_stand_in_the_order_of_the_curve(self) -> None:
        x = np.linspace(0, 1, 1000)
        assert (np.diff(reduce_min_max(x, -x, 50)[1]) <= 0).all()
        assert (np.diff(reduce_min_max(x, x, 50)[1]) >= 0).all()

    def test_short_curves_come_back_whole(self) -> None:
        x, y = np.array([0.0, 1.0, 2.0]), np.array([5.0, np.nan, np.inf])
        reduced_x, reduced_y = reduce_min_max(x, y, 2)
        assert reduced_x.tolist() == [0.0, 1.0, 2.0]
        assert np.array_equal(reduced_y, [5.0, np.nan, np.nan], equal_nan=True)

    def test_decreasing_x_is_the_same_curve_from_the_other_end(self) -> None:
        x, y = np.sort(noise(5000, 1)), noise(5000, 2)
        forth, back = reduce_min_max(x, y, 60), reduce_min_max(x[::-1], y[::-1], 60)
        assert np.array_equal(forth, back)

    def test_points_without_a_finite_x_are_dropped(self) -> None:
        x = np.array([0.0, np.nan, 1.0, np.inf, 2.0, -np.inf])
        assert reduce_min_max(x, np.arange(6.0), 10)[1].tolist() == [0.0, 2.0, 4.0]

    def test_gaps_stay_and_infinities_are_gaps(self) -> None:
        y = noise(10_000)
        y[4000:6000] = np.nan
        y[100], y[9_000] = np.inf, -np.inf
        reduced_x, reduced_y = reduce_min_max(np.arange(10_000.0), y, 100)
        gap = (reduced_x >= 4000) & (reduced_x < 6000)
        assert np.isnan(reduced_y[gap]).all()
        assert np.isfinite(reduced_y[~gap]).all()

    def test_a_curve_that_runs_to_and_fro_is_bounded_and_keeps_its_extremes(self) -> None:
        x, y = noise(200_000, 3), noise(200_000, 4)
        reduced_x, reduced_y = reduce_min_max(x, y, 50)
        assert reduced_x.size <= 2 * 2 * 4 * 50
        assert (reduced_y.min(), reduced_y.max()) == (y.min(), y.max())

    @pytest.mark.parametrize("backwards", [False, True])
    def test_a_window_keeps_its_points_and_one_neighbour_on_each_side(self, backwards: bool) -> None:
        x = np.arange(10.0)[:: -1 if backwards else 1]
        assert reduce_min_max(x, x, 100, (3.5, 6.0))[0].tolist() == [3.0, 4.0, 5.0, 6.0, 7.0]

    def test_a_window_of_unsorted_points(self) -> None:
        x = np.array([0.0, 5.0, 1.0, 9.0, 2.0])
        assert reduce_min_max(x, x, 100, (4.0, 6.0))[0].tolist() == [0.0, 5.0, 1.0]

    def test_values_at_the_end_of_the_floats_overflow_nowhere(self) -> None:
        x = 1e308 * np.linspace(-1.7, 1.7, 1000)
        with np.errstate(all="raise"):
            _, y = reduce_min_max(np.arange(1000.0), x, 10)
            assert reduce_min_max(x / 1e10, x, 10)[0].size == 20
        assert np.isnan(y).all()

    def test_no_points(self) -> None:
        assert reduce_min_max(np.array([]), np.array([]), 10)[0].size == 0


class TestSmooth:
    @pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.999])
    def test_is_the_unbiased_exponential_average(self, weight: float) -> None:
        values = noise(777)
        average, expected = 0.0, []
        for step, value in enumerate(values, start=1):
            average = weight * average + (1 - weight) * value
            expected.append(average / (1 - weight**step))
        assert smooth(values, weight) == pytest.approx(expected, rel=1e-9, abs=1e-9)

    def test_missing_values_stay_missing_and_weigh_nothing(self) -> None:
        smoothed = smooth(np.array([np.nan, 2.0, np.inf, 2.0]), 0.7)
        assert np.array_equal(np.isnan(smoothed), [True, False, True, False])
        assert smoothed[[1, 3]] == pytest.approx([2.0, 2.0])

    def test_nothing_to_smooth(self) -> None:
        assert smooth(np.array([]), 0.5).size == 0

    @pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
    def test_refuses_a_weight_outside_its_range(self, weight: float) -> None:
        with pytest.raises(ValueError, match="at least 0 and less than 1"):
            smooth(np.zeros(3), weight)


def grown(y: np.ndarray, capacity: int) -> GrowingSeries:
    series = GrowingSeries(capacity)
    for step, value in enumerate(y.tolist()):
        series.append(step, value)
    return series


class TestGrowingSeries:
    def test_keeps_every_point_until_it_is_full(self) -> None:
        y = noise(63)
        series = grown(y, 64)
        assert np.array_equal(series.points(), (np.arange(63.0), y))
        assert len(series) == 63

    @pytest.mark.parametrize("n", [64, 65, 127, 1000, 4096, 10_001])
    def test_stays_bounded_and_keeps_extremes_and_ends(self, n: int) -> None:
        y = noise(n)
        x_kept, y_kept = grown(y, 64).points()
        assert x_kept.size <= 4 * 65
        assert (np.diff(x_kept) >= 0).all()
        assert (y_kept.min(), y_kept.max()) == (y.min(), y.max())
        assert (x_kept[0], y_kept[0], x_kept[-1], y_kept[-1]) == (0, y[0], n - 1, y[-1])
        assert np.isin(y_kept, y).all()

    def test_every_spike_survives_every_doubling(self) -> None:
        y = np.zeros(5000)
        spikes = np.arange(50, 5000, 400)
        y[spikes] = np.arange(1, spikes.size + 1)
        x_kept, y_kept = grown(y, 64).points()
        assert set(zip(spikes, y[spikes], strict=True)) <= set(zip(x_kept, y_kept, strict=True))

    def test_means_are_those_of_the_points(self) -> None:
        y = noise(1024)
        x, mean = grown(y, 64).means()
        assert mean == pytest.approx(y.reshape(mean.size, -1).mean(axis=1))
        assert x == pytest.approx(np.arange(1024.0).reshape(mean.size, -1).mean(axis=1))

    def test_gaps_longer_than_a_bucket_stay(self) -> None:
        y = noise(4000)
        y[1000:2000] = np.nan
        y[3000] = -np.inf
        series = grown(y, 64)
        x_kept, y_kept = series.points()
        inside = (x_kept >= 1200) & (x_kept < 1800)
        assert inside.any()
        assert np.isnan(y_kept[inside]).all()
        assert np.nanmin(y_kept) == np.nanmin(y[np.isfinite(y)])
        assert np.isnan(series.means()[1]).any()

    def test_a_bucket_that_begins_with_a_gap_knows_its_numbers(self) -> None:
        y = np.where(np.arange(64) % 2, noise(64), np.nan)
        y[1], y[3] = -100, 100
        y_kept = grown(y, 4).points()[1]
        assert [np.nanmin(y_kept), np.nanmax(y_kept)] == [-100, 100]

    def test_a_window_reaches_to_the_next_points(self) -> None:
        series = grown(np.arange(20.0), 64)
        assert series.points(5.5, 8)[0].tolist() == [5, 6, 7, 8, 9]
        assert series.points(x_from=18)[0].tolist() == [17, 18, 19]
        assert series.means(x_to=1)[0].tolist() == [0, 1, 2]

    def test_gives_the_same_arrays_until_something_is_added(self) -> None:
        series = grown(noise(100), 64)
        before = series.points()
        assert series.points() is before
        series.append(100, 0.0)
        assert series.points()[0].size > 0
        assert series.points() is not before

    def test_without_points(self) -> None:
        series = GrowingSeries()
        assert (
            series.points()[0].size
            == series.means()[0].size
            == series.points(0, 1)[0].size
            == len(series)
            == 0
        )

    @pytest.mark.parametrize("capacity", [0, 1, 63])
    def test_refuses_a_capacity_that_cannot_be_halved(self, capacity: int) -> None:
        with pytest.raises(ValueError, match="even number"):
            GrowingSeries(capacity)
