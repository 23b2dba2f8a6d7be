"""One session of a run: train, evaluate and record, on the calling thread.

`core.session.preparation` finds every mistake before anything is written; `core.session.lifecycle` joins the two.
"""

import os
import socket
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from core.config import schema as configuration
from core.control import RunControl
from core.determinism import deterministic
from core.errors import ProcessLost, RunDamaged, RunError, TorchtuiError
from core.evaluation import Predictions, Report
from core.evaluation.values import Array
from core.events import EvaluationFinished, Event, Notice, RunFinished, RunStarted
from core.gpus.process import gpu_note
from core.inference.chosen import decided_by
from core.inference.own_report import report_steps
from core.inference.predict import predict
from core.inference.saving import save_evaluation
from core.observers.hub import observing
from core.observers.later_checks import checking_later
from core.observers.settings import ALONE, Extras
from core.runs.checkpoints import FolderCheckpoints, State
from core.runs.code import from_copies
from core.runs.creating import create_run, write_config
from core.runs.data_facts import write_data_facts
from core.runs.folder import Run
from core.runs.jobs.record import note_job
from core.runs.lock import missing_lock_warning
from core.runs.log import EventLog
from core.runs.media.store import MediaStore
from core.runs.origin.environment import write_environment
from core.runs.requests import claimed
from core.session.baselines.beside import train_beside
from core.session.calibrate import with_temperature
from core.session.garbage import freeze_garbage_collector, give_back_what_loading_left
from core.session.preparation import Prepared, assemble, prepare, with_whole_network
from core.session.recorder import Recorder
from core.session.resume import mend, resume_state
from core.session.stream_workers import choose_workers
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_of
from core.torchrun import restarts_done, restarts_left
from core.training.context import TrainingContext
from core.training.distributed import explain_lost_rank
from core.training.engine import TrainingResult, train
from core.training.memory import explain_oom
from core.training.metrics.own_metrics import with_own_metrics
from core.training.own.samples import Shown
from core.training.sharding.choice import is_divided
from core.training.sharding.saving import writers_for
from core.training.threads import Threads
from core.user_code.batch_notes import notes_of
from core.user_code.loading import as_user_error

__all__ = [
    "Prepared",
    "assemble",
    "evaluate_split",
    "execute",
    "new_run",
    "prepare",
    "resume_state",
    "training_context",
]

Emit = Callable[[Event], None]


def new_run(prepared: Prepared, runs_dir: Path, name: str = "", together: str = "") -> Run:
    """Create a run folder with the configuration and the environment in it, and the name that the user gave it.

    Args:
        together: the start of several runs that it belongs to, see `core.runs.origin.together`; empty for none.

    Raises:
        RunError: the folder cannot be written.
    """

    def document(run: Run) -> None:
        write_environment(run, together)
        note_job(run)

    return create_run(runs_dir, prepared.config, also=document, name=name)


def execute(
    prepared: Prepared,
    run: Run,
    *,
    emit: Emit,
    control: RunControl,
    state: State | None = None,
    extras: Extras = ALONE,
    is_claimed: bool = False,
    baselines: bool = True,
    intervals: bool = True,
    written: configuration.TrainConfig | None = None,
) -> RunFinished:
    """Train in an existing folder, then evaluate validation and test once with the best weights.

    Events go to the run's log first, then to `emit`. An error during training ends the run as failed; the returned
    event, which is logged too, names it.

    Args:
        state: the checkpoint to resume from; None trains from the start.
        extras: observers of the run; `emit` may then be called from other threads, one at a time.
        baselines: false leaves out simple models beside the run, as trials do, which share those of their study.
        intervals: false leaves them to whoever opens the evaluation, as most trials are never opened.
        is_claimed: true if the caller has claimed the run already, as one does who prepares it.
        written: the configuration in its folder, where the caller knows it; None reads it.

    Raises:
        RunError: the folder cannot be written, or another process trains this run.
    """
    with claimed(None if is_claimed else run, control):
        known = configuration.to_given(written or run.config())
        if (
            configuration.to_given(prepared.config) != known
        ):  # such as more epochs, or the model that was chosen
            write_config(run, prepared.config)
        write_data_facts(run, prepared.data, checked=not prepared.unchecked)
        begun = run.log_file.exists()
        recorder = Recorder(EventLog(run), emit)
        with observing(run, extras, recorder.emit, str(prepared.device)) as observers:
            media = MediaStore(run, observers.emit, extras.media) if extras.media else None
            finished = _attempt(
                prepared, run, observers.emit, control, state, begun, baselines, intervals, media
            )
            observers.end(finished)
        recorder.close()
    return finished


def _attempt(
    prepared: Prepared,
    run: Run,
    emit: Emit,
    control: RunControl,
    state: State | None,
    begun: bool,
    baselines: bool,
    intervals: bool,
    media: MediaStore | None,
) -> RunFinished:
    """Train and evaluate; return how it ended, whatever went wrong."""
    try:
        with (
            explain_oom(prepared.config, prepared.summary, prepared.device),
            deterministic(prepared.config.training.deterministic),
            explain_lost_rank(prepared.group),
        ):
            context = training_context(replace(prepared, config=from_copies(prepared.config, run)), state)
            context = replace(context, media=media)
            emit(_started(prepared, state))
            if message := gpu_note():
                emit(Notice(level="info", message=message))
            if restarted := restarts_done():
                message = f"a process was lost: restart {restarted} of {restarted + restarts_left()}"
                emit(Notice(level="warning", message=message))
            if message := choose_workers(prepared):
                emit(Notice(level="info", message=message))
            if message := missing_lock_warning(run):
                emit(Notice(level="warning", message=message))
            if context.threads is not None and context.threads.failure:
                emit(Notice(level="info", message=context.threads.failure))
            for notice in prepared.notices if state is None else ():
                emit(notice)
            for note in prepared.data.notes if state is None else ():
                emit(Notice(level="info", message=note))
            for warning in prepared.data.warnings if state is None else ():
                emit(Notice(level="warning", message=warning))
            if begun and state is None:
                message = "the run ended before a checkpoint was saved: it starts over"
                emit(Notice(level="info", message=message))
            return _run(prepared, run, emit, control, state, context, baselines, intervals)
    except (Exception, SystemExit) as error:  # a user's network may call sys.exit
        if isinstance(error, ProcessLost) and restarts_left() > 0:
            raise  # this is not the end of the run
        known = error if isinstance(error, TorchtuiError) else as_user_error(error)
        trace = known.trace if known else traceback.format_exc()
        text = (str(known) if known else f"{type(error).__name__}: {error}") + notes_of(error)
        return RunFinished(status="failed", error=text, traceback=trace)


def training_context(prepared: Prepared, state: State | None) -> TrainingContext:
    """Set the configured number of threads, the checkpoint's, or the fastest; return the context of the training."""
    threads = None
    if prepared.config.training.threads != "auto" or prepared.device.type != "cpu" or prepared.threads == 1:
        torch.set_num_threads(prepared.threads)
    else:
        threads = Threads(prepared.config, prepared.data, prepared.model, prepared.threads)
        if state is not None and "threads" in state:
            torch.set_num_threads(state["threads"])
        else:
            threads.choose()
    return TrainingContext(prepared.device, prepared.group, threads, prepared.own_metrics)


def _run(
    prepared: Prepared,
    run: Run,
    emit: Emit,
    control: RunControl,
    state: State | None,
    context: TrainingContext,
    baselines: bool,
    intervals: bool,
) -> RunFinished:
    config, kept = from_copies(prepared.config, run), prepared.config.checkpoints
    if state is not None:  # by this process alone
        mend(run, state, FolderCheckpoints(run, kept), emit)
    checkpoints = FolderCheckpoints(run, kept, writers_for(prepared.config.training, prepared.group, run))
    freeze_garbage_collector()
    give_back_what_loading_left(prepared.data)
    result = train(
        config,
        prepared.data,
        prepared.model,
        context,
        emit=checking_later(prepared.data, config.data, run, emit, control) if prepared.unchecked else emit,
        control=control,
        checkpoints=checkpoints,
        resume_from=state,
    )
    if result.status == "completed":
        _evaluate_best(prepared, run, result, emit, intervals)
        if baselines:
            train_beside(prepared, run, emit, control)
    return RunFinished(status=result.status, error=result.error)


def _started(prepared: Prepared, state: State | None) -> RunStarted:
    config, data = prepared.config, prepared.data
    done = state["progress"] if state else {"epoch": 0, "step": 0}
    return RunStarted(
        config=configuration.to_dict(config),
        task=data.task,
        samples={name: len(split) for name, split in data.splits.items()},
        classes=list(data.class_names),
        sample_shape=list(data.sample_shape),
        parameters=prepared.summary.parameters,
        device=str(prepared.device),
        threads=torch.get_num_threads(),
        epochs=config.training.epochs,
        steps_per_epoch=config.training.steps_per_epoch(len(data.train)),
        epoch=done["epoch"],
        step=done["step"],
        monitor=config.training.monitor,
        metrics=prepared.reported,
        higher_is_better=prepared.directions,
        pid=os.getpid(),
        host=socket.gethostname(),
        processes=prepared.group.size,
    )


def _evaluate_best(prepared: Prepared, run: Run, result: TrainingResult, emit: Emit, intervals: bool) -> None:
    """Evaluate validation, and the test split once, unless it shall stay untouched."""
    if result.best_weights is None:
        monitor = prepared.config.training.monitor
        raise RunDamaged(f"no epoch had a finite validation {monitor}: there are no best weights to evaluate")
    if is_divided(prepared.model):
        prepared = with_whole_network(prepared, run, result.best_weights)
    else:
        prepared.model.load_state_dict(result.best_weights)
    prepared = with_temperature(prepared.with_scorer(run, result.best_loss_weights), run)
    for split in prepared.config.evaluated_splits:
        if not len(prepared.data.splits[split]):
            continue
        predictions, report, samples = _evaluated(prepared, run, split, intervals)
        try:
            save_evaluation(run, predictions, report, samples)
        except RunError as error:
            emit(Notice(level="error", message=f"evaluation on {split} not saved: {error}"))
        emit(EvaluationFinished(split=split, metrics=report.metrics))


def evaluate_split(
    prepared: Prepared, run: Run, split: str, thresholds: Array | None = None
) -> dict[str, float | None]:
    """Predict a split with the model's current weights, and save predictions and report in the run's folder.

    Args:
        thresholds: as predictions have them, in place of those that validation gives.

    Returns:
        The report's headline metrics.

    Raises:
        RunError: they cannot be written.
    """
    predictions, report, samples = _evaluated(prepared, run, split, thresholds=thresholds)
    save_evaluation(run, predictions, report, samples)
    return report.metrics


def _evaluated(
    prepared: Prepared, run: Run, split: str, intervals: bool = True, thresholds: Array | None = None
) -> tuple[Predictions, Report, Shown | None]:
    data, config = prepared.data, prepared.config
    if task_of(data.task).own_step:
        report, samples = report_steps(prepared.model, split, data, config.training, prepared.device)
        return Predictions.none(), report, samples
    predictions = predict(prepared.model, split, data, prepared.scorer, prepared.device)
    if thresholds is None:
        predictions = task_of(data.task).decided(
            predictions, lambda: _of_validation(prepared, predictions, split), data.class_names
        )
    else:
        predictions = replace(predictions, thresholds=thresholds)
    predictions, chosen_by = decided_by(run, predictions, data.class_names)
    names = data.class_names or data.target_names
    report = evaluate(predictions, task=data.task, class_names=names, split=split, intervals=intervals)
    report = replace(report, weighted_by=data.weight_name, provisional=not intervals, chosen_by=chosen_by)
    return predictions, with_own_metrics(report, predictions, prepared.own_metrics), None


def _of_validation(prepared: Prepared, predictions: Predictions, split: str) -> Predictions | None:
    """Return the predictions of validation: those of `split` if it is that; None where nothing is held out."""
    if split == "validation":
        return predictions
    if not len(prepared.data.validation):
        return None
    return predict(prepared.model, "validation", prepared.data, prepared.scorer, prepared.device)
