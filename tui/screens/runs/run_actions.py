"""Actions on the run under the cursor or the marked ones: evaluate, resume, stop, label, delete, reuse, copy."""

import os
from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Final

from textual.notifications import SeverityLevel

from core.errors import TorchtuiError
from core.runs.delete import folder_size
from core.runs.folder import Run
from core.runs.labels import read_labels, title_of, write_labels
from core.runs.lock import missing_lock_warning
from core.runs.requests import send
from core.runs.summary import RunSummary, summarise
from core.runs.trash import discard, new_batch, restore, trashed
from core.status import is_active, is_resumable
from core.tuning.listed import StudySummary, summarise_study
from core.tuning.study.folder import StudyFolder
from tui.forms.remedies import error_in_app
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.job_host import stop_job
from tui.screens.dialogs import Ask
from tui.screens.jobs.actions import JobActions
from tui.screens.runs.labels_dialog import Labelled, LabelRuns, changed_tags
from tui.terminal.text import bytes_, clean

__all__ = ["ON_MARKS", "RUN_ACTIONS", "RunActions", "possible_actions"]

RUN_ACTIONS: Final = frozenset(
    {
        "evaluate",
        "resume",
        "configure",
        "stop",
        "delete",
        "copy",
        "copy_path",
        "console",
        "media",
        "label",
        "use",
        "job",
    }
)
ON_MARKS: Final = frozenset({"stop", "delete", "label"})
"""Those that are done with all marked runs."""


def possible_actions(summary: RunSummary | None) -> frozenset[str]:
    """Return the actions that apply to this run."""
    if summary is None:
        return frozenset()
    possible = {"delete", "copy", "copy_path", "console", "label"}
    if isinstance(summary, StudySummary):
        return frozenset(possible - {"console"})
    if is_active(summary.status):
        possible = {"stop", "copy", "copy_path", "console", "label"}
    if is_resumable(summary.status):
        possible.add("resume")
    if summary.epoch or summary.evaluation:
        possible |= {"evaluate", "use", "job"}
    if summary.config and not summary.script:
        possible.add("configure")
    if summary.run.media_folder.is_dir():
        possible.add("media")
    if summary.log:  # another tool's: it is only looked at here
        possible &= {"copy", "copy_path", "label", "use", "job", "media"}
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

    @property
    def chosen(self) -> list[RunSummary]:
        """The marked runs, or else the one under the cursor."""
        raise NotImplementedError

    def forget(self, gone: Sequence[RunSummary]) -> None:
        """Remove deleted runs from the list."""
        raise NotImplementedError

    def bring_back(self, back: Sequence[RunSummary]) -> None:
        """List runs again that were deleted."""
        raise NotImplementedError

    def look(self) -> None:
        """Look at all runs again."""
        raise NotImplementedError

    def action_evaluate(self) -> None:
        """Open the run in Evaluate."""
        if self.selected is not None:
            self.tui.evaluate_run(self.selected.run)

    def action_resume(self) -> None:
        """Resume a run that has a checkpoint; for a script's run, report why the app cannot.

        For one whose job was its own, ask whether to submit it again.
        """
        from tui.runtime.hosts.slurm import host_of_job  # no other list needs it

        summary = self.selected
        if summary is None:
            return
        if (host := host_of_job(summary.job)) is not None:
            ask = Ask(
                f"Resume {_named([summary])} where?",
                {"slurm": "In a Slurm job, as before", "here": "In this app", "cancel": "Cancel"},
            )
            self.app.push_screen(ask, partial(self._resume_as_asked, summary.run, host))
        elif summary.script or os.path.isfile(summary.run.checkpoint_file("last")):
            self.tui.resume_run(summary.run)
        else:
            self._tell("This run has no checkpoint to resume from; press c to reuse its configuration.")

    def _resume_as_asked(self, run: Run, host: Host, answer: str | None) -> None:
        if answer == "slurm":
            self.tui.resume_run(run, host)
        elif answer == "here":
            self.tui.resume_run(run)

    def action_configure(self) -> None:
        """Edit a copy of the run's configuration in the form."""
        if self.selected is not None:
            self.tui.form_values = deepcopy(self.selected.config)
            self.tui.action_go("configure")

    def action_stop(self) -> None:
        """Confirm, then ask the runs to save and stop."""
        going = [run for run in self.chosen if is_active(run.status) and not isinstance(run, StudySummary)]
        if going:
            ask = Ask(
                f"Save {_named(going)} and stop {'it' if len(going) == 1 else 'them'}? "
                f"{'It' if len(going) == 1 else 'They'} can be resumed later.",
                {"stop": "Stop", "stay": "Keep running"},
            )
            self.app.push_screen(ask, partial(self._stop_as_asked, going))

    def _stop_as_asked(self, going: Sequence[RunSummary], answer: str | None) -> None:
        if answer != "stop":
            return
        for summary in going:
            if summary.job is not None or summary.status == "pending":  # Slurm may be silent for long
                self.run_worker(partial(self._stop_job, summary.run), thread=True, group="stop")
                continue
            try:
                send(summary.run, "stop")
            except TorchtuiError as error:
                self._tell(error_in_app(error), "error")
        self._tell(f"{_named(going)} {'was' if len(going) == 1 else 'were'} asked to save and stop.")

    def _stop_job(self, run: Run) -> None:
        try:
            stop_job(run)
        except TorchtuiError as error:
            self.app.call_from_thread(self._tell, error_in_app(error), "error")

    # Labels

    def action_label(self) -> None:
        """Edit name, tags and note of the run under the cursor, or the tags of all marked ones."""
        chosen = self.chosen
        if chosen:
            labels = chosen[0].labels if len(chosen) == 1 else None
            self.app.push_screen(LabelRuns(_named(chosen), labels), partial(self._label, chosen))

    def _label(self, chosen: Sequence[RunSummary], asked: Labelled | None) -> None:
        if asked is None:
            return
        for summary in chosen:
            several = len(chosen) > 1
            tags = changed_tags(read_labels(summary.run.path), asked) if several else asked.tags
            try:
                write_labels(summary.run.path, name=asked.name, tags=tags, note=asked.note)
            except TorchtuiError as error:
                self._tell(error_in_app(error), "error")
        self.look()

    # The trash

    def action_delete(self) -> None:
        """Measure the marked runs, or the one under the cursor, ask, then move them to the trash."""
        if self.chosen:
            self.run_worker(partial(self._measure, self.chosen), thread=True, group="delete")

    def _measure(self, chosen: Sequence[RunSummary]) -> None:
        size = sum(folder_size(summary.run) for summary in chosen)
        without_locks = any(missing_lock_warning(summary.run) for summary in chosen)
        self.app.call_from_thread(self._ask_to_delete, chosen, size, without_locks)

    def _ask_to_delete(self, chosen: Sequence[RunSummary], size: int, without_locks: bool) -> None:
        if not self.is_current:
            return
        them = "it" if len(chosen) == 1 else "them"
        question = f"Move {_named(chosen)} ({bytes_(size)}) to the trash? u brings {them} back."
        if without_locks:
            question += " Its file system has no locks: make sure that no process is training it."
        ask = Ask(question, {"delete": "Delete", "keep": "Keep"})
        self.app.push_screen(ask, partial(self._delete_as_asked, chosen))

    def _delete_as_asked(self, chosen: Sequence[RunSummary], answer: str | None) -> None:
        if answer == "delete":
            self.run_worker(partial(self._delete, chosen), thread=True, group="delete")

    def _delete(self, chosen: Sequence[RunSummary]) -> None:
        batch, gone = new_batch(self.tui.runs_dir), list[RunSummary]()
        for summary in chosen:
            try:
                discard(summary.run, batch)
            except TorchtuiError as error:
                self.app.call_from_thread(self._tell, error_in_app(error), "error")
            if not os.path.lexists(summary.run.path):
                gone.append(summary)
        if gone:
            self.app.call_from_thread(
                self._tell, f"{_named(gone)} {'is' if len(gone) == 1 else 'are'} in the trash; u undoes it."
            )
            self.app.call_from_thread(self.forget, gone)

    def action_undo(self) -> None:
        """Bring back what was deleted last."""
        self.run_worker(self._undo, thread=True, group="delete")

    def _undo(self) -> None:
        found = trashed(self.tui.runs_dir)
        last = [each for each in found if each.batch == found[0].batch]
        back = []
        for each in last:
            try:
                back.append(restore(each))
            except TorchtuiError as error:
                self.app.call_from_thread(self._tell, error_in_app(error), "error")
        what = title_of(back[0].path) if len(back) == 1 else f"{len(back)} runs"
        if back or not found:
            told = f"{what} {'is' if len(back) == 1 else 'are'} back." if back else "The trash is empty."
            self.app.call_from_thread(self._tell, told)
        found_again = [_summary_of(run) for run in back]
        self.app.call_from_thread(self.bring_back, found_again)

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


def _summary_of(run: Run) -> RunSummary:
    is_study = (run.path / "trials").is_dir()
    return summarise_study(StudyFolder(run.path)) if is_study else summarise(run)


def _named(chosen: Sequence[RunSummary]) -> str:
    """Return what one run is called, or how many there are."""
    return chosen[0].title if len(chosen) == 1 else f"{len(chosen)} runs"
