"""The private parts of plotext that are used are there and do what is expected; without them charts look the same."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import plotext
import pytest

from tui.charts import plot
from tui.charts.plotext_private import leave_to_the_system, unlisted

CHART = plot.Chart(series=(plot.Series("a", np.arange(9.0), np.arange(9.0) ** 2, color=(255, 0, 0)),))


@pytest.fixture
def iterated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Return how often a figure has read the points of a signal."""
    iterated: list[Any] = []
    kind = type(plotext.figure.signal([], []))
    usual = kind.__iter__

    def noted(signal: Any) -> Iterator[Any]:
        iterated.append(signal)
        found: Iterator[Any] = usual(signal)
        return found

    monkeypatch.setattr(kind, "__iter__", noted)
    plot._signal.cache_clear()
    yield iterated
    plot._signal.cache_clear()


def test_a_figure_looks_at_the_points_of_a_signal_but_not_of_one_that_is_unlisted(
    iterated: list[Any],
) -> None:
    """If it no longer does, these parts are not needed."""
    signal = plotext.figure.signal([1.0, 2.0], [3.0, 4.0])
    plotext.figure.draw(unlisted(signal))
    assert not iterated
    plotext.figure.draw(signal)
    assert iterated
    plotext.figure.clear.data()


def test_an_unlisted_signal_has_the_points_and_lines_of_its_original() -> None:
    signal = plotext.figure.signal([1.0, 2.0], [3.0, 4.0]).lines()
    copy = unlisted(signal)
    assert type(copy) is not type(signal)
    assert isinstance(copy, type(signal))
    assert list(copy) == []
    assert copy._get_log(full=True) == signal._get_log(full=True)


@pytest.mark.parametrize("missing", ["clone", "__init__"])
def test_without_it_a_chart_looks_the_same(
    missing: str, monkeypatch: pytest.MonkeyPatch, iterated: list[Any]
) -> None:
    usual = plot.draw(CHART, 60, 20)
    assert not iterated
    plot._signal.cache_clear()
    signal = plotext.figure.signal([1.0], [1.0])
    monkeypatch.setattr("tui.charts.plotext_private._empty_to_iterate", odd_class(missing))
    assert unlisted(signal) is signal
    assert plot.draw(CHART, 60, 20) == usual
    assert iterated


def odd_class(missing: str) -> Callable[[type], type]:
    """Return a maker of signals whose class lacks something."""

    class Odd:
        def __init__(self, *given: object) -> None:
            if missing == "__init__":
                raise TypeError("other arguments are expected")

    return lambda kind: Odd


@pytest.mark.parametrize("ends", [True, False])
def test_signals_that_are_left_when_python_ends_are_not_released(
    monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    released = []

    class Signal:
        def __del__(self) -> None:
            released.append(self)

    monkeypatch.setattr(sys, "is_finalizing", lambda: ends)
    leave_to_the_system(Signal)
    Signal()
    assert len(released) == (0 if ends else 1)


def test_a_signal_of_plotext_has_a_destructor() -> None:
    """If it has none any more, it need not be left alone."""
    assert hasattr(type(plotext.figure.signal([], [])), "__del__")
