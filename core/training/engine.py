"""The training loop. It knows neither files nor a terminal: events go to `emit`, states to `checkpoints`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.augment.augmenter import augmenter
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.data.stream.batches import batches_of
from core.data.stream.memory import keep_large_blocks
from core.errors import DataError, TorchtuiError
from core.events import EpochFinished, Event, Notice, RunPaused, RunResumed, StepLogged
from core.random_state import rng_state, set_rng_state
from core.runs.checkpoints import State
from core.runs.history.class_history import counts_to_log
from core.tasks.metrics import check_metrics
from core.training.context import TrainingContext
from core.training.distributed import SyncPoints
from core.training.forward_pass import tensor_cores
from core.training.layer_stats import LayerWatch
from core.training.own.learner import learner_for
from core.training.progress import TrainingProgress, early_end, monitored_loss, time_is_up
from core.training.saver import Checkpoints, Saver, explain_mismatch
from core.training.sharding.choice import is_sharded
from core.user_code.batch_notes import note_batch

__all__ = ["TrainingResult", "train"]

LOG_SECONDS = 0.1
MAX_PENDING_STEPS = 256
SAVE_SECONDS = 1.0
"""Shortest time between two checkpoints at the ends of short epochs."""
MMAP_BYTES = 31 << 20


@dataclass(frozen=True)
class TrainingResult:
    """The end of a training.

    `best_weights` is the state_dict of the best epoch, or None before the first; `best_loss_weights` that of the
    user's own loss.
    """

    status: Literal["completed", "stopped", "diverged"]
    epoch: int
    step: int
    best_epoch: int
    best_weights: dict[str, Tensor] | None
    error: str = ""
    best_loss_weights: dict[str, Tensor] = field(default_factory=dict)


def train(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    context: TrainingContext,
    *,
    emit: Callable[[Event], None],
    control: RunControl,
    checkpoints: Checkpoints,
    resume_from: State | None = None,
) -> TrainingResult:
    """Train `model` in place, from the start or from a checkpoint on, bit for bit as if it had never stopped.

    Args:
        config: what to train and how; its loss must fit the data's task.
        emit: takes every event, on the calling thread; see `core.events`.
        control: looked at after every batch.
        checkpoints: takes states on another thread.
        resume_from: a state that `checkpoints` was given as ``last``.

    Raises:
        ConfigError: the loss or the monitored number does not fit the data.
        RunDamaged: `resume_from` is not a state of this model and optimizer, or not that of all processes.
    """
    keep_large_blocks()
    raise_mmap_threshold()
    if not is_sharded(config.training, context.group):  # else it may not fit on one device
        model.to(context.device)
    loop = _Loop(config, data, model, context, emit, control, checkpoints)
    try:
        if resume_from is not None:
            loop.restore(resume_from)
        context.group.check_step(loop.at.step)
        with tensor_cores(config.training.precision):
            while loop.at.epoch < config.training.epochs and not loop.ends_early():
                if not (loop.train_epoch() and loop.finish_epoch()):
                    return loop.result("stopped")
        return loop.result("completed")
    finally:
        loop.saver.close()


def raise_mmap_threshold() -> None:
    """Make glibc keep the memory that each step frees for the next one.

    Once a block of this size was freed, smaller ones are no longer given back to the system and faulted in again
    (mallopt(3), M_MMAP_THRESHOLD). Other C libraries are not affected.
    """
    torch.empty(MMAP_BYTES, dtype=torch.uint8)


class _Loop:
    """State of one call of `train`."""

    def __init__(
        self,
        config: TrainConfig,
        data: Dataset,
        model: nn.Module,
        context: TrainingContext,
        emit: Callable[[Event], None],
        control: RunControl,
        checkpoints: Checkpoints,
    ) -> None:
        self.config, self.data, self.threads, self.group = config, data, context.threads, context.group
        self.emit, self.saver = emit, Saver(checkpoints)
        self.sync_points = SyncPoints(control, self.group) if self.group.size > 1 else None
        self.control = self.sync_points.control if self.sync_points else control
        self.group.check_batches(config)
        check_metrics(config.training.metrics, config.training.monitor, data.task, data.outputs)
        self.learner = learner_for(config, data, model, context)
        self.train_set = batches_of(data.train, data, context.device, self.should_stop)
        self.validation_set = batches_of(data.validation, data, context.device, self.should_stop)
        self.steps_per_epoch = config.training.steps_per_epoch(len(data.train))
        self.augment = augmenter(config.data, data, config.loss, config.training.seed)
        self.meter = self.learner.meter()
        self.at = TrainingProgress()
        self.best: State | None = None
        self.began = self.logged_at = time.perf_counter()
        self.waited = 0.0
        self.warned_of_divergence = self.watches_layers = False
        self.error = ""
        if config.training.watch_layers:
            self.watch_layers()

    def train_epoch(self) -> bool:
        """Take the remaining steps of this epoch, as far as time allows; False if asked to stop, or diverged."""
        settings, at, meter, learner = self.config.training, self.at, self.meter, self.learner
        order = training_order(settings, self.data, at.epoch)
        self.epoch_started = time.perf_counter() - at.epoch_seconds
        meter.restore(at.meter)
        learner.train()
        augment = self.augment(at.epoch)
        draws = settings.seed, at.epoch
        batches = self.train_set.iterate(settings.step_samples, order, at.batch, augment, self.group, draws)
        asked = time.perf_counter()
        for batch in batches:
            self.waited += time.perf_counter() - asked
            if self.sync_points:
                self.group.seed_rank(settings.seed, at.step)
                left = len(order) - at.batch * settings.step_samples
                learner.take_share(batch, min(settings.step_samples, left))
            learner.set_learning_rate(at.step, self.steps_per_epoch, at.schedule)
            try:
                loss, outputs = learner.step(batch)
            except BaseException as error:
                note_batch(error, f"epoch {at.epoch + 1}, batch {at.batch + 1}", batch.inputs, batch.targets)
                raise
            if not learner.share.stands_in:
                meter.add(loss, learner.answers(outputs), batch)
            at.batch += 1
            at.step += 1
            if self.log_is_due():
                self.log()
                if self.error or time_is_up(settings, at):
                    break
            if self.control.attention and not self.obey():
                return False
            asked = time.perf_counter()
        self.log()
        return not self.error and not self.should_stop()

    def should_stop(self) -> bool:
        """Return whether the run was asked to stop; also polled while a batch is waited for."""
        return self.control.stop_requested

    def log_is_due(self) -> bool:
        """Decide by the clock; among several processes, by the step that they have agreed on."""
        if self.sync_points:
            return self.at.step >= self.sync_points.next_step
        return self.meter.pending >= MAX_PENDING_STEPS or time.perf_counter() - self.logged_at > LOG_SECONDS

    def finish_epoch(self) -> bool:
        """Validate, report, and save; False if the loop was asked to stop before that, or diverged."""
        settings, at, learner = self.config.training, self.at, self.learner
        self.group.broadcast_buffers(learner.eval_model)
        self.group.broadcast_buffers(learner.loss_module)
        learner.eval()
        self.group.seed_rank(settings.seed, at.step, validating=True)
        random = rng_state(learner.context.device)
        try:
            measured = learner.validate(self.validation_set, self.should_stop)
        except BaseException as error:
            if not isinstance(error, TorchtuiError):
                error.add_note(f"after epoch {at.epoch + 1}")
            raise
        if measured is None:
            # The validation starts over when the run is resumed: a network may draw random numbers in it.
            set_rng_state(random, learner.context.device)
            return False
        validation, counted = measured
        if not math.isfinite(validation.get("loss", 0.0)):
            self.diverge("validation loss")
            if self.error:
                return False
        at.seconds = self.group.of_first(time.perf_counter() - self.began)
        train = self.meter.mean(self.group)
        seconds = time.perf_counter() - self.epoch_started
        value = monitored_loss(settings, validation, at.epoch, learner.metrics.higher_is_better)
        at.schedule = dict(self.config.schedule.after_epoch(at.schedule, value))
        learner.finish_epoch((validation or train).get(settings.monitor, math.nan))
        # a fold is scored: were it to choose the epoch as well, the score would be too good
        scored = bool(self.config.data.folds)
        if at.finish_epoch(value, validation or train, settings.min_delta, keep_latest=scored):
            self.best = {**learner.best_state(), "epoch": at.epoch, "step": at.step, "value": value}
        before = time.perf_counter()
        self.emit(
            EpochFinished(
                epoch=at.epoch,
                epochs=settings.epochs,
                step=at.step,
                train=train,
                validation=validation,
                lr=learner.lr,
                seconds=seconds,
                best_epoch=at.best_epoch,
                best_metrics=at.best_metrics,
                **counts_to_log(counted),
            )
        )
        taken = time.perf_counter() - before  # whoever takes it may check the data, which is no training
        self.began, self.logged_at = self.began + taken, self.logged_at + taken
        if message := learner.metrics.report_cost(seconds):
            self.emit(Notice(level="info", message=message))
        self.keep_media()
        kept = self.config.checkpoints
        is_kept = kept.wants(at.epoch, at.rank(value, kept.keep))
        if is_kept or (at.epoch < settings.epochs and self.is_agreed(self.saver.is_due(SAVE_SECONDS))):
            self.save(as_epoch=is_kept)
        self.emit_saved()
        if self.sync_points:  # whoever took the report may have asked to stop
            self.sync_points.control.sync()
        return True

    def keep_media(self) -> None:
        """Keep what the validation gave to look at; a value that cannot be kept is reported, and ends nothing."""
        store, at = self.learner.context.media, self.at
        media, self.learner.media = self.learner.media, {}
        note, self.learner.media_note = self.learner.media_note, ""
        if store is None:
            return
        if note:
            self.emit(Notice(level="warning", message=note))
        for name, item in media.items():
            try:
                store.keep(name, item, step=at.step, epoch=at.epoch, done=at.step)
            except DataError as error:
                self.emit(Notice(level="warning", message=f"not kept: {error}"))

    def ends_early(self) -> bool:
        """Return true, and report why, if another epoch makes no sense or there is no time for one."""
        reason = early_end(self.config.training, self.at)
        if reason:
            self.emit(Notice(level="info", message=f"{reason}: stopping early"))
        return bool(reason)

    def log(self) -> None:
        """Read the meter; as often as the clock says, report the means since the last time, and save."""
        self.meter.read()
        now, at = time.perf_counter(), self.at
        at.seconds, at.epoch_seconds = now - self.began, now - self.epoch_started
        diverged = not math.isfinite(self.meter.loss)
        save = self.saver.is_due(60 * self.config.training.checkpoint_minutes)
        if self.sync_points:
            diverged, save, at.seconds = self.sync_points.sync(at.step, diverged, save, at.seconds)
        if now - self.logged_at > LOG_SECONDS or diverged:
            waiting, self.waited = self.waited / (now - self.logged_at), 0.0
            self.logged_at = now
            metrics, rate = self.meter.since_logged()
            self.emit(
                StepLogged(
                    epoch=at.epoch + 1,
                    step=at.step,
                    train=metrics,
                    lr=self.learner.lr,
                    samples_per_second=rate * self.group.size,
                    waiting=round(min(waiting, 1.0), 3),
                )
            )
            if self.threads is not None and (message := self.threads.report_rate(rate)):
                self.emit(Notice(level="info", message=message))
        if message := self.learner.report_given_up():
            self.emit(Notice(level="info", message=message))
        if diverged:
            self.diverge("loss")
        elif save:
            self.save()
        else:
            self.emit_saved()

    def diverge(self, what: str) -> None:
        """Report a loss that is no longer finite; end the run unless the configuration says to continue."""
        if self.warned_of_divergence:
            return
        self.warned_of_divergence = True
        place = f"epoch {self.at.epoch + 1}, step {self.at.step}"
        message = (
            f"the {what} became NaN or infinite in {place} (learning rate {self.learner.lr:g}): "
            "try a smaller learning rate"
        )
        self.emit(Notice(level="error", message=message))
        if self.config.training.on_divergence == "stop":
            self.error = message

    def watch_layers(self) -> None:
        """Sample the layers from the next step on; among several processes only the first one reports."""
        if not self.watches_layers and self.takes_part:
            self.watches_layers = True
            scaled = self.learner.scaler is not None
            watch = LayerWatch(self.learner.model, self.emit, scaled=scaled, is_agreed=self.is_agreed)
            self.learner.step = watch.around(self.learner.step, lambda: (self.at.epoch + 1, self.at.step + 1))

    def obey(self) -> bool:
        """Do what was requested; False if the loop is to stop."""
        while self.control.attention:
            if self.control.take_checkpoint_request():
                self.save()
            if self.control.take_layers_request():
                self.watch_layers()
            if self.control.stop_requested:
                return False
            if self.control.paused:
                self.pause()
        return True

    def pause(self) -> None:
        """Wait, and take the time spent waiting off the clock."""
        began = time.perf_counter()
        self.log()
        self.emit_saved(wait=True)
        self.emit(RunPaused(epoch=self.at.epoch + 1, step=self.at.step))
        while self.control.paused:
            self.control.wait_while_paused()
            if self.control.take_checkpoint_request():
                self.save()
                self.emit_saved(wait=True)
        self.emit(RunResumed(epoch=self.at.epoch + 1, step=self.at.step))
        waited = time.perf_counter() - began
        self.began, self.epoch_started = self.began + waited, self.epoch_started + waited

    def result(self, status: Literal["completed", "stopped"]) -> TrainingResult:
        """Save the state, or of a diverged one the best epoch; return the result of `train`."""
        self.save()
        self.emit_saved(wait=True)
        if self.saver.problem:
            self.emit(Notice(level="error", message=f"the end of the run is not saved: {self.saver.problem}"))
        at, best = self.at, self.best or {}
        ending = "diverged" if self.error else status
        if ending == "completed" and "divided" in best:
            from core.training.sharding.state import gathered

            best = gathered(best, self.group)
        weights, loss = best.get("model"), best.get("loss", {})
        return TrainingResult(ending, at.epoch, at.step, at.best_epoch, weights, self.error, loss)

    @property
    def takes_part(self) -> bool:
        """True if this process saves and measures: the first one of several, or each where weights are divided."""
        return not self.group.rank or self.learner.is_sharded

    def is_agreed(self, own: bool) -> bool:
        """Return what this process decides by its clock; where weights are divided, what the first one does."""
        return bool(self.group.of_first(own)) if self.learner.is_sharded else own

    def any_diverged(self) -> bool:
        """Return whether the loss is no longer finite; where weights are divided, in any process."""
        diverged = not math.isfinite(self.meter.loss)
        return bool(self.group.maxima([diverged])[0]) if self.learner.is_sharded else diverged

    def save(self, *, as_epoch: bool = False) -> None:
        """Start to save the state, also as that of its epoch to keep; of a diverged one, the best epoch."""
        self.meter.read()
        if self.any_diverged():
            self.diverge("loss")
        at = self.at
        if at.batch:
            at.meter = self.meter.state(self.group)
        if not self.takes_part:
            return
        self.emit_saved(wait=True)
        self.saver.start(None if self.error else self.state(), self.best, as_epoch=as_epoch)

    def emit_saved(self, wait: bool = False) -> None:
        """Report the last state that was saved, or the failure to save it."""
        for event in self.saver.pop_events(wait=wait):
            self.emit(event)

    def state(self) -> State:
        """Return all that `restore` needs to resume bit for bit."""
        progress = vars(self.at).copy()
        epochs = self.config.training.epochs
        return {
            **self.learner.state(),
            "progress": progress,
            "epochs": epochs,
            "threads": torch.get_num_threads(),
        }

    def restore(self, state: State) -> None:
        """Take over a state."""
        with explain_mismatch():
            self.learner.restore(state)
            self.at, self.best = TrainingProgress(**state["progress"]), self.learner.own_best(state["best"])
            self.began -= self.at.seconds
            if self.group.rank:
                self.at.meter = {}  # the first process has the sums of all
            self.saver.best_epoch = self.best["epoch"] if self.best else 0
            epochs = int(state.get("epochs", self.config.training.epochs))
        if message := self.learner.rate_jump(self.at.step, epochs, self.at.schedule):
            self.emit(Notice(level="warning", message=message))
