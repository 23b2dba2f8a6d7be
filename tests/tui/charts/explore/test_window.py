"""Zoom, pan and crosshair as functions of plain data."""

import numpy as np
import pytest

from tui.charts.explore.window import (
    WHOLE,
    Axes,
    Window,
    axes_of,
    centre,
    follow,
    move_cross,
    pan,
    places,
    point_at,
    seen,
    zoom,
)
from tui.charts.plot_axes import Scale
from tui.charts.plot_chart import Chart, Series


def chart(points: int = 101, **options: object) -> Chart:
    x = np.arange(float(points))
    return Chart((Series("train", x, np.sqrt(x)),), **options)  # type: ignore[arg-type]  # fields of a chart


def axes(window: Window = WHOLE, of: Chart | None = None) -> Axes:
    whole = of or chart()
    everything = axes_of(whole, Scale(0, 1), Scale(0, 1))
    x = everything.all_x
    if window.x is not None:
        low, high = seen(whole, window).x_range
        assert low is not None
        assert high is not None
        x = Scale(np.log10(low), np.log10(high), True) if whole.log_x else Scale(low, high)
    y = Scale(*window.y) if window.y is not None else everything.all_y
    return Axes(x, y, everything.all_x, everything.all_y)


@pytest.mark.parametrize("at", [0.0, 0.25, 0.8, 1.0])
def test_what_is_under_the_pointer_stays_there(at: float) -> None:
    window = zoom(WHOLE, axes(), 0.5, (at, 0.5))
    assert window.x is not None
    assert window.x[1] - window.x[0] == pytest.approx(50)
    assert window.x[0] + at * 50 == pytest.approx(at * 100)


def test_zooming_out_as_far_shows_everything_again() -> None:
    near = zoom(WHOLE, axes(), 0.5, (0.3, 0.5))
    assert zoom(near, axes(near), 2.0, (0.3, 0.5)).x is None
    assert zoom(WHOLE, axes(), 2.0).x is None


def test_zooming_in_ends_somewhere() -> None:
    window = WHOLE
    for _ in range(60):
        window = zoom(window, axes(window), 0.5)
    assert window.x is not None
    assert window.x[1] - window.x[0] == pytest.approx(0.01)


def test_a_logarithmic_axis_is_zoomed_in_its_own_measure() -> None:
    drawn = Chart((Series("train", [1.0, 10_000.0], [0.0, 1.0]),), log_x=True)
    window = zoom(WHOLE, axes(of=drawn), 0.5, (0.5, 0.5))
    assert window.x == pytest.approx((10.0, 1000.0))
    assert pan(window, axes(window, drawn), 0.5).x == pytest.approx((100.0, 10_000.0))


def test_the_y_axis_is_zoomed_alone() -> None:
    window = zoom(WHOLE, axes(), 0.5, (0.5, 0.0), across=False, up=True)
    assert window.x is None
    assert window.y == pytest.approx((0.0, axes().all_y.high / 2))


def test_panning_stays_inside() -> None:
    near = Window(x=(40.0, 60.0))
    assert pan(near, axes(near), 0.25).x == pytest.approx((45.0, 65.0))
    assert pan(near, axes(near), -9.0).x == pytest.approx((0.0, 20.0))
    assert pan(WHOLE, axes(), 0.25) == WHOLE


def test_what_reaches_the_end_follows_it() -> None:
    near = Window(x=(40.0, 60.0))
    last = pan(near, axes(near), 9.0)
    assert last.follows
    assert seen(chart(), last).x_range == pytest.approx((80.0, 100.0))
    assert seen(chart(201), last).x_range == pytest.approx((180.0, 200.0))
    assert not pan(last, axes(last), -0.25).follows
    assert seen(chart(201), pan(last, axes(last), -0.25)).x_range == pytest.approx((75.0, 95.0))


def test_the_last_part_is_followed() -> None:
    assert seen(chart(), follow(WHOLE, 10)).x_range == (90.0, 100.0)
    assert seen(chart(5), follow(WHOLE, 10)).x_range == (None, None), "there is no more than that"
    assert follow(follow(WHOLE, 10), 0) == WHOLE


def test_the_best_place_is_shown_in_the_middle() -> None:
    window = centre(WHOLE, axes(), 30.0, 0.2)
    assert window.x == pytest.approx((20.0, 40.0))
    assert window.cross == 30.0
    assert centre(WHOLE, axes(), 2.0, 0.2).x == pytest.approx((0.0, 20.0))
    near = Window(x=(40.0, 60.0))
    assert centre(near, axes(near), 30.0, 0.2).x == pytest.approx((20.0, 40.0)), "as near as before"


def test_the_crosshair_goes_from_value_to_value() -> None:
    scale = axes().x
    first = move_cross(WHOLE, chart(), scale, 1, 50)
    assert first.cross == 50.0
    assert move_cross(first, chart(), scale, 1, 50).cross == 52.0, "a column holds two"
    assert move_cross(first, chart(), scale, -1, 500).cross == 49.0
    assert move_cross(first, chart(), scale, -10_000, 50).cross == 0.0
    assert move_cross(first, chart(), scale, 10_000, 50).cross == 100.0
    assert move_cross(WHOLE, Chart(), scale, 1, 50) == WHOLE
    narrow = Window(x=(10.0, 12.0), cross=50.0)
    assert move_cross(narrow, chart(), Scale(10, 12), 1, 50).cross == 12.0, "it stays inside what is shown"


def test_the_crosshair_stands_on_named_curves_alone() -> None:
    drawn = Chart((Series("", [0.5], [0.0]), Series("train", [1.0, np.nan, 3.0], [1.0, 2.0, 3.0])))
    assert places(drawn).tolist() == [1.0, 3.0]
    assert point_at(drawn, Scale(0, 4), 0.1) == 1.0
    assert point_at(drawn, Scale(0, 4), 0.9) == 3.0
    assert point_at(Chart(), Scale(0, 1), 0.5) is None
