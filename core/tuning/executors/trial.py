"""Training of one trial, in whatever process it is given to."""

import dataclasses
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.dataset import Dataset, no_progress
from core.data.registry import DataConfig, load
from core.errors import TorchtuiError
from core.events import EpochFinished, Event
from core.files.syncing import synced_soon
from core.metrics import value_if_undefined
from core.runs.folder import Run
from core.runs.requests import claimed
from core.runs.summary import RunSummary, summarise
from core.session import session
from core.session.evaluation import trained_model
from core.session.lifecycle import start_or_resume
from core.session.other_ranks import assist, prepare_on_all_ranks
from core.session.resume import resume_state
from core.training.distributed import SINGLE, Group
from core.training.sharding.choice import is_divided
from core.tuning.executors.costs import costs
from core.tuning.executors.protocol import OnEpoch, Outcome, TrialTask
from core.tuning.search.objectives import COSTS
from core.user_code.trust import take_over

__all__ = ["assist_trial", "run_trial", "train_trial"]

Train = Callable[[TrialTask, OnEpoch, RunControl], Outcome]


def run_trial(task: TrialTask, report: OnEpoch, control: RunControl, train: Train | None = None) -> Outcome:
    """Train a trial and return its outcome; never raises.

    Args:
        train: trains one that is not complete; None for `train_trial`.
    """
    began = time.monotonic()
    take_over(task.code)
    try:
        with synced_soon(task.run):
            summary = summarise(Run(task.run))
            if summary.status == "completed":  # the study was killed before it received the outcome
                outcome = _completed(summary, task, None)
            else:
                outcome = (train or train_trial)(task, report, control)
    except Exception as error:  # such as a disk that is full: one trial's failure, not the study's
        outcome = Outcome("failed", reason=_words(error))
    seconds = outcome.seconds or time.monotonic() - began - control.waited
    return dataclasses.replace(outcome, seconds=seconds)


def train_trial(task: TrialTask, report: OnEpoch, control: RunControl, group: Group = SINGLE) -> Outcome:
    """Train a trial in its run folder, from its last checkpoint if it has one, and evaluate it on validation.

    The data has no test samples while trials train: nothing of them can reach the search.

    Args:
        report: called after each epoch; returns false to stop the run after the next batch.
        control: for stopping from outside.
        group: the processes that train it; the others call `assist_trial`.
    """
    run = Run(task.run)
    pruned = False

    def emit(event: Event) -> None:
        nonlocal pruned
        if isinstance(event, EpochFinished) and not pruned:
            value = event.validation.get(task.metric)
            pruned = not report(event.epoch, value if value is not None and math.isfinite(value) else None)
            if pruned:
                control.stop()

    config = configuration.from_dict(task.config)
    with claimed(run, control):
        begun = run.log_file.exists()
        started = start_or_resume(
            config,
            run,
            run.path.parent,
            prepare=partial(prepare_on_all_ranks, group, lambda progress: _prepare(config, task, run)),
            on_progress=no_progress,
            control=control,
        )
        if started is None:
            return Outcome("stopped")
        finished = started.train(
            emit=emit, control=control, baselines=False, intervals=False, written=None if begun else config
        )
    summary = summarise(run)
    if finished.status == "completed":
        prepared = None if is_divided(started.prepared.model) else started.prepared
        return _completed(summary, task, prepared)
    how = "pruned" if pruned and finished.status == "stopped" else finished.status
    return Outcome(how, summary.metrics.get(task.metric), summary.epoch, finished.error)


def assist_trial(task: TrialTask, group: Group) -> None:
    """Train a trial beside the first process of a group, which calls `train_trial`; write and report nothing.

    Raises:
        TorchtuiError: it cannot be prepared, or another process is gone.
    """
    take_over(task.code)
    config, run = configuration.from_dict(task.config), Run(task.run)
    state = resume_state(run, config)
    prepared = prepare_on_all_ranks(group, lambda progress: _prepare(config, task, run), no_progress)
    assist(prepared, control=RunControl(), state=state)


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, TorchtuiError) else f"{type(error).__name__}: {error}"


def _prepare(config: TrainConfig, task: TrialTask, run: Run) -> session.Prepared:
    try:
        prepared = session.assemble(config, _data(config.data, task.data_root), run=run)
    except Exception as error:  # such as a network that fills the memory
        raise TorchtuiError(_words(error)) from error
    threads = min(prepared.threads, task.threads)
    return dataclasses.replace(prepared, threads=threads)


_loaded: list[tuple[DataConfig, Path | None, Dataset]] = []
"""The data of the last trial of this process, and where it is from; settings with lists in them have no hash."""


def _data(config: DataConfig, root: Path | None) -> Dataset:
    """Load the data without its test split, once in a process."""
    if not _loaded or _loaded[0][:2] != (config, root):
        data = load(config, root)
        test = data.test.rows(slice(0))
        _loaded[:] = [(config, root, dataclasses.replace(data, test=test))]
    return _loaded[0][2]


def _completed(summary: RunSummary, task: TrialTask, prepared: session.Prepared | None) -> Outcome:
    """The outcome of a trial that completed; without what it was trained with, that is loaded where it is needed."""
    known = {**summary.evaluation.get("validation", {}), **summary.metrics}
    value = known.get(task.metric)
    if task.metric in known and (value is None or math.isnan(value)):
        value = value_if_undefined(task.metric)  # it ranks last, and its search goes on
    others: dict[str, float | None] = {name: known.get(name) for name in task.weighed}
    if any(name in COSTS for name in task.weighed):
        trained = prepared or trained_model(summary.run, data_root=task.data_root)
        others |= costs(trained, summary.run, task.weighed)
    for name, number in ((task.metric, value), *others.items()):
        if number is None or not math.isfinite(number):
            return Outcome(
                "failed", epochs=summary.epoch, reason=f"its evaluation on validation has no {name}"
            )
    found = {name: number for name, number in others.items() if number is not None}
    return Outcome("completed", value, summary.epoch, costs=found)
