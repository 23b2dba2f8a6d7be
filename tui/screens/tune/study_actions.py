"""Following a study through its folder, and actions on it and on its trials."""

import subprocess
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.timer import Timer

from core.config import schema as configuration
from core.counting import counted
from core.data.dataset import Progress
from core.errors import InputError, StorageNotGiven, TorchtuiError
from core.palette import MAX_RUNS
from core.runs.folder import Run, all_runs
from core.runs.jobs.record import jobs_of
from core.runs.labels import read_labels, write_labels
from core.runs.references import LATEST
from core.session.preload import load_backend
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan
from core.tuning.study.folder import StudyFolder, all_studies
from tui.forms.remedies import error_in_app
from tui.runtime import study_process
from tui.screens.background import Background
from tui.screens.base import ModeScreen
from tui.screens.dialogs import Ask
from tui.screens.trust_prompt import with_consent
from tui.screens.tune.dialogs import OpenStudy
from tui.screens.tune.trials_panel import TrialsPanel
from tui.terminal.text import progress_line

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord
    from core.tuning.study.study import TuningStudy
    from tui.forms.search_texts import Given
    from tui.runtime.study_follower import Follower, Standing

__all__ = ["MAX_NAMES", "STUDY_ACTIONS", "TRIAL_ACTIONS", "StudyActions", "known_names", "listed"]

LOOK_SECONDS = 1.0
MAX_NAMES = 200
"""The most runs or studies in a list; others can be named on the command line."""
HERE_NOW = "This machine works on it now, not jobs of Slurm: 'run in' of the search space says where"
TRIAL_ACTIONS: Final = frozenset({"evaluate", "promote"})
STUDY_ACTIONS: Final = frozenset({"pause", "unpause", "stop", "compare"})


class StudyActions(Background, ModeScreen):
    """Base of Tune. Studies are read, started and stopped off the UI thread.

    Attributes:
        standing: state of the followed study; None while there is none.
        problem: why it cannot be shown.
        starting: whether a study is being started. starting_note: the current step of that.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause", tooltip="Pause the study and its trials"),
        Binding("space", "unpause", "continue", tooltip="Continue the paused study"),
        Binding("s", "stop", "stop", tooltip="Ask the study to save and stop; asks first"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.standing: Standing | None = None
        self.problem = ""
        self.starting, self.starting_note = False, ""
        self._follower: Follower | None = None
        self._looking: Follower | None = None
        self._next_look: Timer | None = None
        self._launched: list[subprocess.Popen[bytes]] = []

    @property
    def selected(self) -> "TrialRecord | None":
        """The trial under the cursor."""
        raise NotImplementedError

    @property
    def given(self) -> "Given":
        """The settings of the search form."""
        raise NotImplementedError

    def show_standing(self) -> None:
        """Show the state of the study, or why it cannot be shown."""
        raise NotImplementedError

    def tell_state(self) -> None:
        """Show whether a study can start."""
        raise NotImplementedError

    def show_study(self) -> None:
        """Switch to the view of the study."""
        raise NotImplementedError

    # Following

    def open_study(
        self,
        reference: str,
        storage_url: str | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Follow a study: ``latest``, or the path of its folder."""
        runs_dir = self.tui.runs_dir

        def find(progress: Progress) -> "Follower | None":
            if reference == LATEST and not all_studies(runs_dir):
                return None
            from tui.runtime.study_follower import Follower

            return Follower(runs_dir, reference, storage_url)

        self.in_background("open", find, self.follow, failed or self._lost)

    def follow(self, follower: "Follower | None") -> None:
        """Follow this study from now on."""
        self._follower, self.standing, self.problem = follower, None, ""
        self.show_standing()
        self.look()

    def look(self) -> None:
        """Refresh the study, unless a refresh is running or the screen is hidden."""
        follower = self._follower
        if follower is None or self._looking is follower or not self.is_current:
            return
        if self._next_look is not None:
            self._next_look.stop()
        self._looking = follower
        self.in_background("look", lambda progress: follower.look(), self._seen, self._lost)

    def _seen(self, standing: "Standing") -> None:
        first, self._looking = self.standing is None, None
        changed = standing != self.standing
        self.standing = standing
        if changed:
            self.show_standing()
        if first and (standing.active or standing.status == "pending"):
            self.show_study()
        self._next_look = self.set_timer(LOOK_SECONDS, self.look)

    def _lost(self, error: Exception) -> None:
        self._follower = self._looking = self.standing = None
        self.problem = error_in_app(error)
        self.show_standing()

    # A study

    def start(self, plan: Plan) -> None:
        """Check a plan against its data, start a study, and follow it; ask before running untrusted code."""
        with_consent(self.app, plan.space.base, lambda: self._start(plan))

    def _start(self, plan: Plan) -> None:
        runs_dir, data_root, given = self.tui.runs_dir, self.tui.data_root, self.given

        def start(progress: Progress) -> "tuple[Follower, list[str]]":
            load_backend()
            from core.tuning.confirm.study import ask_to_confirm
            from core.tuning.starting import start_study
            from tui.runtime.study_follower import Follower

            if given.where.executor == "ray":
                from core.tuning.executors.ray_executor import import_ray

                import_ray()  # fail before a folder is created
            known = StudyChanges(given.start_with, given.learn_from)
            study, lines = start_study(
                runs_dir, plan, given.storage, known, data_root=data_root, progress=progress
            )
            if given.name:
                write_labels(study.folder.path, name=given.name)
            if given.confirm:
                ask_to_confirm(study, given.confirm)
            lines += self.set_to_work(study, given, data_root, given.seconds)
            return Follower(runs_dir, str(study.folder.path), given.storage), lines

        self.starting, self.starting_note = True, "loading data and checking every model ..."
        self.tell_state()
        self.refresh_bindings()
        self.in_background("start", start, self._started, self._not_started)

    def set_to_work(
        self,
        study: "TuningStudy",
        given: "Given",
        data_root: Path | None,
        seconds: float | None = None,
        trials: int | None = None,
    ) -> list[str]:
        """Let a process of this machine, or jobs of Slurm, work on a study; runs in a thread.

        Args:
            seconds: after which it stops; None for no limit.
            trials: new total number of trials; None keeps it.

        Returns:
            What to tell about that, a line each.

        Raises:
            TorchtuiError: nothing can work on it.
        """
        where = given.where
        if where.executor == "slurm":
            from core.tuning.starting import change_study
            from tui.runtime.study_jobs import submit_workers

            if given.job is None:
                raise InputError("the settings of the jobs are wrong", "Correct them in the search space")
            if trials is not None:
                study, _ = change_study(study, self.tui.runs_dir, StudyChanges(trials=trials))
            jobs = where.jobs or 1
            job = submit_workers(study, given.job, jobs, data_root, seconds)
            return [f"{counted(jobs, 'worker')} in the queue of Slurm, job {job}"]
        process = study_process.launch(
            study.folder, where, data_root, seconds=seconds, trials=trials, storage_url=study.storage_url
        )
        self._launched.append(process)
        return [HERE_NOW] if jobs_of(Run(study.folder.path)) else []

    def at_work(self, lines: list[str]) -> None:
        """Tell what `set_to_work` returned, and look at the study."""
        if lines:
            self.notify("\n".join(lines), markup=False)
        self.look()

    def show_progress(self, what: str, done: int, total: int) -> None:
        self.starting_note = f"{progress_line(what, done, total)} ..."
        self.tell_state()

    def _started(self, started: "tuple[Follower, list[str]]") -> None:
        follower, lines = started
        self.starting = False
        self.tell_state()
        self.refresh_bindings()
        self.forget("open")
        self.follow(follower)
        self.show_study()
        if lines:
            self.notify("\n".join(lines), markup=False)

    def _not_started(self, error: Exception) -> None:
        self.starting = False
        self.tell_state()
        self.refresh_bindings()
        if isinstance(error, TorchtuiError):  # a defect already has a dialog
            self.tui.show_error(error)

    def action_open(self) -> None:
        """Choose a study to open."""
        runs_dir = self.tui.runs_dir

        def chosen(path: str | None) -> None:
            if path is not None:
                self.open_study(path, failed=partial(self._ask_for_storage, path))
                self.show_study()

        def ask(studies: dict[str, str]) -> None:
            self.app.push_screen(OpenStudy(studies), chosen)

        self.in_background("list", lambda progress: listed(all_studies(runs_dir)), ask)

    def _ask_for_storage(self, path: str, error: Exception) -> None:
        """Connect to the storage named in the folder of a chosen study, if the user agrees."""
        self._lost(error)
        if not isinstance(error, StorageNotGiven):
            return
        url = error.url

        def answered(answer: str | None) -> None:
            if answer == "connect":
                self.open_study(path, url)

        question = f"{error.message}. Connect to it? Your database password may be sent there."
        self.app.push_screen(Ask(question, {"connect": "Connect", "leave": "Don't connect"}), answered)

    def action_stop(self) -> None:
        """Confirm, then ask all processes of the study to save and stop."""
        standing = self.standing
        if standing is None:
            return
        question = f"Stop {standing.folder.name}? Its trials are saved, and it can be resumed later."
        self.app.push_screen(Ask(question, {"stop": "Stop", "stay": "Keep running"}), self._stop_as_asked)

    def _stop_as_asked(self, answer: str | None) -> None:
        if answer == "stop" and self._follower is not None:
            study = self._follower.study

            def stop(progress: Progress) -> None:
                from tui.runtime.study_jobs import cancel_waiting

                cancel_waiting(study.folder)
                study_process.stop(study)

            def stopped(nothing: None) -> None:
                self.notify("The study was asked to save and stop.")
                self.look()

            self.in_background("pause", stop, stopped)

    def action_pause(self) -> None:
        """Pause the study and its trials."""
        if self._follower is not None:
            self._set_pause(self._follower.study.pause)

    def action_unpause(self) -> None:
        """Continue the paused study."""
        if self._follower is not None:
            self._set_pause(self._follower.study.go_on)

    def _set_pause(self, change: Callable[[], None]) -> None:
        self.in_background("pause", lambda progress: change(), lambda nothing: self.look())

    # A trial

    @on(TrialsPanel.Chosen)
    def _open_trial(self, event: TrialsPanel.Chosen) -> None:
        if event.record.run is not None:
            self.tui.open_run(Run(event.record.run))

    def action_evaluate(self) -> None:
        """Open the trial in Evaluate."""
        if self.selected is not None and self.selected.run is not None:
            self.tui.evaluate_run(Run(self.selected.run))

    def action_promote(self) -> None:
        """Edit a copy of the trial's configuration in the form."""
        if self.selected is not None and self.standing is not None:
            config = self.standing.plan.space.config(self.selected.params)
            self.tui.form_values = configuration.to_dict(config)
            self.app.call_later(partial(self.tui.action_go, "configure"))

    def _best_runs(self, standing: "Standing") -> list[Run]:
        """Return the runs of the best trials, as many as can be compared."""
        from core.tuning.study.records import (
            best_first,  # loads Optuna, which the first paint does not wait for
        )

        ranked = best_first(standing.plan, standing.records)
        return [Run(record.run) for record in ranked if record.run is not None][:MAX_RUNS]

    def action_compare(self) -> None:
        """Compare the best trials, in place of the runs compared before."""
        if self.standing is None:
            return
        compared = self.tui.compared
        compared.clear()
        for run in self._best_runs(self.standing):
            compared.add(run)
        self.tui.action_go("compare")

    def possible(self) -> frozenset[str]:
        """Return the actions that the study and the trial under the cursor allow."""
        standing, record = self.standing, self.selected
        found = {"sort", "turn_order", "panel", "log", "slices"}
        if standing is None:
            return frozenset(found)
        if standing.active:
            found |= {"stop", "unpause" if standing.paused else "pause"}
        if standing.status == "pending":
            found.add("stop")
        if len(self._best_runs(standing)) > 1:
            found.add("compare")
        if record is not None:
            found.add("promote")
            if record.state == "completed" and record.run is not None:
                found.add("evaluate")
        return frozenset(found)


def listed(studies: Iterable[StudyFolder]) -> dict[str, str]:
    """Return the path of each study by the text that lists it: its id, and behind it the name that it was given."""
    return {f"{study.name}  {read_labels(study.path).name}".rstrip(): str(study.path) for study in studies}


def known_names(runs_dir: Path) -> tuple[list[str], list[str]]:
    """Return the names of the newest runs to start with, and of studies to learn from."""
    runs = [run.id for run in all_runs(runs_dir)]
    return runs[:MAX_NAMES], [study.name for study in all_studies(runs_dir)][:MAX_NAMES]
