"""Calibration: bins of few samples are shown, but not joined, and no bin is rounded to all or to none."""

import numpy as np

from core.evaluation import Calibration
from tui.screens.evaluate.calibration import FEW, _bin, _chart


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


def test_one_mistake_of_many_is_seen_in_a_bin() -> None:
    ends = np.array([0.0, 0.9]), np.array([0.1, 1.0])
    curve = Calibration(
        *ends, np.array([5000, 5000]), np.array([0.00004, 0.99996]), np.array([0.0002, 0.9998])
    )
    assert [_bin(curve, row)[3:] for row in (0, 1)] == [["4e-5", "2e-4"], ["0.999", "0.999"]]
