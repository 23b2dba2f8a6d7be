"""The two charts of Compare, and the line above them: every run with its sign, and what does not compare."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from core.metrics import curve_label, lower_is_better
from core.runs.comparison.curves import leads, own_directions
from core.runs.comparison.settings import not_comparable, other_losses, other_thresholds
from tui.charts.comparison import View, axis_text, chart, group_name
from tui.charts.explore.plot import ExploringPlot, together
from tui.charts.explore.window import WHOLE, Window
from tui.screens.compare.tables import Shown
from tui.terminal.text import clean, number
from tui.terminal.themes import sign_of
from tui.widgets.panel import Panel

__all__ = ["ChartPair", "heading"]


class ChartPair(Horizontal):
    """The chosen curve of all runs, and beside it the next one."""

    def compose(self) -> ComposeResult:
        for name in ("first", "second"):
            with Panel(id=f"{name}-panel"):
                yield ExploringPlot(id=name, focusable=True)

    @property
    def plots(self) -> list[ExploringPlot]:
        """Both charts."""
        return list(self.query(ExploringPlot))

    @property
    def current(self) -> ExploringPlot:
        """The chart with the focus, or the first one."""
        return next((plot for plot in self.plots if plot.has_focus), self.plots[0])

    def explore(self, window: Window) -> None:
        """Show another part of both charts."""
        for plot in self.plots:
            plot.explore(together(window, plot.window if window != WHOLE else WHOLE))

    @on(ExploringPlot.Explored)
    def _explored(self, event: ExploringPlot.Explored) -> None:
        self.explore(event.plot.window)

    def action_explore(self, what: str) -> None:
        """Zoom or pan by a key of the screen."""
        self.current.action_explore(what)

    def show(self, shown: Shown, names: list[str], view: View) -> None:
        """Draw both charts.

        Args:
            names: all curves. view: its logarithmic axis is for losses and the like alone.
        """
        place = names.index(shown.curve) if names else 0
        for panel, at in (("first", place), ("second", place + 1)):
            name = names[at % len(names)] if names else shown.curve
            log = view.log_y and lower_is_better(name, own_directions(shown.entries))
            drawn = chart(shown.groups, name, replace(view, log_y=log), shown.slots, shown.expanded)
            self.query_one(f"#{panel}", ExploringPlot).show(drawn)
            self._title(panel, name, replace(view, log_y=log), shown)

    def _title(self, panel: str, name: str, view: View, shown: Shown) -> None:
        widget = self.query_one(f"#{panel}-panel", Panel)
        smoothing = f"  smooth {view.smoothing:g}" if view.smoothing else ""
        logs = f"{'  log' if view.log_y else ''}{'  log x' if view.log_x else ''}"
        chosen = f"{axis_text(name, view.axis)}{logs}{smoothing}"
        widget.border_title = Content.assemble(clean(curve_label(name)), (chosen, "$foreground 60%"))
        best = leads(shown.groups, name)
        if not best:
            widget.border_subtitle = ""
            return
        group = shown.groups[best[0].place]
        unit = "epoch" if group.first.steps_per_epoch else "step"
        signs = [shown.signed(each.place) for each in best]
        title = clean(group_name(group, 20)) if len(best) == 1 else "are equal:"
        widget.border_subtitle = Content.assemble(
            "★ ",
            *((sign, "rgb({},{},{})".format(*color)) for sign, color in signs),
            f" {title} {number(best[0].value)} at {unit} {round(best[0].epoch, 1):g}",
        )


def heading(shown: Shown) -> Content:
    """Return the signs and names of all runs, and what keeps their numbers from being compared."""
    parts: list[str | tuple[str, str]] = []
    for group, slot in zip(shown.groups, shown.slots, strict=True):
        sign, color = sign_of(slot)
        parts += [(sign, "rgb({},{},{})".format(*color)), f" {clean(group_name(group, 20))}   "]
    note, losses = not_comparable(shown.entries, shown.split), other_losses(shown.entries)
    if note:
        parts[:0] = [("▲ ", "$warning"), f"{clean(note)}: final metrics are not comparable   "]
    elif losses:
        parts[:0] = [("▲ ", "$warning"), f"{clean(losses)}: their values are not comparable   "]
    elif thresholds := other_thresholds(shown.entries, shown.split):
        parts[:0] = [("▲ ", "$warning"), f"{clean(thresholds)}   "]
    return Content.assemble(*parts)
