"""Base of the screens on which a run is under the cursor or shown: what one can do with it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList

from core.errors import TorchtuiError
from core.runs.folder import Run
from tui.screens.base import ModeScreen
from tui.screens.dialog import Dialog
from tui.screens.jobs.dialog import JobDialog
from tui.screens.jobs.files import export_job, predict_job, report_job
from tui.screens.jobs.job import Job
from tui.screens.trust_prompt import with_consent
from tui.terminal.text import clean

__all__ = ["JOBS", "JobActions"]

JOBS = {
    "report": "report: curves, evaluation and mistakes as one HTML page",
    "export": "export: the model for ONNX, PyTorch, or as weights",
    "predict": "predict: new samples from a file or a folder",
}
"""Each job and what it does; its first letter chooses it."""


class JobMenu(Dialog[str]):
    """What can be done with a run; returns the chosen job."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w", "dismiss", "Close"),
        *(Binding(job[0], f"choose('{job}')", job, show=False) for job in JOBS),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.run_name = name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -menu") as body:
            body.border_title = clean(self.run_name)
            lines = (Text.assemble((text[0], "bold"), text[1:]) for text in JOBS.values())
            yield OptionList(*lines, compact=True)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss([*JOBS][event.option_index])

    def action_choose(self, job: str) -> None:
        """Choose a job by its letter."""
        self.dismiss(job)


class JobActions(ModeScreen):
    """Subclasses tell which run is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "use", "use", tooltip="Use the run: " + ", ".join(JOBS)),
    ]

    @property
    def job_run(self) -> Run | None:
        """The run that a job is for."""
        raise NotImplementedError

    @property
    def marked_runs(self) -> Sequence[Run]:
        """Runs that the user has marked; a report can compare them."""
        return [*self.tui.compared.slots] if self.tui.compared.touched else []

    def action_use(self) -> None:
        """Ask what to do with the run."""
        if self.job_run is not None:
            self.app.push_screen(JobMenu(self.job_run.id), lambda job: self.action_job(job) if job else None)

    def action_job(self, job: str) -> None:
        """Open the dialog of a job; ask first whether the user's own code may run."""
        run = self.job_run
        if run is not None:
            open_job(self, run, self._job(job, run))

    def _job(self, job: str, run: Run) -> Job:
        root = self.tui.data_root
        made: dict[str, Callable[[], Job]] = {
            "report": lambda: report_job(run, self.marked_runs, root),
            "export": lambda: export_job(run, root),
            "predict": lambda: predict_job(run, root),
        }
        return made[job]()


def open_job(screen: ModeScreen, run: Run, job: Job) -> None:
    """Open the dialog of a job, once the code that its run brings may run."""

    def show() -> None:
        screen.app.push_screen(JobDialog(job))

    try:
        config = run.config()
    except TorchtuiError:  # the job reports what is missing, or does without
        show()
    else:
        with_consent(screen.app, config, show, run=run)
