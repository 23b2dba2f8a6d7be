"""Tuning without screens: make or open a study, work on it, print what it found."""

import shlex
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.control import RunControl
from core.counting import counted
from core.errors import DependencyError, InputError
from core.machine import memory
from core.runs.labels import write_labels
from core.slurm.commands import missing
from core.slurm.settings import SlurmSettings
from core.tuning.confirm.study import ask_to_confirm, seeds_asked_for
from core.tuning.executors.executors import Executor, LocalProcesses, local_slots
from core.tuning.executors.placing import ensure_there, placing_of
from core.tuning.executors.trial_memory import PROCESS_BYTES, slots_that_fit
from core.tuning.executors.where import Where
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan
from core.tuning.starting import change_study, start_study
from core.tuning.study.records import StudyFinished, StudyNotice
from core.tuning.study.study import TuningStudy, open_study
from core.tuning.study.tuner import tune as work_on
from tui.forms.command_line import place as runs_option
from tui.headless.documents.acting import ElsewhereDocument
from tui.headless.documents.envelope import print_document
from tui.headless.study_views import StudyView, choose_study_view
from tui.runtime.console import bounded_output
from tui.runtime.signals import GuardedOutput, ignore_hangup, signals_stop
from tui.runtime.study_jobs import submit_workers
from tui.runtime.study_process import console_file, is_worked_on
from tui.runtime.study_queue import waiting_workers
from tui.terminal.text import clean

__all__ = ["Asked", "submit", "tune"]


@dataclass(frozen=True)
class Asked:
    """Request of a user: a new study by its `plan`, or one to resume by its name in `resume`.

    Attributes:
        seconds: time limit; None for no limit.
        storage: URL of a database; None for a file in the study's folder.
        confirm: seeds with which the best trials are trained again; None for what the study was asked for before.
        name: what the user calls the study; empty keeps what it is called.
    """

    plan: Plan | None
    resume: str
    seconds: float | None
    storage: str | None
    where: Where
    runs_dir: Path
    data_root: Path | None
    confirm: int | None = None
    changes: StudyChanges = field(default_factory=StudyChanges)
    name: str = ""


def tune(asked: Asked, *, as_json: bool, quiet: bool) -> int:
    """Work on a study, show it, and give the exit code.

    Raises:
        TorchtuiError: the plan does not fit; no trial was started.
    """
    view = choose_study_view(as_json=as_json, quiet=quiet)
    control = RunControl()
    with ignore_hangup(), signals_stop(control) as received:
        study, lines = (None, []) if asked.plan is not None else _reopen(asked)
        executor = _executor(asked, study.plan if study else asked.plan)  # its imports run while we check
        try:
            if study is None:
                study, lines = _start(asked, view)
            _note(asked, study, lines, view)
            _tell_slots(executor, asked.where, view)
            _limit_by_memory(executor, study.plan, asked.where, view)
            _spread(executor, study.plan, asked.where, view)
            output = GuardedOutput(control, received)
            with bounded_output(console_file(study.folder)):
                finished = work_on(
                    study,
                    executor,
                    emit=partial(output, view.show),
                    control=control,
                    timeout=asked.seconds,
                    data_root=asked.data_root,
                )
                seeds = seeds_asked_for(study)
                if seeds and finished.best is not None and not control.stop_requested:
                    from tui.headless.confirm import confirm_study

                    confirm_study(
                        study,
                        seeds,
                        executor,
                        view,
                        output=output,
                        control=control,
                        data_root=asked.data_root,
                        as_json=as_json,
                    )
            from core.tuning.study.baselines import beside_study  # imports torch

            lines = beside_study(study, finished, asked.data_root, control)
            output(view.close)
            if not (as_json or quiet):
                output(_print, study, finished, lines)
            output(_tell_error, finished)
        finally:
            view.close()
            executor.close()
    return 128 + received[0] if received else int(finished.status == "failed")


def submit(asked: Asked, settings: SlurmSettings, *, as_json: bool, quiet: bool) -> int:
    """Start or reopen a study, submit jobs of Slurm that work on it, and give the exit code.

    Raises:
        TorchtuiError: the plan does not fit, or Slurm does not take the jobs.
    """
    if reason := missing():
        raise DependencyError(f"executor slurm: {reason}", "Submit from a machine of the cluster")
    view, jobs = choose_study_view(as_json=as_json, quiet=quiet), asked.where.jobs or 1
    try:
        study, lines = _reopen(asked) if asked.plan is None else _start(asked, view)
        _note(asked, study, lines, view)
    finally:
        view.close()
    job = submit_workers(study, settings, jobs, asked.data_root, asked.seconds)
    message = f"{study.name}: {counted(jobs, 'worker')} in the queue of Slurm, job {job}"
    if as_json:
        folder = str(study.folder.path.resolve())
        print_document(ElsewhereDocument(run=study.name, folder=folder, run_in="slurm", message=message))
    elif not quiet:
        place = runs_option(study.folder.path.parent)
        print(clean(message))
        print(clean(f"follow  {shlex.join(['tui', 'runs', *place, 'show', study.name])}"))
        print(clean(f"stop    {shlex.join(['tui', 'tune', '--stop', study.name, *place])}"))
    return 0


def _start(asked: Asked, view: StudyView) -> tuple[TuningStudy, list[str]]:
    assert asked.plan is not None
    study, lines = start_study(
        asked.runs_dir,
        asked.plan,
        asked.storage,
        asked.changes,
        data_root=asked.data_root,
        progress=view.preparing,
    )
    if because := study.plan.because:
        lines.insert(0, f"method {study.plan.method}: {because}")
    return study, lines


def _note(asked: Asked, study: TuningStudy, lines: list[str], view: StudyView) -> None:
    if asked.name:
        write_labels(study.folder.path, name=asked.name)
    for line in lines:
        view.show(StudyNotice(level="info", message=line))
    if asked.confirm is not None:
        ask_to_confirm(study, asked.confirm)


def _reopen(asked: Asked) -> tuple[TuningStudy, list[str]]:
    study = open_study(asked.runs_dir, asked.resume, asked.storage)
    if study.paused and not is_worked_on(study.folder):
        study.go_on()  # a process that joins a paused study waits too
    study, lines = change_study(study, asked.runs_dir, asked.changes)
    if waiting := waiting_workers(study.folder):
        lines.insert(0, f"its workers wait in the queue: {waiting}")
    plan = study.plan
    if plan.trials is None and asked.seconds is None and not (plan.patience or plan.max_epochs):
        raise InputError(
            f"{study.name} has no number of trials",
            "Give --trials N, --timeout TIME, --patience N or --max-epochs N",
        )
    return study, lines


def _executor(asked: Asked, plan: Plan | None) -> Executor:
    assert plan is not None
    where, threads = asked.where, plan.space.base.training.threads
    if where.executor == "ray":
        from core.tuning.executors.ray_executor import RayExecutor

        return RayExecutor(
            where.ray_address, where.jobs, None if threads == "auto" else threads, where.gpus_per_trial
        )
    if where.gpus is not None:
        ensure_there(where.gpus)
    return LocalProcesses(where.jobs or 1, None if threads == "auto" else threads, where.processes)


def _tell_slots(executor: Executor, where: Where, view: StudyView) -> None:
    if line := getattr(executor, "line", ""):  # of a cluster
        view.show(StudyNotice(level="info", message=line))
    if where.processes > 1:
        text = f"each trial trains in {where.processes} processes on this machine"
        view.show(StudyNotice(level="info", message=text))
    if where.jobs and executor.slots < where.jobs:
        text = (
            f"{counted(executor.slots, 'trial')} at once instead of {where.jobs}: there are not enough cores"
        )
        view.show(StudyNotice(level="info", message=text))


def _limit_by_memory(executor: Executor, plan: Plan, where: Where, view: StudyView) -> None:
    """Run no more trials at once than there is memory for: the system would kill one of them."""
    if not isinstance(executor, LocalProcesses):
        return
    needed = (plan.trial_bytes or PROCESS_BYTES) * where.processes
    needed = round(where.trial_memory * 1e9) if where.trial_memory else needed
    free = memory().available
    fitting = slots_that_fit(executor.slots, needed)
    facts = f"a trial needs about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
    if fitting < executor.slots:
        text = f"{counted(fitting, 'trial')} at once instead of {executor.slots}: {facts}. Override: --trial-memory GB"
        view.show(StudyNotice(level="info", message=text))
        threads = plan.space.base.training.threads
        known = None if threads == "auto" else threads
        executor.slots, executor.threads = local_slots(fitting, known, where.processes)
    elif needed > free:
        view.show(StudyNotice(level="warning", message=f"a trial may not fit into memory: {facts}"))


def _spread(executor: Executor, plan: Plan, where: Where, view: StudyView) -> None:
    """Spread local trials over the GPUs of this machine, and report it."""
    if not isinstance(executor, LocalProcesses):
        return
    executor.placing = placing_of(plan, executor.slots, where.gpus, where.processes)
    if executor.placing.line:
        text = f"{executor.placing.line}. Override: --gpus 0,2, --jobs N"
        view.show(StudyNotice(level="info", message=text))


def _tell_error(finished: StudyFinished) -> None:
    if finished.error:
        print(f"error: {clean(finished.error)}", file=sys.stderr)


def _print(study: TuningStudy, finished: StudyFinished, beside: list[str]) -> None:
    from rich.console import Console

    from tui.headless.study_report import print_study

    print_study(study, finished, Console(highlight=False), beside)
