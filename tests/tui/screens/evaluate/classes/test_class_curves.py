"""The classes over the epochs, on the screen."""

import pytest

from tests.tui.conftest import CopyOf, Visits
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.screens.evaluate.classes.class_list import ClassList

pytestmark = pytest.mark.slow


async def test_marked_classes_have_curves_that_are_explored_together(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "epochs")
        table, plots = at.one(ClassList), [*at.one("#class-charts").query(ExploringPlot)]
        assert [plot.is_on_screen for plot in plots] == [True] * 3
        first = [series.label for series in plots[0].chart.series]
        assert first == [str(number) for number in table.order[:6]]
        assert first == [series.label for series in plots[2].chart.series]
        await at.press("space")
        assert [series.label for series in plots[0].chart.series] == first[1:]
        await at.press("right", "plus")
        assert {plot.window.cross for plot in plots} == {2.0}
        assert all(plot.window.x is not None for plot in plots)
        await at.press("0")
        assert {plot.window for plot in plots} == {WHOLE}
        await at.press("c", "c")
        assert [plot.is_on_screen for plot in plots] == [False, True, False]
        await at.pilot.resize_terminal(80, 24)
        await at.settle()
        assert sum(plot.is_on_screen for plot in plots) == 1
