"""Parallel coordinates of a study, and the ranges by which its trials are selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from tui.charts.parallel_axes import WHOLE, band_of, range_of, step_of
from tui.charts.parallel_plot import ParallelPlot
from tui.charts.study_views import axes_of, parallel_chart, selected_trials
from tui.terminal.text import clean, fit, short_path
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.runtime.study_follower import Standing
from core.counting import counted

__all__ = ["ParallelPanel"]

LEFT = 5
"""Cells left of the first axis."""
HOW = "drag on an axis, or tab and arrows · / by text"


class ParallelPanel(Panel):
    """A line for each trial across all parameters, whose names and ends stand below the axes."""

    @dataclass
    class Selected(Message):
        """Trials were selected by ranges, by name."""

        ranges: Mapping[str, Any]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: tuple[Standing, Mapping[str, Any]] | None = None

    def compose(self) -> ComposeResult:
        yield ParallelPlot()
        yield Drawing(id="parallel-axes")

    def show(self, standing: "Standing", ranges: Mapping[str, Any]) -> None:
        """Show a study, with the trials inside some ranges on top."""
        self._shown = standing, ranges
        axes = [name for name, _, _ in axes_of(standing)]
        ranges = {name: domain for name, domain in ranges.items() if name in axes}
        chosen = selected_trials(standing, ranges) if ranges else None
        bands = {name: band_of(standing, name, domain) for name, domain in ranges.items()}
        self.query_one(ParallelPlot).show_axes(
            parallel_chart(standing, chosen, bands), axes, [step_of(standing, name) for name in axes], bands
        )
        self._name_axes()
        self.border_title = "parallel coordinates"
        where = " and ".join(f"{_short(name)} {_range(domain)}" for name, domain in ranges.items())
        some = f"{counted(len(chosen or ()), 'trial')} with {where}"
        self.border_subtitle = clean(some if ranges else HOW)

    @on(ParallelPlot.AxisChanged)
    def _name_axes(self) -> None:
        if self._shown is not None:
            plot = self.query_one(ParallelPlot)
            current = plot.axis if plot.has_focus else None
            self.query_one(Drawing).show(partial(_axes, axes_of(self._shown[0]), current))

    @on(ParallelPlot.Selected)
    def _select(self, event: ParallelPlot.Selected) -> None:
        event.stop()
        if self._shown is None:
            return
        standing, before = self._shown
        ranges = {name: domain for name, domain in before.items() if name != event.name}
        if event.band != WHOLE:
            ranges[event.name] = range_of(standing, event.name, event.band)
        self.post_message(self.Selected(ranges))


def _range(domain: Mapping[str, Any]) -> str:
    if "choices" in domain:
        return ",".join(map(str, domain["choices"]))
    return f"{domain['low']:.4g}..{domain['high']:.4g}"


def _axes(axes: Sequence[tuple[str, str, str]], current: int | None, width: int) -> Content:
    """Names of the axes below them, as far as there is room, with the values at their ends.

    Args:
        current: index of the axis that the keys change; None while they change none.
    """
    names, ends = "", ""
    apart = (width - LEFT) / max(1, len(axes) - 1)
    for at, (name, low, high) in enumerate(axes):
        last = at == len(axes) - 1
        start = max(0, round(LEFT + at * apart) - 1) if at else 0
        room = max(1, int(apart) - 2)
        sign = "▸" if at == current else ""
        for text, line in ((f"{sign}{at + 1} {_short(name)}", "names"), (f"{low} … {high}", "ends")):
            before = names if line == "names" else ends
            text = fit(text, min(room, cell_len(text)))
            place = width - cell_len(text) if last else start
            before = fit(before, place) + text
            names, ends = (before, ends) if line == "names" else (names, before)
    lines = [Content(clean(fit(names, width))), Content.styled(clean(fit(ends, width)), "$foreground 60%")]
    return Content("\n").join(lines)


def _short(name: str) -> str:
    """Return a path in short; names of costs and metrics as they are."""
    return short_path(name) if "." in name else name
