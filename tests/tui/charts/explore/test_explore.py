"""A chart that one explores in an app: pointer, wheel, drag, double click and keys do the same."""

import math

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.events import MouseMove, MouseScrollUp

from tests.support.narrow import some
from tests.support.waiting import until
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.charts.plot import Chart, Mark, Series, draw
from tui.charts.plot_cross import readings, readout_text

X = np.arange(101.0)
CHART = Chart(
    (
        Series("train", X, 200 - X, (86, 180, 233)),
        Series("validation", X[::10], 150 - X[::10], (230, 159, 0)),
    ),
    marks=(Mark(30.0, 120.0, "★"),),
    x_label="epoch",
    x_integer=True,
)


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield ExploringPlot(focusable=True)


@pytest.mark.parametrize("no_color", [False, True])
def test_the_values_at_the_crosshair(monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    found = {each.name: each.value for each in readings(CHART, 42.0)}
    assert found == {"train": 158.0, "validation": 110.0}, "of each curve at the nearest logged point"
    assert len({each.sample for each in readings(CHART, 42.0)}) == 1 + no_color
    assert math.isnan(readings(Chart((Series("short", [0.0, 1.0], [0.0, 1.0]),)), 2.0)[0].value)


def test_the_crosshair_is_drawn_with_its_values() -> None:
    chart = Chart(CHART.series, x_label="epoch", cross=20.0)
    rows = ["".join(text for text, _ in row) for row in draw(chart, 60, 14)]
    assert any("epoch 20" in row for row in rows)
    assert any("train      180" in row for row in rows)
    assert any("validation 130" in row for row in rows)
    assert sum("┊" in row for row in rows) > 8
    assert readout_text(chart) == "epoch 20  train 180.00  validation 130.00"
    small = ["".join(text for text, _ in row) for row in draw(chart, 12, 3)]
    assert [len(row) for row in small] == [12] * 3


async def test_mouse_and_keys_explore_a_chart() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        plot = app.query_one(ExploringPlot)
        plot.show(CHART)
        plot.focus()
        await until(pilot, lambda: plot._layout is not None)
        await pilot.hover(ExploringPlot, offset=(40, 10))
        await until(pilot, lambda: plot.window.cross is not None)
        assert plot.readout.startswith("epoch ")
        drawn = plot._curves
        await pilot.hover(ExploringPlot, offset=(50, 10))
        assert plot._curves is drawn, "a crosshair that moves does not draw the curves again"

        await pilot._post_mouse_events([MouseScrollUp], ExploringPlot, (40, 10), button=0)
        await until(pilot, lambda: plot.window.x is not None)
        shown = some(plot.window.x)
        assert shown[1] - shown[0] == pytest.approx(80)
        await pilot.mouse_down(ExploringPlot, offset=(40, 10))
        await pilot._post_mouse_events([MouseMove], ExploringPlot, (50, 10), button=1)
        await pilot.mouse_up(ExploringPlot, offset=(50, 10))
        await until(pilot, lambda: some(plot.window.x)[0] < shown[0])
        assert some(plot.window.x)[1] - some(plot.window.x)[0] == pytest.approx(80)
        await pilot.click(ExploringPlot, offset=(44, 10), times=2)
        assert plot.window == WHOLE

        await pilot.press("asterisk")
        assert plot.window.cross == 30.0
        assert plot.window.x == pytest.approx((20.0, 40.0))
        await pilot.press("shift+right")
        assert plot.window.x == pytest.approx((25.0, 45.0))
        await pilot.press("end")
        assert plot.window.cross == 45.0
        await pilot.press("left", "home")
        assert plot.window.cross == 25.0
        await pilot.press("minus", "0")
        assert plot.window == WHOLE
