"""Compare: up to eight runs side by side, including those still training."""

import shlex
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from core.metrics import lower_is_better
from core.runs.comparison.curves import AXES, curve_names, lead, own_directions
from core.runs.comparison.entries import Entry
from core.runs.comparison.settings import not_comparable, other_losses
from core.runs.folder import Run
from tui.charts.comparison import View, axis_text, chart
from tui.charts.live import SMOOTHING
from tui.charts.plot import Plot
from tui.forms.command_line import place
from tui.forms.remedies import error_in_app
from tui.runtime.compared_runs import ComparedRuns
from tui.screens.background import Background
from tui.screens.base import NARROW, ModeScreen
from tui.screens.compare.follower import SPLITS, Follower, first_choice
from tui.screens.compare.picker import PickRuns
from tui.screens.compare.tables import DifferencesPanel, Shown, StandingsPanel
from tui.terminal.run_names import short_name
from tui.terminal.text import clean, number
from tui.terminal.themes import sign_of
from tui.widgets.panel import Panel
from tui.widgets.table import Table

__all__ = ["CompareScreen"]

LOOK_SECONDS = 1.0
ON_A_RUN = frozenset({"remove", "pin", "open", "evaluate"})
WITH_RUNS = frozenset({"metric", "axis", "log_scale", "smooth", "split", "clear", "copy", "panel"})
NOTHING = "No runs are compared.\n\nPress a to choose runs here, or Space on a run in Runs."


class CompareScreen(Background, ModeScreen):
    """One curve of all runs over two tables: final metrics, and the settings that differ."""

    MODE = "compare"
    AUTO_FOCUS = "#standings"
    HELP = (
        "Up to eight runs in one chart, each with its own colour and marker; ★ marks the leader. The table below "
        "shows the final metrics on a split with 95 % intervals; ≈ marks runs that are not clearly worse than the "
        "leader, sample by sample and corrected for the number of runs. Choose between runs by validation; keep "
        "test for the end. A pinned run is the reference: the others are shown as differences from it. Time counts "
        "the seconds of training and validation only. Runs that are still training are followed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", tooltip="Choose the runs to compare"),
        Binding(
            "x,delete", "remove", "remove", key_display="x", tooltip="Remove this run from the comparison"
        ),
        Binding("p", "pin", "pin", tooltip="Show the others relative to this run; again: absolute values"),
        Binding("X", "clear", "Remove all runs except the pinned one", show=False),
        Binding("m", "metric(1)", "metric", tooltip="The next curve"),
        Binding("M", "metric(-1)", "Previous curve", show=False),
        Binding("v", "split", "val/test", tooltip="Final metrics on validation, or on test"),
        Binding("t", "panel", "settings", tooltip="The other table, on small screens"),
        Binding("e", "evaluate", "eval", tooltip="Open the run in Evaluate"),
        Binding("b", "axis", "by", tooltip="X axis: epochs, steps or time"),
        Binding("l", "log_scale", "log", tooltip="Logarithmic loss axis"),
        Binding("plus,equals_sign", "smooth(1)", "smooth", key_display="+/-", tooltip="More smoothing"),
        Binding("minus", "smooth(-1)", "less smoothing", show=False),
        Binding("y", "copy", "Copy the command that compares these runs", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.metric = "validation loss"
        self.split = SPLITS[0]
        self.view = View()
        self.smoothing = 0
        self._follower = Follower()
        self._looking = False
        self._next_look: Timer | None = None
        self._drawn: object = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="compare-line", markup=False)
        with Horizontal(id="compare-charts"):
            for name in ("first", "second"):
                with Panel(id=f"{name}-panel"):
                    yield Plot(id=name)
        with Horizontal(id="compare-lower"):
            yield StandingsPanel(id="standings-panel", classes="-chosen")
            yield DifferencesPanel(id="differences-panel")
        yield Static("looking for runs ...", id="compare-notice", markup=False)

    @property
    def compared(self) -> ComparedRuns:
        """The runs that were chosen."""
        return self.tui.compared

    @property
    def selected(self) -> Entry | None:
        """The run with the cursor."""
        table = self.query_one("#standings", Table) if self.is_mounted else None
        return self.entries[table.cursor] if table and table.cursor < len(self.entries) else None

    # Following

    def refresh_content(self) -> None:
        if self.compared.touched or self.compared.slots:
            self.look()
        else:
            runs_dir = self.tui.runs_dir
            self.in_background("choose", lambda progress: first_choice(runs_dir), self._chosen, self._failed)

    def _chosen(self, runs: list[Run]) -> None:
        for run in runs:
            self.compared.add(run)
        self.look()

    def _failed(self, error: Exception) -> None:
        self._looking = False
        self.query_one("#compare-notice", Static).update(f"✗ {clean(error_in_app(error))}")
        self.set_class(True, "-nothing")

    def look(self) -> None:
        """Refresh the runs, unless a refresh is running or the screen is hidden."""
        if self._next_look is not None:
            self._next_look.stop()
        if self._looking or not self.is_current:
            return
        self._looking = True
        runs = tuple(self.compared.slots)
        self.in_background("look", lambda progress: self._follower.read(runs), self._seen, self._failed)

    def _seen(self, entries: list[Entry]) -> None:
        self._looking = False
        if [entry.run for entry in entries] != list(self.compared.slots):
            self.look()  # the choice has changed meanwhile
            return
        self.entries = entries
        self._draw_if_new()
        self._next_look = self.set_timer(LOOK_SECONDS, self.look)

    # Drawing

    def _draw_if_new(self) -> None:
        shown = (tuple(map(id, self.entries)), self.compared.pinned, tuple(self.compared.slots))
        if shown != self._drawn:
            self._drawn = shown
            self.draw()

    def draw(self) -> None:
        """Redraw everything after new data or a key."""
        self.query_one("#compare-notice", Static).update(NOTHING)
        self.set_class(not self.entries, "-nothing")
        names = curve_names(self.entries)
        if names and self.metric not in names:
            self.metric = names[0]
        slots = [self.compared.slots[entry.run] for entry in self.entries if entry.run in self.compared.slots]
        if len(slots) != len(self.entries):
            return
        runs = [entry.run for entry in self.entries]
        pinned = self.compared.pinned
        shown = Shown(
            self.entries, slots, self.metric, self.split, runs.index(pinned) if pinned in runs else None
        )
        self.query_one(StandingsPanel).show(shown)
        self.query_one(DifferencesPanel).show(shown)
        self._draw_charts(names, slots)
        self._draw_line()
        self.refresh_bindings()

    def _draw_charts(self, names: list[str], slots: list[int]) -> None:
        on_top = self.query_one("#standings", Table).cursor
        place = names.index(self.metric) if names else 0
        for panel, at in (("first", place), ("second", place + 1)):
            name = names[at % len(names)] if names else self.metric
            log = self.view.log_y and lower_is_better(name, own_directions(self.entries))
            view = replace(self.view, log_y=log, smoothing=SMOOTHING[self.smoothing], on_top=on_top)
            self.query_one(f"#{panel}", Plot).show(chart(self.entries, name, view, slots))
            self._title(panel, name, log)

    def _title(self, panel: str, name: str, log: bool) -> None:
        widget = self.query_one(f"#{panel}-panel", Panel)
        weight = SMOOTHING[self.smoothing]
        chosen = f"{'  log' if log else ''}{f'  smooth {weight:g}' if weight else ''}"
        widget.border_title = Content.assemble(
            clean(name), (f"{axis_text(name, self.view.axis)}{chosen}", "$foreground 60%")
        )
        best = lead(self.entries, name)
        if best is None:
            widget.border_subtitle = ""
            return
        entry = self.entries[best.place]
        sign, color = sign_of(self.compared.slots[entry.run])
        unit = "epoch" if entry.steps_per_epoch else "step"
        widget.border_subtitle = Content.assemble(
            "★ ",
            (sign, "rgb({},{},{})".format(*color)),
            f" {clean(short_name(entry.summary, 20))} {number(best.value)} at {unit} {round(best.epoch, 1):g}",
        )

    def _draw_line(self) -> None:
        """The signs and names of all runs, and what keeps their numbers from being compared."""
        parts: list[str | tuple[str, str]] = []
        for entry in self.entries:
            sign, color = sign_of(self.compared.slots[entry.run])
            name = clean(short_name(entry.summary, 20))
            parts += [(sign, "rgb({},{},{})".format(*color)), f" {name}   "]
        note, losses = not_comparable(self.entries, self.split), other_losses(self.entries)
        if note:
            parts[:0] = [("▲ ", "$warning"), f"{clean(note)}: final metrics are not comparable   "]
        elif losses:
            parts[:0] = [("▲ ", "$warning"), f"{clean(losses)}: their values are not comparable   "]
        self.query_one("#compare-line", Static).update(Content.assemble(*parts))

    def on_resize(self) -> None:
        super().on_resize()
        self.refresh_bindings()

    @on(Table.Highlighted, "#standings")
    def _highlighted(self) -> None:
        slots = [self.compared.slots[entry.run] for entry in self.entries if entry.run in self.compared.slots]
        if len(slots) == len(self.entries):
            self._draw_charts(curve_names(self.entries), slots)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for actions that do not apply now."""
        if action == "panel" and self.size.width >= NARROW:
            return False
        return bool(self.entries) if action in ON_A_RUN | WITH_RUNS else True

    def action_add(self) -> None:
        """Choose the runs to compare."""
        self.compared.touched = True
        self.app.push_screen(PickRuns(self.tui.runs_dir, self.compared))

    def action_remove(self) -> None:
        """Remove the run under the cursor from the comparison."""
        if self.selected is not None:
            self.compared.toggle(self.selected.run)
            self._chosen_anew()

    def action_clear(self) -> None:
        """Remove all runs except the pinned one."""
        self.compared.clear()
        self._chosen_anew()

    def _chosen_anew(self) -> None:
        self.entries = [entry for entry in self.entries if entry.run in self.compared.slots]
        self.draw()
        self.look()

    def action_pin(self) -> None:
        """Show the others relative to the run under the cursor."""
        if self.selected is not None:
            self.compared.pin(self.selected.run)
            self.draw()

    def action_metric(self, by: int) -> None:
        """Switch to another curve."""
        names = curve_names(self.entries)
        if names:
            self.metric = names[(names.index(self.metric) + by) % len(names)]
            self.draw()

    def action_axis(self) -> None:
        """X axis: epochs, steps or time."""
        following = AXES[(AXES.index(self.view.axis) + 1) % len(AXES)]
        self.view = replace(self.view, axis=following)
        self.draw()

    def action_log_scale(self) -> None:
        """Switch the loss axis between logarithmic and linear."""
        self.view = replace(self.view, log_y=not self.view.log_y)
        self.draw()

    def action_smooth(self, by: int) -> None:
        """Smooth more or less."""
        self.smoothing = min(max(self.smoothing + by, 0), len(SMOOTHING) - 1)
        self.draw()

    def action_split(self) -> None:
        """Show the final metrics on the other split."""
        self.split = SPLITS[1 - SPLITS.index(self.split)]
        self.draw()

    def action_panel(self) -> None:
        """Switch to the other table."""
        for panel in (StandingsPanel, DifferencesPanel):
            self.query_one(panel).toggle_class("-chosen")

    @on(Table.Chosen, "#standings")
    def action_open(self) -> None:
        """Open the run in Live."""
        if self.selected is not None:
            self.tui.open_run(self.selected.run)

    def action_evaluate(self) -> None:
        """Open the run in Evaluate."""
        if self.selected is not None:
            self.tui.evaluate_run(self.selected.run)

    def action_copy(self) -> None:
        """Copy the equivalent command."""
        names = [
            entry.run.id if entry.run.path.parent == self.tui.runs_dir else str(entry.run.path)
            for entry in self.entries
        ]
        where = place(self.tui.runs_dir)
        command = shlex.join(["tui", "compare", *names, "--split", self.split, *where])
        self.app.copy_to_clipboard(command)
        self.notify(clean(command), title="Copied", markup=False)
