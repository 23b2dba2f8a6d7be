"""Runs: every run under the run folder, how it stands, and what one can do with it."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from core.errors import InputError, RunError
from core.palette import MAX_RUNS
from core.runs.catalogue import Catalogue, Changes
from core.runs.comparison.ranking import differing_losses
from core.runs.query.language import example, parse
from core.runs.summary import RunSummary
from tui.forms.remedies import error_in_app
from tui.runtime.compared_runs import ComparedRuns, marks
from tui.screens.console_panel import ConsolePanel
from tui.screens.jobs.actions import USE
from tui.screens.runs.run_actions import RUN_ACTIONS, RunActions, possible_actions
from tui.screens.runs.run_preview import RunPreview
from tui.terminal.text import clean, count
from tui.terminal.themes import STATES
from tui.widgets.panel import Panel
from tui.widgets.run_list import RunList
from tui.widgets.runs_table import RunsTable

__all__ = ["RunsScreen"]

LOOK_SECONDS = 2.0
"""Shortest pause between two looks."""
PAINT_SECONDS = 0.5
"""Longest time that reading waits for the screen."""
SHARE = 0.03
"""Part of the time that looking after runs may take."""
BEGIN = """No runs in {} yet.

Press 2 to choose data and a model and to start one.
Without the app: tui train --no-ui"""
HINT = "status:running  accuracy>0.9  cfg.optimizer.lr>0.1"


class RunsScreen(RunActions):
    """Table, filter and preview."""

    MODE = "runs"
    AUTO_FOCUS = "RunsTable"
    HELP = (
        "All runs, newest first, refreshed every few seconds. Best values are validation metrics at the best epoch. "
        "The filter takes words, found in the id, dataset, model or status; status:running, data:mnist, model:mlp, "
        "optimizer:adam; comparisons such as epochs>=10, accuracy>0.9, test.f1_macro>0.9; and settings such as "
        "cfg.optimizer.lr>=1e-2 or cfg.model.hidden=[256,128]. All terms must match; quotes keep words together. "
        "Click the name of a column to sort by it, again to reverse the order; double-click a run to open it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            tooltip="Edit the filter; Escape leaves it, a second Escape clears it",
        ),
        Binding("escape", "leave_field", "leave", tooltip="Leave the filter; a second time clears it"),
        Binding("e", "evaluate", "eval", tooltip="Open the run in Evaluate"),
        Binding("r", "resume", "resume", tooltip="Resume the run in this app"),
        Binding("p", "preview", "preview", tooltip="Show or hide the preview"),
        Binding("t", "console", "console", tooltip="Show or hide what the run's own code printed"),
        Binding("s", "stop", "stop", tooltip="Ask the run to save and stop; asks first"),
        Binding("x,delete", "delete", "delete", key_display="x", tooltip="Delete the run; asks first"),
        Binding("c", "configure", "reuse", tooltip="Edit a copy of its configuration in the form"),
        USE,
        Binding("o", "sort", "sort", tooltip="Sort by the next column"),
        Binding("O", "turn_order", "Reverse the order", show=False),
        Binding("y", "copy", "Copy the run's id", show=False),
        Binding("Y", "copy_path", "Copy the run's path", show=False),
    ]

    class Found(Message):
        """Some runs are new, changed or gone."""

        def __init__(self, changes: Changes) -> None:
            super().__init__()
            self.changes = changes

    class Looked(Message):
        """A look at all runs is over."""

        def __init__(self, seconds: float, problem: Exception | None) -> None:
            super().__init__()
            self.seconds, self.problem = seconds, problem

    def __init__(self) -> None:
        super().__init__()
        self.runs = RunList()
        self._looking = False
        self._seen = threading.Event()
        self._next_look: Timer | None = None
        self._possible: frozenset[str] = frozenset()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="filter-line"):
            yield Static("/", id="filter-sign")
            yield Input(placeholder="filter", compact=True, id="filter")
            yield Static(HINT, id="filter-message", markup=False)
        with Horizontal(id="runs-body"):
            with Panel(id="runs-panel"):
                yield RunsTable(id="runs-table")
                yield Static("", id="runs-notice", markup=False)
            yield RunPreview(id="preview")
        yield ConsolePanel(id="console-panel")

    def on_mount(self) -> None:
        self._catalogue = Catalogue(self.runs_dir)
        self.table.focus()

    @property
    def runs_dir(self) -> Path:
        """Folder of the runs."""
        return self.tui.runs_dir

    @property
    def compared(self) -> ComparedRuns:
        """The runs that 6 Compare shows."""
        return self.tui.compared

    @property
    def table(self) -> RunsTable:
        """The table of runs."""
        return self.query_one(RunsTable)

    @property
    def selected(self) -> RunSummary | None:
        return self.table.selected

    # Looking after the runs

    def refresh_content(self) -> None:
        self.look()

    def queue_changed(self) -> None:
        self._show_rows()

    def look(self) -> None:
        """Refresh all runs in a thread, unless a refresh is running or the screen is hidden."""
        if self._next_look is not None:
            self._next_look.stop()
        if self._looking or not self.is_current:
            return
        self._looking = True
        self.run_worker(self._find_changes, thread=True, group="look")

    def _find_changes(self) -> None:
        """Report new and changed runs batch by batch; runs in a thread."""
        worker, began = get_current_worker(), time.thread_time()
        problem: Exception | None = None
        try:
            for changes in self._catalogue.changes():
                if worker.is_cancelled:
                    return
                self._seen.clear()
                self.post_message(self.Found(changes))
                # Reading on at once would keep the interpreter from painting what was found.
                self._seen.wait(PAINT_SECONDS)
        except (RunError, OSError) as error:
            problem = error
        self.post_message(self.Looked(time.thread_time() - began, problem))

    @on(Found)
    def _take_in(self, event: Found) -> None:
        self._apply(event.changes)
        self.call_after_refresh(self._seen.set)

    def _apply(self, changes: Changes) -> None:
        """Show what is new; what is gone is not compared any more."""
        for name in changes:
            if changes[name] is None and name in self.runs.all:
                self.compared.remove(self.runs.all[name].run)
        self.runs.apply(changes)
        self._show_rows()

    @on(RunsTable.Marked)
    def _mark(self, event: RunsTable.Marked) -> None:
        if not self.compared.touched:
            self.compared.clear()  # nobody chose these, and none has a mark here
        from core.runs.comparison.groups import key_of  # loads NumPy, which the first paint does not wait for

        if not self.compared.toggle(event.summary.run, key_of(event.summary.config)):
            self.notify(f"Compare shows at most {MAX_RUNS} runs.", severity="warning")
        self._show_rows()

    @on(Looked)
    def _rest(self, event: Looked) -> None:
        self._looking = False
        self._show_rows()
        self._show_notice(event.problem)
        self._next_look = self.set_timer(max(LOOK_SECONDS, event.seconds / SHARE), self.look)

    def forget(self, summary: RunSummary) -> None:
        self._apply({summary.run.id: None})

    def _show_notice(self, problem: Exception | None) -> None:
        """Show, in place of an empty table, how to start, or why there is nothing."""
        text = f"✗ {clean(str(problem))}" if problem else BEGIN.format(clean(str(self.runs_dir)))
        nothing = problem is not None or not self.runs.all
        self.query_one("#runs-notice", Static).update(text)
        self.set_class(nothing, "-nothing")
        if not nothing and self.focused is None:
            self.call_after_refresh(self.table.focus)

    def _show_rows(self) -> None:
        runs, rows = self.runs, self.runs.rows()
        self.table.empty = "" if self._looking else "no run matches; Escape clears the filter"
        self.table.show(rows, runs.column, runs.falling, runs.name_width)
        panel = self.query_one("#runs-panel", Panel)
        known = f"{count(len(runs.all))}{' …' if self._looking else ''}"
        panel.border_title = (
            f"runs  {known}" if not runs.query.terms else f"runs  {count(len(rows))} of {known}"
        )
        compared = self.compared
        self.table.mark(marks(compared) if compared.touched else {})
        marked = f"{len(compared.slots)} marked, 6 compares  " if compared.touched and compared.slots else ""
        waiting = len(self.tui.waiting)
        queued = f"{waiting} queued, Q shows  " if waiting else ""
        panel.border_subtitle = _unranked(runs.column, rows) + marked + queued + _standing(rows)

    # Filter and order

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        """Show the matching runs; keep the last matches while the text is invalid or a name is incomplete."""
        try:
            query = parse(event.value)
        except InputError as error:
            self._tell_of_filter(error_in_app(error), is_error=True)
            return
        unfinished = example(event.value)
        if unfinished and not self.runs.any_match(query):
            self._tell_of_filter(f"Add a comparison, such as {unfinished}")
            return
        self._tell_of_filter(HINT if not query.terms else "")
        self.runs.filter(query)
        self._show_rows()

    def _tell_of_filter(self, text: str, is_error: bool = False) -> None:
        message = self.query_one("#filter-message", Static)
        message.update(Content.assemble(("✗ ", "$error"), (clean(text), "$foreground")) if is_error else text)
        message.tooltip = Content(clean(text)) if is_error else None

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.table.focus()

    def action_filter(self) -> None:
        """Write in the filter."""
        self.query_one("#filter", Input).focus()

    def action_leave_field(self) -> None:
        """Out of the filter; once out, clear it."""
        field = self.query_one("#filter", Input)
        if not field.has_focus:
            field.value = ""
            self.refresh_bindings()
        self.table.focus()

    def action_sort(self) -> None:
        """Sort by the next of the columns in sight."""
        columns = self.table.columns or [self.runs.column]
        place = columns.index(self.runs.column) if self.runs.column in columns else -1
        self._sort(columns[(place + 1) % len(columns)])

    def action_turn_order(self) -> None:
        """The same column the other way round."""
        self._sort(self.runs.column, not self.runs.falling)

    @on(RunsTable.HeadClicked)
    def _head_clicked(self, event: RunsTable.HeadClicked) -> None:
        self._sort(event.column, not self.runs.falling if event.column == self.runs.column else None)

    def _sort(self, column: str, falling: bool | None = None) -> None:
        self.runs.sort(column, falling)
        self._show_rows()
        self.table.action_jump(0)

    # The run with the cursor

    @on(RunsTable.Highlighted)
    def _highlighted(self, event: RunsTable.Highlighted) -> None:
        self.query_one(RunPreview).show(event.summary)
        self._show_console()
        possible = possible_actions(event.summary)
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for actions that the run under the cursor does not allow."""
        if action == "leave_field":
            field = self.query_one("#filter", Input)
            return field.has_focus or bool(field.value)
        return action not in RUN_ACTIONS or action in self._possible

    def action_preview(self) -> None:
        """Show the preview, or hide it."""
        self.toggle_class("-toggled")

    def action_console(self) -> None:
        """Show what the code of the run under the cursor printed, or hide it."""
        self.toggle_class("-console")
        self._show_console()
        self.set_focus(self.query_one(ConsolePanel).view if self.has_class("-console") else self.table)

    def _show_console(self) -> None:
        if self.has_class("-console"):
            self.query_one(ConsolePanel).follow(self.selected.run if self.selected else None)


def _unranked(column: str, rows: list[RunSummary]) -> str:
    """Return why an order by loss is no ranking, where the runs minimise different losses."""
    told = differing_losses([summary.config for summary in rows]) if column == "loss" else ""
    return f"▲ {clean(told)}: no ranking  " if told else ""


def _standing(rows: list[RunSummary]) -> str:
    """Return the number of runs that are active or failed, by status: ``● 2 running  ✗ 1 failed``."""
    counts = Counter[str](summary.status for summary in rows)
    shown = ("preparing", "running", "paused", "interrupted", "failed", "diverged", "damaged")
    return "  ".join(f"{STATES[state][0]} {count(counts[state])} {state}" for state in shown if counts[state])
