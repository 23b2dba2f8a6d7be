"""Pages of graphs below the trials: slices, parallel coordinates, contours, the front, other studies, and the
runs that confirm."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tui.charts.explore.window import WHOLE
from tui.charts.study_views import contour_chart, front_chart
from tui.headless.confirm import confirmation_rows, winner_lines
from tui.screens.tune.parallel_panel import ParallelPanel
from tui.screens.tune.slices_panel import SlicesPanel
from tui.screens.tune.spread_panel import SpreadPanel, Together
from tui.terminal.text import clean, fit
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from core.tuning.confirm.result import Confirmation
    from tui.runtime.study_follower import Standing

__all__ = ["GRAPHS", "Graphs", "visible"]

GRAPHS: Final = {
    "slices": "slices-panel",
    "parallel": "parallel-panel",
    "contour": "contour-panel",
    "front": "front-panel",
    "spread": "spread-panel",
    "confirm": "confirm-panel",
}
"""Pages and the panels that they show, in their order."""


class ConfirmPanel(Panel):
    """The trials that are trained again with other seeds, and what that shows."""

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Drawing(id="confirmed")

    def show(self, found: "Confirmation") -> None:
        """Show the state of the runs."""
        self.border_title = f"confirm  {found.rows[0].runs} seeds each, {found.done} of {found.total} done"
        self.query_one("#confirmed", Drawing).show(partial(_confirmed, found))


class Graphs(Horizontal):
    """One page at a time; those without content are left out.

    Attributes:
        ranges: by which trials are selected in parallel coordinates.
        together: other studies beside this one; None for none.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.ranges: Mapping[str, Any] = {}
        self.together: Together | None = None
        self._pages: list[str] = ["slices"]
        self._page = "slices"
        self._first = 0
        self._shown: tuple[Standing, bool] | None = None

    def compose(self) -> ComposeResult:
        yield SlicesPanel(id="slices-panel")
        yield ParallelPanel(id="parallel-panel")
        yield ChartPanel(id="contour-panel", explores=True, focusable=True)
        yield ChartPanel(id="front-panel", explores=True, focusable=True)
        yield SpreadPanel(id="spread-panel")
        yield ConfirmPanel(id="confirm-panel")

    def on_mount(self) -> None:
        self._show_page()

    @property
    def pages(self) -> list[str]:
        """Pages with content."""
        return self._pages

    def show(self, standing: "Standing", log_y: bool) -> None:
        """Show a study; a page that appears is turned to."""
        self._shown = (standing, log_y)
        front = {"front": bool(standing.plan.second), "confirm": standing.confirmation is not None}
        front["spread"] = self.together is not None
        front["contour"] = len(standing.plan.space.domains) > 1
        pages = [name for name in GRAPHS if front.get(name, True)]
        new = [name for name in pages if name not in self._pages and name in ("front", "confirm")]
        self._pages = pages
        self._page = new[-1] if new else self._page if self._page in pages else pages[0]
        self._show_page()

    def turn(self, by: int) -> None:
        """Show the next or previous page."""
        self._page = self._pages[(self._pages.index(self._page) + by) % len(self._pages)]
        self._show_page()

    def turn_parameters(self, by: int) -> None:
        """Show other parameters in slices and contours."""
        self._first += by
        self.query_one(SlicesPanel).turn(by)
        self.query_one("#contour-panel", ChartPanel).plot.explore(WHOLE)
        self._show_page()

    def select(self, ranges: Mapping[str, Any]) -> None:
        """Select trials by ranges, and show them in parallel coordinates."""
        self.ranges, self._page = ranges, "parallel"
        self._show_page()

    def compare(self, together: Together | None) -> None:
        """Show other studies beside this one; None for none."""
        self.together = together
        if self._shown is not None:
            self.show(*self._shown)
            if together is not None:
                self._page = "spread"
                self._show_page()

    @on(ParallelPanel.Selected)
    def _selected(self, event: ParallelPanel.Selected) -> None:
        event.stop()
        self.select(event.ranges)

    def draw(self, page: str) -> None:
        """Draw the content of a page."""
        if self._shown is None:
            return
        standing, log_y = self._shown
        if page == "slices":
            self.query_one(SlicesPanel).show(standing, log_y)
        elif page == "parallel":
            self.query_one(ParallelPanel).show(standing, self.ranges)
        elif page == "contour" and page in self._pages:
            shares = standing.importance.all.shares
            paths = list(shares) or list(standing.plan.space.domains)
            paths += [path for path in standing.plan.space.domains if path not in paths]
            across = paths[self._first % len(paths)]
            up = paths[(self._first + 1) % len(paths)]
            chart = contour_chart(standing, across, up)
            more = ", . other parameters" if len(paths) > 2 else ""
            self.query_one("#contour-panel", ChartPanel).show(standing.plan.metric, chart, subtitle=more)
        elif page == "front" and page in self._pages:
            numbers = set(standing.front)
            title = f"{standing.plan.metric} over {standing.plan.second}"
            chart, length = front_chart(standing, numbers), f"front {len(numbers)}"
            self.query_one("#front-panel", ChartPanel).show(title, chart, subtitle=length)
        elif page == "spread" and self.together is not None:
            self.query_one(SpreadPanel).show(standing, self.together)
        elif page == "confirm" and standing.confirmation is not None:
            self.query_one(ConfirmPanel).show(standing.confirmation)

    def _show_page(self) -> None:
        for name, panel in GRAPHS.items():
            self.query_one(f"#{panel}").set_class(name == self._page, "-page")
        self.draw(self._page)


def visible(standing: "Standing", hide: bool) -> "Standing":
    """Return a study without its pruned and failed trials, where these are to be hidden."""
    if not hide:
        return standing
    kept = [one for one in standing.records if one.state not in ("pruned", "diverged", "failed")]
    return replace(standing, records=tuple(kept))


def _confirmed(found: "Confirmation", width: int) -> Content:
    rows = confirmation_rows(found)
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for at, row in enumerate(rows):
        text = fit(
            "  ".join(fit(cell, size, align=">") for cell, size in zip(row, widths, strict=True)), width
        )
        lines.append(Content.styled(text, "$foreground 60%" if not at else ""))
    lines += [Content(""), *(Content(clean(line)) for line in winner_lines(found))]
    return Content("\n").join(lines)
