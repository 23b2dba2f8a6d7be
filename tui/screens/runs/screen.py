"""Runs: every run and study under the run folder, how it stands, and what one can do with it."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from core.errors import RunError
from core.palette import MAX_RUNS
from core.runs.catalogue import Changes
from core.runs.comparison.ranking import differing_losses
from core.runs.folder import Run
from core.runs.summary import RunSummary
from core.tuning.listed import StudySummary
from tui.runtime.compared_runs import ComparedRuns, marks
from tui.screens.console_panel import ConsolePanel
from tui.screens.jobs.actions import USE
from tui.screens.media.panel import MediaPanel
from tui.screens.runs.filter_line import FilterLine
from tui.screens.runs.list_actions import ListActions
from tui.screens.runs.lookout import Found, Looked, Lookout, StudiesFound
from tui.screens.runs.run_actions import ON_MARKS, RUN_ACTIONS, possible_actions
from tui.screens.runs.run_preview import RunPreview
from tui.terminal.text import clean, count
from tui.terminal.themes import STATES
from tui.widgets.panel import Panel
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


class RunsScreen(ListActions):
    """Table, filter and preview."""

    MODE = "runs"
    AUTO_FOCUS = "RunsTable"
    HELP = (
        "All runs and studies, newest first, refreshed every few seconds. Best values are validation metrics at the "
        "best epoch. Enter on a study shows its trials below it. Space marks a run and steps down, so that several in "
        "a row are marked by Space alone; * marks all that are shown. Delete, stop and tags apply to all marked runs. "
        "The filter takes words, found in the id, name, tags, dataset, model or status; status:running, data:mnist, "
        "name:wide, tag:paper, study:k3f; comparisons such as lr>=0.01, seed=3, age<1d, accuracy>0.9, "
        "test.f1_macro>0.9; and settings such as cfg.model.hidden=[256,128]. All terms must match, unless there is "
        "`or` between them; `not` turns one round, and parentheses group. Quotes keep words together; Up brings back "
        "earlier filters. Click the name of a column to sort by it, again to reverse the order; double-click a run to "
        "open it."
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
        Binding("c", "configure", "reuse", tooltip="Edit a copy of its configuration in the form"),
        Binding("s", "stop", "stop", tooltip="Ask the run to save and stop; asks first"),
        Binding("x,delete", "delete", "delete", key_display="x", tooltip="Move to the trash; asks first"),
        Binding("u", "undo", "Undo the last delete", show=False),
        Binding("n", "label", "name", tooltip="Name, tags and note"),
        USE,
        Binding("o", "sort", "sort", tooltip="Sort by the next column"),
        Binding("p", "preview", "preview", tooltip="Show or hide the preview"),
        Binding("v", "columns", "columns", tooltip="Choose the columns"),
        Binding("t", "console", "console", tooltip="Show or hide what the run's own code printed"),
        Binding("i", "media", "media", tooltip="Show or hide its images, texts and histograms"),
        Binding("asterisk", "mark_all", "Mark all that are shown, or none", show=False, key_display="*"),
        Binding("O", "turn_order", "Reverse the order", show=False),
        Binding("y", "copy", "Copy the run's id", show=False),
        Binding("Y", "copy_path", "Copy the run's path", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._looking = False
        self._seen = threading.Event()
        self._next_look: Timer | None = None
        self._possible: frozenset[str] = frozenset()
        self._notice = self._agents = ""
        self._told: set[str] = set()

    def compose_body(self) -> ComposeResult:
        yield FilterLine(self.tui.settings.filters, self.runs.any_match)
        with Horizontal(id="runs-body"):
            with Panel(id="runs-panel"):
                yield RunsTable(id="runs-table")
                yield Static("", id="runs-notice", markup=False)
            yield RunPreview(id="preview")
        yield ConsolePanel(id="console-panel")
        yield MediaPanel(id="media-panel")

    def on_mount(self) -> None:
        self._lookout = Lookout(self.runs_dir, PAINT_SECONDS)
        self.runs.choose(self.tui.settings.columns)
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
    def selected(self) -> RunSummary | None:
        return self.table.selected

    @property
    def chosen(self) -> list[RunSummary]:
        marked = set(self.marked_runs)
        known = [*self.runs.all.values(), *self.runs.studies.values()]
        known += [trial for trials in self.runs.trials.values() for trial in trials.values()]
        found = [summary for summary in known if summary.run in marked]
        return found or ([self.selected] if self.selected is not None else [])

    @property
    def marked_runs(self) -> list[Run]:
        """The runs that are marked."""
        return self.compared.marked

    # Looking after the runs

    def refresh_content(self) -> None:
        self.look()

    def queue_changed(self) -> None:
        self.show_rows()

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
            for found in self._lookout.look(lambda: self.runs.wanted, lambda: worker.is_cancelled):
                if worker.is_cancelled:
                    return
                self._seen.clear()
                self.post_message(found)
                # Reading on at once would keep the interpreter from painting what was found.
                self._seen.wait(PAINT_SECONDS)
        except (RunError, OSError) as error:
            problem = error
        self._agents = _agents_note(self.runs_dir)
        self.post_message(Looked(time.thread_time() - began, problem))

    @on(Found)
    def _take_in(self, event: Found) -> None:
        if event.study:
            self.runs.apply_trials(event.study, event.changes)
            self.show_rows()
        else:
            self._apply(event.changes)
        self.call_after_refresh(self._seen.set)

    @on(StudiesFound)
    def _take_in_studies(self, event: StudiesFound) -> None:
        self.runs.apply_studies(event.changes)
        self.show_rows()
        self.call_after_refresh(self._seen.set)

    @on(RunsTable.Opened)
    def _open(self, event: RunsTable.Opened) -> None:
        """Open a run in Live; show the trials of a study, or hide them."""
        if isinstance(event.summary, StudySummary):
            self.runs.toggle(event.summary.run.id)
            self.show_rows()
            self.look()
        else:
            self.tui.open_run(event.summary.run)

    def _apply(self, changes: Changes) -> None:
        """Show what is new; what is gone is not compared any more."""
        for name in changes:
            if changes[name] is None and name in self.runs.all:
                self.compared.remove(self.runs.all[name].run)
        self.runs.apply(changes)
        self.show_rows()

    @on(RunsTable.Marked)
    def _mark(self, event: RunsTable.Marked) -> None:
        if not self.compared.touched:
            self.compared.clear()  # nobody chose these, and none has a mark here
        if event.summary.run in self.marked_runs:
            self.compared.remove(event.summary.run)
            self.compared.touched = True
        elif not self._add_mark(event.summary):
            self.notify(f"Compare shows at most {MAX_RUNS} runs; this one is marked as well.")
        self.show_rows()

    def _add_mark(self, summary: RunSummary) -> bool:
        """Mark a run or a study; return False for a run that Compare has no room for."""
        from core.runs.comparison.groups import key_of  # loads NumPy, which the first paint does not wait for

        self.compared.touched = True
        is_study = isinstance(summary, StudySummary)
        if not is_study and self.compared.add(summary.run, key_of(summary.config)):
            return True
        self.compared.beyond.append(summary.run)
        return is_study

    @on(Looked)
    def _rest(self, event: Looked) -> None:
        self._looking = False
        self.show_rows()
        self._show_notice(event.problem)
        for line in self._lookout.problems:
            if line not in self._told:
                self._told.add(line)
                self.notify(clean(line), severity="warning", markup=False)
        is_first = self._next_look is None  # it read all runs; later ones read what has changed
        pause = LOOK_SECONDS if is_first else max(LOOK_SECONDS, event.seconds / SHARE)
        self._next_look = self.set_timer(pause, self.look)

    def forget(self, gone: Sequence[RunSummary]) -> None:
        for summary in gone:
            self.compared.remove(summary.run)
        studies = [summary.run.id for summary in gone if isinstance(summary, StudySummary)]
        self.runs.apply_studies(dict.fromkeys(studies))
        self._apply(dict.fromkeys(summary.run.id for summary in gone if summary.run.id not in studies))
        self._show_notice(None)

    def bring_back(self, back: Sequence[RunSummary]) -> None:
        studies = {summary.run.id: summary for summary in back if isinstance(summary, StudySummary)}
        self.runs.apply_studies(studies)
        self._apply({summary.run.id: summary for summary in back if summary.run.id not in studies})
        self._show_notice(None)

    def _show_notice(self, problem: Exception | None) -> None:
        """Show, in place of an empty table, how to start, or why there is nothing."""
        text = f"✗ {clean(str(problem))}" if problem else BEGIN.format(clean(str(self.runs_dir)))
        nothing = problem is not None or not (self.runs.all or self.runs.studies)
        if text != self._notice:
            self._notice = text
            self.query_one("#runs-notice", Static).update(text)
        self.set_class(nothing, "-nothing")
        if not nothing and self.focused is None:
            self.call_after_refresh(self.table.focus)

    def show_rows(self) -> None:
        runs = self.runs
        self.table.empty = "" if self._looking else "no run matches; Escape clears the filter"
        self.table.show(runs)
        rows = self.table.rows
        panel = self.query_one("#runs-panel", Panel)
        known = f"{count(len(runs.all))}{' …' if self._looking else ''}"
        studies = f"  studies  {count(len(runs.studies))}" if runs.studies else ""
        own = sum(not row.study for row in rows)
        trials = sum(not isinstance(row, StudySummary) for row in rows) - own
        found = f"runs  {count(own)} of {known}" + (f"  trials  {count(trials)}" if trials else "")
        panel.border_title = found if runs.query.terms else f"runs  {known}{studies}"
        compared = self.compared
        self.table.mark(marks(compared) if compared.touched else {})
        marked = f"{len(compared.marked)} marked, 6 compares  " if compared.marked else ""
        waiting = len(self.tui.waiting)
        queued = f"{waiting} queued, Q shows  " if waiting else ""
        queued += f"{self._agents}  " if self._agents else ""
        unopened = f"▲ {runs.unopened}  " if runs.unopened else ""
        panel.border_subtitle = unopened + _unranked(runs.column, rows) + marked + queued + _standing(rows)
        self._offer()

    def action_mark_all(self) -> None:
        """Mark all runs that are shown; if they are marked, none."""
        shown = [row for row in self.table.rows if row.run not in self.marked_runs]
        self.compared.touched = True
        if not shown:
            self.compared.clear()
        for summary in shown:
            self._add_mark(summary)
        self.show_rows()

    # The run with the cursor

    @on(RunsTable.Highlighted)
    def _highlighted(self, event: RunsTable.Highlighted) -> None:
        self.query_one(RunPreview).show(event.summary)
        self._show_console()
        self._show_media()
        self._offer()

    def _offer(self) -> None:
        """Offer the keys for the run under the cursor, and those for all marked runs that apply to some of them."""
        marked = self.chosen if self.marked_runs else []
        of_marked = (possible_actions(summary) & ON_MARKS for summary in marked)
        possible = possible_actions(self.selected).union(*of_marked)
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for actions that the run under the cursor does not allow."""
        if action == "leave_field":
            return self.query_one(FilterLine).is_in_use
        return action not in RUN_ACTIONS or action in self._possible

    def action_preview(self) -> None:
        """Show the preview, or hide it."""
        self.toggle_class("-toggled")

    def action_console(self) -> None:
        """Show what the code of the run under the cursor printed, or hide it."""
        self.toggle_class("-console")
        self._show_console()
        self.set_focus(self.query_one(ConsolePanel).view if self.has_class("-console") else self.table)

    def action_media(self) -> None:
        """Show images, texts and histograms of the run under the cursor, or hide them."""
        self.toggle_class("-media")
        self._show_media()
        self.set_focus(self.query_one(MediaPanel).view if self.has_class("-media") else self.table)

    def _show_media(self) -> None:
        if self.has_class("-media"):
            self.query_one(MediaPanel).follow(self.selected.run if self.selected else None)

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
    shown = ("pending", "preparing", "running", "paused", "interrupted", "failed", "diverged", "damaged")
    return "  ".join(f"{STATES[state][0]} {count(counts[state])} {state}" for state in shown if counts[state])


def _agents_note(runs_dir: Path) -> str:
    from tui.screens.agents_dialog import agents_note  # the first paint does not wait for it

    return agents_note(runs_dir)
