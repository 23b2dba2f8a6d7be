"""Lift of two classes, and errors from several sides, on the screen."""

import numpy as np
import pytest
from textual.widgets import Input, Static

from core.evaluation import residuals
from core.evaluation.two_classes.numbers import two_class_numbers
from tests.support.screen import plain
from tests.tui.conftest import CopyOf, Visits
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.charts.plot import Plot
from tui.screens.evaluate.detail import SampleDialog

pytestmark = pytest.mark.slow


async def test_numbers_of_two_classes_follow_their_arguments(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("cancer"), "lift")
        for beta in (2.0, 0.5):
            at.one("#lift-beta", Input).value = f"{beta:g}"
            await at.settle()
            wanted = two_class_numbers(at.predictions, beta=beta)
            shown = at.text(at.one("#lift-numbers"))
            assert all(f"{each.value:.4f}" in shown for each in wanted)
            assert f"F{beta:g}" in shown
        plot = at.one(ExploringPlot)
        await at.press("right", "plus")
        assert plot.readout.startswith("share of samples, highest scores first")
        assert plot.window.x
        assert plot.window.y
        labels = []
        for _ in range(3):
            labels.append(at.one(Plot).chart.y_label)
            await at.press("c")
        assert plot.window == WHOLE, "another chart is shown whole"
        assert labels == ["lift", "share of positives found", "share at or above it"]
        at.one("#lift-fpr", Input).value = "2"
        await at.settle()
        assert "largest false positive rate is 2" in plain(at.one("#lift-problem", Static))


async def test_errors_are_seen_from_five_sides_and_open_their_samples(visit: Visits, copy_of: CopyOf) -> None:
    async with visit((80, 24)) as at:
        await at.open(copy_of("diabetes"), "residuals")
        axes = []
        for _ in range(5):
            axes.append((at.one(Plot).chart.x_label, at.one(Plot).chart.y_label))
            await at.press("c")
        assert axes == [
            ("prediction", "residual"),
            ("prediction", "target"),
            ("normal quantile", "residual"),
            ("prediction", "error"),
            ("target", "error"),
        ]
        plot = at.one(ExploringPlot)
        await at.press("plus", "shift+right")
        assert plot.window.x
        assert plot.window.y
        await at.press("c")
        assert plot.window == WHOLE
        largest = float(np.abs(residuals(at.predictions)).max())
        at.one("#quantiles").focus()
        await at.press("end", "enter")
        assert isinstance(at.app.screen, SampleDialog)
        assert f"{largest:.2f}" in at.seen()
