"""Actions on the run under the cursor: open, evaluate, resume, stop, delete, reuse, copy."""

import os
from copy import deepcopy
from functools import partial
from typing import Final

from textual import on
from textual.notifications import SeverityLevel

from core.errors import TorchtuiError
from core.runs.delete import delete, folder_size
from core.runs.folder import Run
from core.runs.lock import missing_lock_warning
from core.runs.requests import send
from core.runs.summary import RunSummary
from core.status import is_active, is_resumable
from tui.forms.remedies import error_in_app
from tui.screens.dialogs import Ask
from tui.screens.jobs.actions import JobActions
from tui.terminal.text import bytes_, clean
from tui.widgets.runs_table import RunsTable

__all__ = ["RUN_ACTIONS", "RunActions", "possible_actions"]

RUN_ACTIONS: Final = frozenset(
    {"evaluate", "resume", "configure", "stop", "delete", "copy", "copy_path", "console", "use", "job"}
)


def possible_actions(summary: RunSummary | None) -> frozenset[str]:
    """Return the actions that apply to this run."""
    if summary is None:
        return frozenset()
    possible = {"delete", "copy", "copy_path", "console"}
    if is_active(summary.status):
        possible = {"stop", "copy", "copy_path", "console"}
    if is_resumable(summary.status):
        possible.add("resume")
    if summary.epoch or summary.evaluation:
        possible |= {"evaluate", "use", "job"}
    if summary.config and not summary.script:
        possible.add("configure")
    return frozenset(possible)


class RunActions(JobActions):
    """Base of the screen that lists runs; slow work is done off the UI thread."""

    @property
    def selected(self) -> RunSummary | None:
        """The run under the cursor."""
        raise NotImplementedError

    @property
    def job_run(self) -> Run | None:
        return self.selected.run if self.selected is not None else None

    def forget(self, summary: RunSummary) -> None:
        """Remove a deleted run from the list."""
        raise NotImplementedError

    @on(RunsTable.Opened)
    def _open(self, event: RunsTable.Opened) -> None:
        self.tui.open_run(event.summary.run)

    def action_evaluate(self) -> None:
        """Open the run in Evaluate."""
        if self.selected is not None:
            self.tui.evaluate_run(self.selected.run)

    def action_resume(self) -> None:
        """Resume a run that has a checkpoint; for a script's run, report why the app cannot."""
        summary = self.selected
        if summary is None:
            return
        if summary.script or os.path.isfile(summary.run.checkpoint_file("last")):
            self.tui.resume_run(summary.run)
        else:
            self._tell("This run has no checkpoint to resume from; press c to reuse its configuration.")

    def action_configure(self) -> None:
        """Edit a copy of the run's configuration in the form."""
        if self.selected is not None:
            self.tui.form_values = deepcopy(self.selected.config)
            self.tui.action_go("configure")

    def action_stop(self) -> None:
        """Confirm, then ask the run to save and stop."""
        summary = self.selected
        if summary is not None:
            ask = Ask(
                f"Save {summary.run.id} and stop it? It can be resumed later.",
                {"stop": "Stop", "stay": "Keep running"},
            )
            self.app.push_screen(ask, partial(self._stop_as_asked, summary))

    def _stop_as_asked(self, summary: RunSummary, answer: str | None) -> None:
        if answer != "stop":
            return
        try:
            send(summary.run, "stop")
        except TorchtuiError as error:
            self._tell(error_in_app(error), "error")
        else:
            self._tell(f"{summary.run.id} was asked to save and stop.")

    def action_delete(self) -> None:
        """Measure the run, ask, then delete it."""
        if self.selected is not None:
            self.run_worker(partial(self._measure, self.selected), thread=True, group="delete")

    def _measure(self, summary: RunSummary) -> None:
        size = folder_size(summary.run)
        without_locks = bool(missing_lock_warning(summary.run))
        self.app.call_from_thread(self._ask_to_delete, summary, size, without_locks)

    def _ask_to_delete(self, summary: RunSummary, size: int, without_locks: bool) -> None:
        if not self.is_current:
            return
        what = f"{summary.status}, {summary.epoch} epochs, {bytes_(size)}"
        question = f"Delete {summary.run.id} ({what}) with its checkpoints? This cannot be undone."
        if without_locks:
            question += " Its file system has no locks: make sure that no process is training it."
        ask = Ask(question, {"delete": "Delete", "keep": "Keep"})
        self.app.push_screen(ask, partial(self._delete_as_asked, summary))

    def _delete_as_asked(self, summary: RunSummary, answer: str | None) -> None:
        if answer == "delete":
            self.run_worker(partial(self._delete, summary), thread=True, group="delete")

    def _delete(self, summary: RunSummary) -> None:
        try:
            delete(summary.run)
        except TorchtuiError as error:
            self.app.call_from_thread(self._tell, error_in_app(error), "error")
        else:
            self.app.call_from_thread(self._tell, f"{summary.run.id} was deleted.")
        if not os.path.lexists(summary.run.path):
            self.app.call_from_thread(self.forget, summary)

    def action_copy(self) -> None:
        """Copy the id."""
        if self.selected is not None:
            self._copy(self.selected.run.id)

    def action_copy_path(self) -> None:
        """Copy the path of the folder."""
        if self.selected is not None:
            self._copy(str(self.selected.run.path.resolve()))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self._tell(f"Copied {text}")

    def _tell(self, text: str, severity: SeverityLevel = "information") -> None:
        self.notify(clean(text), severity=severity, markup=False)
