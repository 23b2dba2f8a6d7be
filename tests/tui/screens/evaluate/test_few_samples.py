"""Calibration: bins of few samples are shown, but not joined."""

import numpy as np

from core.evaluation import Calibration
from tui.screens.evaluate.calibration import FEW, _chart


def test_bins_of_few_samples_stand_apart() -> None:
    edges = np.linspace(0, 1, 5)
    counts = np.array([FEW, 1, FEW - 1, 400])
    middle = (edges[:-1] + edges[1:]) / 2
    chart = _chart(Calibration(edges[:-1], edges[1:], counts, middle, middle), labels=False)
    joined = next(series for series in chart.series if series.label == "model")
    assert joined.x.tolist() == [middle[0], middle[3]]
    apart = next(series for series in chart.series if series.marker == "○")
    assert apart.x.tolist() == [middle[1], middle[2]]
    assert (apart.color, apart.style) == (None, "points")
    assert chart.named
