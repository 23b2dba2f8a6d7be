"""Tuning without screens: make or open a study, work on it, print what it found."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.control import RunControl
from core.errors import InputError
from core.machine import memory
from core.runs.folder import Run, find_run
from core.runs.labels import write_labels
from core.tuning.confirm.study import ask_to_confirm, seeds_asked_for
from core.tuning.executors.executors import Executor, LocalProcesses, local_slots
from core.tuning.executors.trial_memory import PROCESS_BYTES, slots_that_fit
from core.tuning.search.plan import ExecutorName, Plan
from core.tuning.study.priors import learn_from, learned_from, start_of, start_with, start_with_current
from core.tuning.study.records import StudyFinished, StudyNotice
from core.tuning.study.study import TuningStudy, check_plan, create_study, open_study
from core.tuning.study.tuner import tune as work_on
from tui.headless.study_views import StudyView, choose_study_view
from tui.runtime.console import bounded_output
from tui.runtime.signals import GuardedOutput, ignore_hangup, signals_stop
from tui.runtime.study_process import console_file, is_worked_on
from tui.terminal.text import clean

if TYPE_CHECKING:
    from core.data.dataset import Progress

__all__ = ["Asked", "Changes", "Where", "tune"]


@dataclass(frozen=True)
class Where:
    """Executor of trials.

    Attributes:
        jobs: how many at once; None for the executor's own choice.
        trial_memory: GB that a local trial needs; None for an estimate.
    """

    jobs: int | None = None
    trial_memory: float | None = None
    executor: ExecutorName = "local"
    ray_address: str | None = None
    gpus_per_trial: float = 0


@dataclass(frozen=True)
class Changes:
    """Settings that may change each time that someone works on a study.

    Attributes:
        start_with: runs whose values are tried first. learn_from: studies whose trials the search method learns.
        patience, max_epochs: see `core.tuning.search.plan.make_plan`; None keeps those of the study.
        ranges: other ends of some ranges of an earlier study, plain domains by path.
    """

    start_with: Sequence[str] = ()
    learn_from: Sequence[str] = ()
    patience: int | None = None
    max_epochs: int | None = None
    ranges: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """Request of a user: a new study by its `plan`, or one to resume by its name in `resume`.

    Attributes:
        trials: new total number of trials of an earlier study; None keeps it.
        seconds: time limit; None for no limit.
        storage: URL of a database; None for a file in the study's folder.
        confirm: seeds with which the best trials are trained again; None for what the study was asked for before.
        name: what the user calls the study; empty keeps what it is called.
    """

    plan: Plan | None
    resume: str
    trials: int | None
    seconds: float | None
    storage: str | None
    where: Where
    runs_dir: Path
    data_root: Path | None
    confirm: int | None = None
    changes: Changes = Changes()
    name: str = ""


def tune(asked: Asked, *, as_json: bool, quiet: bool) -> int:
    """Work on a study, show it, and give the exit code.

    Raises:
        TorchtuiError: the plan does not fit; no trial was started.
    """
    view = choose_study_view(as_json=as_json, quiet=quiet)
    control = RunControl()
    with ignore_hangup(), signals_stop(control) as received:
        study = None if asked.plan is not None else _reopen(asked)
        executor = _executor(asked, study.plan if study else asked.plan)  # its imports run while we check
        try:
            lines = _tell_known(study, _others(asked)) if study else []
            if study is None:
                study, lines = _create(asked, view.preparing)
                if because := study.plan.because:
                    lines.insert(0, f"method {study.plan.method}: {because}")
            if asked.name:
                write_labels(study.folder.path, name=asked.name)
            for line in lines:
                view.show(StudyNotice(level="info", message=line))
            if asked.confirm is not None:
                ask_to_confirm(study, asked.confirm)
            _tell_slots(executor, asked.where, view)
            _limit_by_memory(executor, study.plan, asked.where, view)
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


def _create(asked: Asked, progress: "Progress") -> tuple[TuningStudy, list[str]]:
    assert asked.plan is not None
    runs, studies = others = _others(asked)
    plan = check_plan(asked.plan, asked.data_root, progress)
    for run in runs:  # what does not fit is found before a folder is made
        start_of(plan, run)
    for other in studies:
        learned_from(plan, other)
    study = create_study(asked.runs_dir, plan, asked.storage)
    line = start_with_current(study)
    return study, [*([line] if line else []), *_tell_known(study, others)]


def _others(asked: Asked) -> tuple[list[Run], list[TuningStudy]]:
    """Return the runs to start with, and the studies to learn from."""
    runs = [find_run(asked.runs_dir, reference) for reference in asked.changes.start_with]
    return runs, [open_study(asked.runs_dir, reference) for reference in asked.changes.learn_from]


def _tell_known(study: TuningStudy, others: tuple[list[Run], list[TuningStudy]]) -> list[str]:
    """Add what is known beforehand to a study; return what there is to report."""
    runs, studies = others
    learned = [learn_from(study, other) for other in studies]
    return [*learned, *(start_with(study, run) for run in runs)]


def _reopen(asked: Asked) -> TuningStudy:
    study = open_study(asked.runs_dir, asked.resume, asked.storage)
    if study.paused and not is_worked_on(study.folder):
        study.go_on()  # a process that joins a paused study waits too
    if asked.trials is not None:
        study = study.with_trials(asked.trials)
    changes = asked.changes
    if changes.patience is not None or changes.max_epochs is not None:
        study = study.with_limits(changes.patience, changes.max_epochs)
    if changes.ranges:
        study = study.with_ranges(changes.ranges)
    plan = study.plan
    if plan.trials is None and asked.seconds is None and not (plan.patience or plan.max_epochs):
        raise InputError(
            f"{study.name} has no number of trials",
            "Give --trials N, --timeout TIME, --patience N or --max-epochs N",
        )
    return study


def _executor(asked: Asked, plan: Plan | None) -> Executor:
    assert plan is not None
    where, threads = asked.where, plan.space.base.training.threads
    if where.executor == "ray":
        from core.tuning.executors.ray_executor import RayExecutor

        return RayExecutor(
            where.ray_address, where.jobs, None if threads == "auto" else threads, where.gpus_per_trial
        )
    return LocalProcesses(where.jobs or 1, None if threads == "auto" else threads)


def _tell_slots(executor: Executor, where: Where, view: StudyView) -> None:
    if where.jobs and executor.slots < where.jobs:
        text = f"{executor.slots} trials at once instead of {where.jobs}: there are not enough cores"
        view.show(StudyNotice(level="info", message=text))


def _limit_by_memory(executor: Executor, plan: Plan, where: Where, view: StudyView) -> None:
    """Run no more trials at once than there is memory for: the system would kill one of them."""
    if not isinstance(executor, LocalProcesses):
        return
    needed = round(where.trial_memory * 1e9) if where.trial_memory else plan.trial_bytes or PROCESS_BYTES
    free = memory().available
    fitting = slots_that_fit(executor.slots, needed)
    facts = f"a trial needs about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
    if fitting < executor.slots:
        text = f"{fitting} trials at once instead of {executor.slots}: {facts}. Override: --trial-memory GB"
        view.show(StudyNotice(level="info", message=text))
        threads = plan.space.base.training.threads
        executor.slots, executor.threads = local_slots(fitting, None if threads == "auto" else threads)
    elif needed > free:
        view.show(StudyNotice(level="warning", message=f"a trial may not fit into memory: {facts}"))


def _tell_error(finished: StudyFinished) -> None:
    if finished.error:
        print(f"error: {clean(finished.error)}", file=sys.stderr)


def _print(study: TuningStudy, finished: StudyFinished, beside: list[str]) -> None:
    from rich.console import Console

    from tui.headless.study_report import print_study

    print_study(study, finished, Console(highlight=False), beside)
