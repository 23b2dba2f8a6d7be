"""The training loop. It knows no thread, no file and no terminal: events go to `emit`, state to `checkpoints`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from core.config import TrainConfig
from core.control import RunControl
from core.data.batches import Batches, epoch_order
from core.data.dataset import Dataset
from core.errors import RunError
from core.evaluation.predict import validate
from core.events import CheckpointSaved, EpochFinished, Event, Notice, RunPaused, RunResumed, StepLogged
from core.losses import resolve_loss
from core.meter import Meter

__all__ = ["Checkpoints", "TrainingResult", "train"]

LOG_SECONDS = 0.1
MAX_PENDING_STEPS = 256
SAVE_SECONDS = 1.0
"""Shortest time between two checkpoints at the ends of short epochs."""
KEPT_BYTES = 31 << 20
"""Just below the largest block that glibc learns its thresholds from; see `_keep_freed_memory`."""

State = dict[str, Any]


class Checkpoints(Protocol):
    """Where states are kept."""

    def save(self, state: State, kind: Literal["last", "best"]) -> None:
        """Keep `state` safely, in place of the earlier one of its kind.

        Raises:
            RunError: it cannot be written; the earlier one is still good.
        """


@dataclass(frozen=True)
class TrainingResult:
    """How training ended. `best_weights` is the state_dict of the best epoch, or None before the first."""

    status: Literal["completed", "stopped", "diverged"]
    epoch: int
    step: int
    best_epoch: int
    best_weights: dict[str, Tensor] | None
    error: str = ""


@dataclass
class _Progress:
    """Where training is: what a checkpoint holds beside weights and optimizer."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_value: float = math.inf
    best_metrics: dict[str, float] = field(default_factory=dict)
    stale_epochs: int = 0
    epoch_seconds: float = 0.0
    meter: dict[str, float] = field(default_factory=dict)


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
) -> TrainingResult:
    """Train `model` in place; from the beginning, or exactly on from a checkpoint.

    Args:
        config: what to train and how; its loss must fit the data's task.
        emit: told everything, on the calling thread; see `core.events`.
        control: looked at after every batch.
        device: where to compute; the model is moved there.
        resume_from: a state that `checkpoints` was given as ``last``, with the weights given as ``best`` beside
            it under ``best_weights``.

    Raises:
        ConfigError: the loss does not fit the data.
    """
    _keep_freed_memory()
    loop = _Loop(config, data, model.to(device), emit, control, checkpoints, device)
    if resume_from is not None:
        loop.restore(resume_from)
    while loop.at.epoch < config.training.epochs and not loop.out_of_patience():
        if not loop.train_epoch():
            return loop.interrupted()
        loop.finish_epoch()
        if loop.error:
            return loop.result("diverged")
    loop.save()
    return loop.result("completed")


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
    ) -> None:
        self.config, self.data, self.model = config, data, model
        self.emit, self.control, self.checkpoints = emit, control, checkpoints
        self.loss = resolve_loss(config.loss, data.task).build(data.task)
        self.optimizer = config.optimizer.build(model.parameters())
        self.train_set = Batches(data.train, data, device)
        self.validation_set = Batches(data.validation, data, device)
        self.device = device
        self.steps_per_epoch = self.train_set.count(config.training.batch_size)
        self.meter = Meter(data.task)
        self.at = _Progress()
        self.best_weights: dict[str, Tensor] | None = None
        self.best_unsaved = False
        self.saved_at = self.logged_at = time.perf_counter()
        self.warned_of_divergence = False
        self.error = ""

    def train_epoch(self) -> bool:
        """The steps that are left of this epoch; False when the loop was asked to end or diverged."""
        settings, at, meter = self.config.training, self.at, self.meter
        weights = list(self.model.parameters())
        order = epoch_order(len(self.train_set), settings.seed, at.epoch)
        self.epoch_started = time.perf_counter() - at.epoch_seconds
        meter.restore(at.meter)
        self.model.train()
        for inputs, targets in self.train_set.iterate(settings.batch_size, order, first=at.batch):
            self.set_learning_rate()
            for weight in weights:  # what zero_grad does, without its hooks for profilers
                weight.grad = None
            outputs = self.model(inputs)
            loss = self.loss(outputs, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            meter.add(loss, outputs, targets)
            at.batch += 1
            at.step += 1
            if self.control.attention and not self.attend():
                return False
            if meter.pending >= MAX_PENDING_STEPS or time.perf_counter() - self.logged_at > LOG_SECONDS:
                self.log()
                if self.error:
                    return False
        self.log()
        return not self.error

    def finish_epoch(self) -> None:
        """Validate, tell, and save."""
        at, settings = self.at, self.config.training
        validation, confusion = validate(self.model, self.validation_set, self.loss, self.data)
        value = validation.get("loss", -at.epoch)  # without validation the latest epoch counts as the best
        best = value < at.best_value
        if not math.isfinite(value):
            self.diverge("validation loss")
            if self.error:
                return
        at.epoch, at.batch, at.meter = at.epoch + 1, 0, {}
        at.stale_epochs += 1
        train = self.meter.mean()
        if best:
            at.best_epoch, at.best_value, at.best_metrics = at.epoch, value, validation or train
            at.stale_epochs = 0
            self.best_weights = {
                key: tensor.detach().clone() for key, tensor in self.model.state_dict().items()
            }
            self.best_unsaved = True
        self.emit(
            EpochFinished(
                epoch=at.epoch,
                step=at.step,
                train=train,
                validation=validation,
                lr=self.optimizer.param_groups[0]["lr"],
                seconds=time.perf_counter() - self.epoch_started,
                best_epoch=at.best_epoch,
                best_metrics=at.best_metrics,
                confusion=confusion,
            )
        )
        at.epoch_seconds = 0.0
        if time.perf_counter() - self.saved_at > SAVE_SECONDS and at.epoch < settings.epochs:
            self.save()

    def out_of_patience(self) -> bool:
        """Whether validation has not become better for too long."""
        patience = self.config.training.patience
        if not patience or self.at.stale_epochs < patience:
            return False
        message = f"validation loss has not become better for {patience} epochs: ending early"
        self.emit(Notice(level="info", message=message))
        return True

    def set_learning_rate(self) -> None:
        """Apply the schedule to the coming step."""
        schedule, at = self.config.schedule, self.at
        if schedule.name == "constant":
            return
        steps = self.steps_per_epoch * self.config.training.epochs
        lr = self.config.optimizer.lr * schedule.factor(at.step, steps, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def log(self) -> None:
        """Read the meter; as often as the clock says, tell the means since the last time and save."""
        self.meter.read()
        now, at = time.perf_counter(), self.at
        diverged = not math.isfinite(self.meter.loss)
        if now - self.logged_at > LOG_SECONDS or diverged:
            self.logged_at = now
            metrics, rate = self.meter.since_logged()
            lr = self.optimizer.param_groups[0]["lr"]
            self.emit(
                StepLogged(epoch=at.epoch + 1, step=at.step, train=metrics, lr=lr, samples_per_second=rate)
            )
        if diverged:
            self.diverge("loss")
        elif now - self.saved_at > 60 * self.config.training.checkpoint_minutes:
            self.save()

    def diverge(self, what: str) -> None:
        """Tell that a loss is not finite any more; end the run unless the configuration says to go on."""
        if self.warned_of_divergence:
            return
        self.warned_of_divergence = True
        lr = self.optimizer.param_groups[0]["lr"]
        place = f"epoch {self.at.epoch + 1}, step {self.at.step}"
        message = f"the {what} became NaN or infinite in {place} (learning rate {lr:g}): try a smaller learning rate"
        self.emit(Notice(level="error", message=message))
        if self.config.training.on_divergence == "stop":
            self.error = message

    def attend(self) -> bool:
        """Do what was asked for; False when the loop shall end."""
        while self.control.attention:
            if self.control.take_checkpoint_request():
                self.save()
            if self.control.stop_requested:
                return False
            if self.control.paused:
                self.pause()
        return True

    def pause(self) -> None:
        """Wait, and leave the waiting out of the clock."""
        began = time.perf_counter()
        self.log()
        self.emit(RunPaused(epoch=self.at.epoch + 1, step=self.at.step))
        while self.control.paused:
            self.control.wait_while_paused()
            if self.control.take_checkpoint_request():
                self.save()
        self.emit(RunResumed(epoch=self.at.epoch + 1, step=self.at.step))
        self.epoch_started += time.perf_counter() - began

    def interrupted(self) -> TrainingResult:
        """The result of an epoch that was not finished."""
        if self.error:
            return self.result("diverged")
        self.save()
        return self.result("stopped")

    def result(self, status: Literal["completed", "stopped", "diverged"]) -> TrainingResult:
        """What `train` returns."""
        at = self.at
        return TrainingResult(status, at.epoch, at.step, at.best_epoch, self.best_weights, self.error)

    def save(self) -> None:
        """Keep the state, the best epoch first: what `last` speaks of must exist."""
        self.meter.read()
        if self.at.batch:
            self.at.meter = self.meter.state()
            self.at.epoch_seconds = time.perf_counter() - self.epoch_started
        try:
            if self.best_unsaved and self.best_weights is not None:
                best = {"model": self.best_weights, "epoch": self.at.best_epoch, "value": self.at.best_value}
                self.checkpoints.save(best, "best")
                self.best_unsaved = False
                self.emit(CheckpointSaved(kind="best", epoch=self.at.best_epoch, step=self.at.step))
            self.checkpoints.save(self.state(), "last")
            self.emit(CheckpointSaved(kind="last", epoch=self.at.epoch, step=self.at.step))
        except RunError as error:
            self.emit(Notice(level="error", message=f"checkpoint not saved: {error}"))
        self.saved_at = time.perf_counter()

    def state(self) -> State:
        """All that `restore` needs to go on bit for bit."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": vars(self.at).copy(),
            "rng": _rng_state(self.device),
        }

    def restore(self, state: State) -> None:
        """Take over a state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.at = _Progress(**state["progress"])
        self.best_weights = state["best_weights"]
        _set_rng_state(state["rng"], self.device)


def _keep_freed_memory() -> None:
    """Let the C library keep what one step frees for the next one.

    Otherwise it may give the memory back to the system and fault it in again, step after step. glibc raises its
    thresholds for that when a large block is freed (mallopt(3), M_MMAP_THRESHOLD); elsewhere this does nothing.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)


def _rng_state(device: torch.device) -> dict[str, Tensor]:
    """States of the random generators that training draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def _set_rng_state(state: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])
