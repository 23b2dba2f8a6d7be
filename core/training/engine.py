"""The training loop. It knows no file and no terminal: events go to `emit`, states to `checkpoints`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.augment.augmenter import augmenter
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.events import EpochFinished, Event, Notice, RunPaused, RunResumed, StepLogged
from core.metrics import check_monitor
from core.training.distributed import SINGLE, Group, Meetings
from core.training.forward_pass import tensor_cores
from core.training.layer_stats import LayerWatch
from core.training.learner import Learner
from core.training.meter import Meter
from core.training.progress import Progress, badness, early_end, time_is_up
from core.training.saver import Checkpoints, Saver, State, naming_what_does_not_fit
from core.training.step import Gradients
from core.training.threads import Threads
from core.training.validation import validate

__all__ = ["TrainingResult", "train"]

LOG_SECONDS = 0.1
MAX_PENDING_STEPS = 256
SAVE_SECONDS = 1.0
"""Shortest time between two checkpoints at the ends of short epochs."""
KEPT_BYTES = 31 << 20
"""Freeing a block of this size once lets glibc keep what each step frees for the next one, in place of giving it back
to the system and faulting it in again (mallopt(3), M_MMAP_THRESHOLD). Elsewhere it does nothing."""


@dataclass(frozen=True)
class TrainingResult:
    """How training ended. `best_weights` is the state_dict of the best epoch, or None before the first."""

    status: Literal["completed", "stopped", "diverged"]
    epoch: int
    step: int
    best_epoch: int
    best_weights: dict[str, Tensor] | None
    error: str = ""


def train(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    *,
    emit: Callable[[Event], None],
    control: RunControl,
    checkpoints: Checkpoints,
    device: torch.device,
    resume_from: State | None = None,
    threads: Threads | None = None,
    group: Group = SINGLE,
    gradients: Gradients | None = None,
) -> TrainingResult:
    """Train `model` in place; from the beginning, or exactly on from a checkpoint.

    Args:
        config: what to train and how; its loss must fit the data's task.
        emit: told everything, on the calling thread; see `core.events`.
        control: looked at after every batch.
        device: where to compute; the model is moved there.
        checkpoints: given states on another thread.
        resume_from: a state that `checkpoints` was given as ``last``.
        group: the processes that train together; each calls this with the same configuration and data.
        threads: chooses the number of processor threads again when training becomes slow; None leaves it.
        gradients: asked first for what computes them; see `core.training.step`.

    Raises:
        ConfigError: the loss or the monitored number does not fit the data.
        RunDamaged: `resume_from` is not a state of this model and optimizer.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)
    loop = _Loop(
        config, data, model.to(device), emit, control, checkpoints, device, threads, group, gradients
    )
    try:
        if resume_from is not None:
            loop.restore(resume_from)
        group.part_random_numbers(config.training.seed, loop.at.step)
        with tensor_cores(config.training.precision):
            while loop.at.epoch < config.training.epochs and not loop.ends_early():
                if not (loop.train_epoch() and loop.finish_epoch()):
                    return loop.result("stopped")
        return loop.result("completed")
    finally:
        loop.saver.close()


class _Loop:
    """State of one call of `train`."""

    def __init__(
        self,
        config: TrainConfig,
        data: Dataset,
        model: nn.Module,
        emit: Callable[[Event], None],
        control: RunControl,
        checkpoints: Checkpoints,
        device: torch.device,
        threads: Threads | None,
        group: Group,
        gradients: Gradients | None,
    ) -> None:
        self.config, self.data, self.threads, self.group = config, data, threads, group
        self.emit, self.saver = emit, Saver(checkpoints)
        self.meetings = Meetings(control, group) if group.size > 1 else None
        self.control = self.meetings.control if self.meetings else control
        group.ensure_fits(config, len(data.train))
        check_monitor(config.training.monitor, data.task)
        self.learner = Learner(config, data, model, device, group, gradients)
        self.train_set = Batches(data.train, data, device)
        self.validation_set = Batches(data.validation, data, device)
        self.steps_per_epoch = self.train_set.count(config.training.step_samples)
        self.augment = augmenter(config.data, data, config.loss, config.training.seed)
        self.meter = Meter(data.task)
        self.at = Progress()
        self.best: State | None = None
        self.began = self.logged_at = time.perf_counter()
        self.warned_of_divergence = self.watches_layers = False
        self.error = ""
        if config.training.watch_layers:
            self.watch_layers()

    def train_epoch(self) -> bool:
        """The steps that are left of this epoch, or of the time; False when asked to end, or diverged."""
        settings, at, meter, learner = self.config.training, self.at, self.meter, self.learner
        order = training_order(settings, self.data, at.epoch)
        self.epoch_started = time.perf_counter() - at.epoch_seconds
        meter.restore(at.meter)
        learner.model.train()
        augment = self.augment(at.epoch)
        batches = self.train_set.iterate(settings.step_samples, order, at.batch, augment, self.group)
        for inputs, targets in batches:
            if self.meetings:
                learner.share.weight = self.share(len(targets))
            learner.set_learning_rate(at.step, self.steps_per_epoch, at.schedule)
            loss, outputs = learner.step(inputs, targets)
            meter.add(loss, outputs, targets)
            at.batch += 1
            at.step += 1
            if self.log_is_due():
                self.log()
                if self.error or time_is_up(settings, at):
                    break
            if self.control.attention and not self.attend():
                return False
        self.log()
        return not self.error

    def share(self, samples: int) -> float:
        """The part of the coming step's samples that are this process's."""
        size = self.config.training.step_samples
        return samples / min(size, len(self.train_set) - self.at.batch * size)

    def log_is_due(self) -> bool:
        """By the clock; among several processes at the step that they have agreed on."""
        if self.meetings:
            return self.at.step >= self.meetings.next_step
        return self.meter.pending >= MAX_PENDING_STEPS or time.perf_counter() - self.logged_at > LOG_SECONDS

    def finish_epoch(self) -> bool:
        """Validate, tell, and save; False when the loop was asked to end before that, or diverged."""
        settings, at, learner, control = self.config.training, self.at, self.learner, self.control
        self.group.take_statistics(learner.judged)
        measured = validate(
            learner.judged,
            self.validation_set,
            learner.loss,
            self.data,
            lambda: control.stop_requested,
            settings.precision,
            self.group,
        )
        if measured is None:
            return False
        validation, confusion = measured
        if not math.isfinite(validation.get("loss", 0.0)):
            self.diverge("validation loss")
            if self.error:
                return False
        at.seconds = self.group.of_first(time.perf_counter() - self.began)
        train = self.meter.mean(self.group)
        seconds = time.perf_counter() - self.epoch_started
        value = badness(settings, validation, at.epoch)
        at.schedule = dict(self.config.schedule.after_epoch(at.schedule, value))
        if at.finish_epoch(value, validation or train, settings.min_delta):
            self.best = {"model": learner.weights(), "epoch": at.epoch, "step": at.step, "value": value}
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
                confusion=confusion,
            )
        )
        if at.epoch < settings.epochs and self.saver.is_due(SAVE_SECONDS):
            self.save()
        self.tell_saved()
        return True

    def ends_early(self) -> bool:
        """Whether there is no sense in, or no time for, another epoch; it is told why."""
        reason = early_end(self.config.training, self.at)
        if reason:
            self.emit(Notice(level="info", message=f"{reason}: ending early"))
        return bool(reason)

    def log(self) -> None:
        """Read the meter; as often as the clock says, tell the means since the last time and save."""
        self.meter.read()
        now, at = time.perf_counter(), self.at
        at.seconds, at.epoch_seconds = now - self.began, now - self.epoch_started
        diverged = not math.isfinite(self.meter.loss)
        save = self.saver.is_due(60 * self.config.training.checkpoint_minutes)
        if self.meetings:
            diverged, save, at.seconds = self.meetings.meet(at.step, diverged, save, at.seconds)
        if now - self.logged_at > LOG_SECONDS or diverged:
            self.logged_at = now
            metrics, rate = self.meter.since_logged()
            self.emit(
                StepLogged(
                    epoch=at.epoch + 1,
                    step=at.step,
                    train=metrics,
                    lr=self.learner.lr,
                    samples_per_second=rate * self.group.size,
                )
            )
            if self.threads is not None and (told := self.threads.hear(rate)):
                self.emit(Notice(level="info", message=told))
        if diverged:
            self.diverge("loss")
        elif save:
            self.save()
        else:
            self.tell_saved()

    def diverge(self, what: str) -> None:
        """Tell that a loss is not finite any more; end the run unless the configuration says to go on."""
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
        """Sample the layers from the next step on; among several processes the first one does, which tells."""
        if not self.watches_layers and not self.group.rank:
            self.watches_layers = True
            watch = LayerWatch(self.learner.model, self.emit, scaled=self.learner.scaler is not None)
            self.learner.step = watch.around(self.learner.step, lambda: (self.at.epoch + 1, self.at.step + 1))

    def attend(self) -> bool:
        """Do what was asked for; False when the loop shall end."""
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
        """Wait, and leave the waiting out of the clock."""
        began = time.perf_counter()
        self.log()
        self.tell_saved(wait=True)
        self.emit(RunPaused(epoch=self.at.epoch + 1, step=self.at.step))
        while self.control.paused:
            self.control.wait_while_paused()
            if self.control.take_checkpoint_request():
                self.save()
                self.tell_saved(wait=True)
        self.emit(RunResumed(epoch=self.at.epoch + 1, step=self.at.step))
        waited = time.perf_counter() - began
        self.began, self.epoch_started = self.began + waited, self.epoch_started + waited

    def result(self, status: Literal["completed", "stopped"]) -> TrainingResult:
        """What `train` returns, when all is saved; of a divergence the best epoch."""
        self.save()
        self.tell_saved(wait=True)
        at, weights = self.at, self.best["model"] if self.best else None
        ending = "diverged" if self.error else status
        return TrainingResult(ending, at.epoch, at.step, at.best_epoch, weights, self.error)

    def save(self) -> None:
        """Begin to keep the state; of a diverged one, the best epoch."""
        self.meter.read()
        if not math.isfinite(self.meter.loss):
            self.diverge("loss")
        at = self.at
        if at.batch:
            at.meter = self.meter.state(self.group)
        if self.group.rank:
            return
        self.tell_saved(wait=True)
        self.saver.begin(None if self.error else self.state(), self.best)

    def tell_saved(self, wait: bool = False) -> None:
        """Tell what became of the last state that was saved."""
        for event in self.saver.news(wait=wait):
            self.emit(event)

    def state(self) -> State:
        """All that `restore` needs to go on bit for bit."""
        progress = vars(self.at).copy()
        return {**self.learner.state(), "progress": progress, "threads": torch.get_num_threads()}

    def restore(self, state: State) -> None:
        """Take over a state."""
        with naming_what_does_not_fit():
            self.learner.restore(state)
            self.at, self.best = Progress(**state["progress"]), state["best"]
            self.began -= self.at.seconds
            if self.group.rank:
                self.at.meter = {}  # the first process has the sums of all
            self.saver.best_epoch = self.best["epoch"] if self.best else 0
