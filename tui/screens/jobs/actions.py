"""Base of the screens on which a run is under the cursor or shown: what one can do with it."""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList

from core.errors import TorchtuiError
from core.runs.folder import Run
from core.runs.labels import read_labels, title_of
from tui.screens.base import ModeScreen
from tui.screens.dialog import Dialog
from tui.screens.trust_prompt import with_consent
from tui.terminal.text import clean

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.session.repeats import RepeatKind
    from tui.screens.jobs.job import Job

__all__ = ["JOBS", "USE", "JobActions"]

JOBS = {
    "report": "report: curves, evaluation and mistakes as one HTML page",
    "export": "export: the model for ONNX, PyTorch, or as weights",
    "predict": "predict: new samples from a file or a folder",
    "cross-validate": "cross-validate: a run for each fold of the training data",
    "seeds": "seeds: train again with other seeds, for mean and spread",
}
"""Each job and what it does; its first letter chooses it."""
REPEATS: Final[dict[str, "RepeatKind"]] = {"cross-validate": "fold", "seeds": "seed"}
"""Jobs that need a configuration alone."""
USE = Binding("w", "use", "use", tooltip="Use the run: " + ", ".join(JOBS))


class JobMenu(Dialog[str]):
    """Menu of what can be done with a run; returns the chosen job."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w", "dismiss", "Close"),
        *(Binding(job[0], f"choose('{job}')", job, show=False) for job in JOBS),
    ]

    def __init__(self, name: str, jobs: Sequence[str]) -> None:
        super().__init__()
        self.run_name, self.jobs = name, jobs

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -menu") as body:
            body.border_title = Content(clean(self.run_name))
            lines = (Text.assemble((JOBS[job][0], "bold"), JOBS[job][1:]) for job in self.jobs)
            yield OptionList(*lines, compact=True)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.jobs[event.option_index])

    def action_choose(self, job: str) -> None:
        """Choose a job by its letter."""
        if job in self.jobs:
            self.dismiss(job)


class JobActions(ModeScreen):
    """Subclasses tell which run is meant, or else which configuration, and have `USE` among their keys."""

    @property
    def job_run(self) -> Run | None:
        """The run that a job is for."""
        return None

    @property
    def job_config(self) -> "TrainConfig | None":
        """The configuration that a job is for, where there is no run."""
        return None

    @property
    def marked_runs(self) -> Sequence[Run]:
        """Runs that the user has marked, perhaps studies among them."""
        return [*self.tui.compared.slots] if self.tui.compared.touched else []

    def action_use(self) -> None:
        """Ask what to do with the run."""
        run = self.job_run
        jobs = JOBS if run is not None else REPEATS
        name = title_of(run.path) if run is not None else "the configuration in the form"
        if run is not None or self.job_config is not None:
            self.app.push_screen(
                JobMenu(name, [*jobs]), lambda job: self.action_job(job) if job is not None else None
            )

    def action_job(self, job: str) -> None:
        """Open the dialog of a job; ask first whether the user's own code may run."""
        run, config = self.job_run, self.job_config
        try:
            config = run.config() if run is not None else config
        except TorchtuiError as error:  # a script's run, or a damaged one: it can be reported on
            if job in REPEATS:
                self.tui.show_error(error)
            elif run is not None:
                self._open_job(self._file_job(job, run))
            return
        if config is None:
            return
        made = self._repeats_job(job, config) if job in REPEATS else self._file_job(job, run) if run else None
        if made is not None:
            with_consent(self.app, config, lambda: self._open_job(made), run=run)

    def more_commands(self) -> Iterable[tuple[str, str, Callable[[], object]]]:
        if not self.check_action("use", ()):
            return
        for job in JOBS if self.job_run is not None else REPEATS:
            what = JOBS[job].partition(": ")[2]
            yield job.capitalize(), what[:1].upper() + what[1:], partial(self.action_job, job)

    def _open_job(self, job: "Job") -> None:
        from tui.screens.jobs.dialog import JobDialog

        self.app.push_screen(JobDialog(job))

    def _file_job(self, job: str, run: Run) -> "Job":
        from tui.screens.jobs.files import export_job, predict_job, report_job  # NumPy is not loaded before

        marked = [one for one in self.marked_runs if os.path.isfile(one.log_file)]
        make = {"report": report_job, "export": export_job, "predict": predict_job}[job]
        return make(run, marked, self.tui.data_root)

    def _repeats_job(self, job: str, config: "TrainConfig") -> "Job":
        from tui.runtime.hosts.host import WantedRun
        from tui.runtime.hosts.registry import available_hosts
        from tui.runtime.hosts.remembered import remembered
        from tui.screens.jobs.repeats import Starting, repeats_job

        kind, run, tui = REPEATS[job], self.job_run, self.tui
        number = config.training.seed if kind == "seed" else config.data.fold
        name = read_labels(run.path).name.removesuffix(f" {kind} {number}") if run else tui.run_name
        hosts = {host: remembered(tui.settings, host) for host in available_hosts()}
        usual = tui.settings.run_in if run is None and tui.settings.run_in in hosts else next(iter(hosts))
        starting = Starting(hosts, usual, lambda waiting: tui.enqueue(*waiting), tui.start_repeats)
        return repeats_job(kind, WantedRun(config, tui.runs_dir, tui.data_root, name, run), starting)
