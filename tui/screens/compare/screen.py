"""Compare: up to eight runs or groups of seeds side by side, including those still training."""

import shlex
from dataclasses import replace
from itertools import count
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static

from core.runs.comparison.curves import curve_names, first_compared
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup, grouped
from core.runs.folder import Run
from core.runs.opening import is_test_open, record_test_opening
from tui.charts.explore.plot import ZOOM_KEYS
from tui.charts.live import SMOOTHING
from tui.forms.command_line import place
from tui.forms.remedies import error_in_app
from tui.runtime.compared_runs import ComparedRuns
from tui.screens.background import Background
from tui.screens.base import NARROW
from tui.screens.chart_dialog import CHART_KEYS
from tui.screens.compare.charts import ChartPair, heading
from tui.screens.compare.confusions import ConfusionsDialog, why_not
from tui.screens.compare.follower import SPLITS, Follower, first_choice
from tui.screens.compare.picker import PickRuns
from tui.screens.compare.table_pair import TablePair
from tui.screens.compare.tables import Line, Shown
from tui.screens.compare.view_actions import ViewActions
from tui.screens.first_look import open_test
from tui.terminal.run_names import short_name
from tui.terminal.text import clean
from tui.widgets.table import Table

__all__ = ["CompareScreen"]

LOOK_SECONDS = 1.0
ON_A_RUN = frozenset({"confusions", "remove", "pin", "open", "evaluate", "seeds"})
WITH_RUNS = frozenset(
    {
        "metric",
        "axis",
        "log_scale",
        "log_x",
        "explore",
        "save_chart",
        "copy_readout",
        "smooth",
        "split",
        "clear",
        "copy",
        "panel",
    }
)
NOTHING = "No runs are compared.\n\nPress a to choose runs here, or Space on a run in Runs."

HELP = (
    "Up to eight runs in one chart, each with its own colour and marker; ★ marks the leader. The table below shows "
    "the final metrics on a split with 95 % intervals; ≈ marks runs that are not clearly worse than the leader, "
    "sample by sample and corrected for the number of runs; where it says not tested, ★ is only the best value. Runs "
    "that differ in their seed alone are a group: its mean in the chart, between lines one standard deviation away; g "
    "shows its runs; 2/3 beside a mean says that two of three define the metric. The wheel zooms a chart, dragging "
    "pans it, and the values of all runs are read at the pointer; Tab or a click gives a chart the "
    "arrow keys. Choose between runs by validation; keep test for the end. A pinned run is "
    "the reference: the others are shown as differences from it. Time counts the seconds of training and "
    "validation only. Runs that are still training are followed."
)


class CompareScreen(Background, ViewActions):
    """One curve of all runs over two tables: final metrics, and the settings that differ."""

    MODE = "compare"
    AUTO_FOCUS = "#standings"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", tooltip="Choose the runs to compare"),
        Binding(
            "x,delete", "remove", "remove", key_display="x", tooltip="Remove this run from the comparison"
        ),
        Binding("g", "seeds", "seeds", tooltip="Show the runs of this group, or their mean"),
        Binding("p", "pin", "pin", tooltip="Show the others relative to this run; again: absolute values"),
        Binding("X", "clear", "Remove all runs except the pinned one", show=False),
        Binding("m", "metric(1)", "metric", tooltip="The next curve"),
        Binding("M", "metric(-1)", "Previous curve", show=False),
        Binding("v", "split", "val/test", tooltip="Final metrics on validation, or on test"),
        Binding("t", "panel", "settings", tooltip="The other table, on small screens"),
        Binding("c", "confusions", "confusion", tooltip="Confusion matrices of this run and the pinned one"),
        Binding("e", "evaluate", "eval", tooltip="Open the run in Evaluate"),
        Binding("b", "axis", "by", tooltip="X axis: epochs, steps or time"),
        Binding("l", "log_scale", "log", tooltip="Logarithmic loss axis"),
        Binding(
            "greater_than_sign", "smooth(1)", "smooth", key_display="<>", show=False, tooltip="More smoothing"
        ),
        Binding("less_than_sign", "smooth(-1)", "less smoothing", show=False),
        Binding("L", "log_x", "log x", show=False, tooltip="Logarithmic x axis"),
        *ZOOM_KEYS,
        *CHART_KEYS,
        Binding("y", "copy", "Copy the command that compares these runs", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[RunGroup] = []
        self.expanded: set[Run] = set()
        """First runs of the groups whose runs are shown."""
        self.split = SPLITS[0]
        self._follower = Follower()
        self._test_shown: set[Run] = set()
        self._looking = False
        self._next_look: Timer | None = None
        self._drawn: object = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="compare-line", markup=False)
        yield ChartPair(id="compare-charts")
        yield TablePair(id="compare-lower")
        yield Static("looking for runs ...", id="compare-notice", markup=False)

    @property
    def compared(self) -> ComparedRuns:
        """The runs that were chosen."""
        return self.tui.compared

    @property
    def selected(self) -> Entry | None:
        """The run with the cursor; of a group the first."""
        line = self._line
        return self.groups[line.place].entries[line.member or 0] if line else None

    @property
    def _line(self) -> Line | None:
        table = self.query_one("#standings", Table) if self.is_mounted else None
        lines = self._content().lines
        return lines[table.cursor] if table and table.cursor < len(lines) else None

    def _content(self) -> Shown:
        pinned = self.compared.pinned
        held = [any(entry.run == pinned for entry in group.entries) for group in self.groups]
        return Shown(
            self.groups,
            self._slots(),
            self.metric,
            self.split,
            held.index(True) if True in held else None,
            {place for place, group in enumerate(self.groups) if self._is_expanded(group)},
        )

    def _is_expanded(self, group: RunGroup) -> bool:
        return group.is_repeated and group.first.run in self.expanded

    def _slots(self) -> list[int]:
        """The sign and colour of each group: its slot, or a free one where a repeated seed shares it."""
        taken: list[int] = []
        for group in self.groups:
            slot = self.compared.slots.get(group.first.run, 0)
            free = next(place for place in count() if place not in {*self.compared.slots.values(), *taken})
            taken.append(free if slot in taken else slot)
        return taken

    # Following

    def refresh_content(self) -> None:
        if self.compared.touched or self.compared.slots:
            self.look()
        else:
            runs_dir = self.tui.runs_dir
            self.in_background("choose", lambda progress: first_choice(runs_dir), self._chosen, self._failed)

    def _chosen(self, runs: dict[Run, str]) -> None:
        for run, key in runs.items():
            self.compared.add(run, key)
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
        self._take(entries)
        self._leave_unopened_test()
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
        if self.metric not in names:
            self.metric = first_compared(self.entries)
        shown = self._content()
        self.query_one(TablePair).show(shown)
        self._draw_charts(names)
        self.query_one("#compare-line", Static).update(heading(shown))
        self.refresh_bindings()

    def _take(self, entries: list[Entry]) -> None:
        self.entries, self.groups = entries, grouped(entries)

    def _draw_charts(self, names: list[str]) -> None:
        line, weight = self._line, SMOOTHING[self.smoothing]
        view = replace(self.view, smoothing=weight, on_top=line.place if line else -1)
        self.query_one(ChartPair).show(self._content(), names, view)

    def on_resize(self) -> None:
        self.query_one(TablePair).share_room()
        self.refresh_bindings()

    @on(Table.Highlighted, "#standings")
    def _highlighted(self) -> None:
        self._draw_charts(curve_names(self.entries))
        self.refresh_bindings()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for actions that do not apply now."""
        if action == "panel" and self.size.width >= NARROW:
            return False
        if action == "seeds":
            line = self._line
            return line is not None and self.groups[line.place].is_repeated
        return bool(self.entries) if action in ON_A_RUN | WITH_RUNS else True

    def action_add(self) -> None:
        """Choose the runs to compare."""
        self.compared.touched = True
        self.app.push_screen(PickRuns(self.tui.runs_dir, self.compared))

    def action_remove(self) -> None:
        """Remove the run or group under the cursor from the comparison."""
        line = self._line
        if line is None:
            return
        members = self.groups[line.place].entries
        for entry in members if line.member is None else [members[line.member]]:
            self.compared.toggle(entry.run)
        self._chosen_anew()

    def action_seeds(self) -> None:
        """Show the runs of the group under the cursor, or their mean again."""
        line = self._line
        if line is None or not self.groups[line.place].is_repeated:
            return
        self.expanded ^= {self.groups[line.place].first.run}
        self.query_one("#standings", Table).cursor = self._content().lines.index(Line(line.place))
        self.draw()

    def action_clear(self) -> None:
        """Remove all runs except the pinned one."""
        self.compared.clear()
        self._chosen_anew()

    def _chosen_anew(self) -> None:
        self._take([entry for entry in self.entries if entry.run in self.compared.slots])
        self.draw()
        self.look()

    def action_pin(self) -> None:
        """Show the others relative to the run under the cursor."""
        if self.selected is not None:
            self.compared.pin(self.selected.run)
            self.draw()

    def action_split(self) -> None:
        """Show the final metrics on the other split; confirm before the first look at test."""
        if self.split == "test":
            self._show_split("validation")
        else:
            tested = [entry.run for entry in self.entries if "test" in entry.reports]
            open_test(self.app, tested, lambda: self._show_split("test"))

    def _show_split(self, split: str) -> None:
        self.split = split
        if split == "test":
            for entry in self.entries:
                if "test" in entry.reports:
                    self._test_shown.add(entry.run)
                    record_test_opening(entry.run, entry.reports["test"].metrics)
        self.draw()

    def _leave_unopened_test(self) -> None:
        """Show validation again where a run has come whose test split nobody has opened."""
        if self.split != "test":
            return
        tested = [
            entry for entry in self.entries if "test" in entry.reports and entry.run not in self._test_shown
        ]
        new = [entry for entry in tested if not is_test_open(entry.run)]
        if new:
            self.split = "validation"
            name = short_name(new[0].summary)
            self.notify(f"Nobody has opened the test split of {clean(name)}: v asks.", markup=False)

    def action_panel(self) -> None:
        """Switch to the other table."""
        self.query_one(TablePair).toggle()

    @on(Table.Chosen, "#standings")
    def action_open(self) -> None:
        """Open the run in Live."""
        if self.selected is not None:
            self.tui.open_run(self.selected.run)

    def action_confusions(self) -> None:
        """Show the confusion matrix of the run under the cursor beside that of the pinned run, or of the first."""
        others = [entry for entry in self.entries if self.selected and entry.run != self.selected.run]
        if self.selected is None or not others:
            self.notify("Choose a second run with a to compare confusion matrices.", severity="warning")
            return
        pair = (
            next((entry for entry in others if entry.run == self.compared.pinned), others[0]),
            self.selected,
        )
        first, second = (entry.reports.get(self.split) for entry in pair)
        problem = why_not(first, second)
        if problem or first is None or second is None:
            self.notify(problem, severity="warning")
            return
        names = (short_name(pair[0].summary), short_name(pair[1].summary))
        self.app.push_screen(ConfusionsDialog(names, (first, second)))

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
