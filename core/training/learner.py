"""What training changes: weights and optimizer, with the step that changes them and the state they resume from."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.losses import resolve_loss
from core.optimizers.without_dynamo import leave_compiler_out
from core.random_state import rng_state, set_rng_state
from core.schedules import ScheduleState
from core.training.cuda_graphs import wants_graphs
from core.training.distributed import SINGLE, Group, Share
from core.training.forward_pass import forward_function, loss_scaler
from core.training.saver import State
from core.training.step import Gradients, running_mean, step_function

__all__ = ["Learner"]


class Learner:
    """A model on its device, with what trains it.

    Args:
        data: its task must be one that the configured loss fits.
        model: lies on `device`; trained in place.
        gradients: asked first for what computes them; see `core.training.step`.

    Attributes:
        share: of the coming step, among several processes.
        judged: the model to validate, keep and evaluate: `model`, or the running mean of its weights.
        step: trains on one batch; see `core.training.step`.

    Raises:
        ConfigError: the loss does not fit the task.
    """

    def __init__(
        self,
        config: TrainConfig,
        data: Dataset,
        model: nn.Module,
        device: torch.device,
        group: Group = SINGLE,
        gradients: Gradients | None = None,
    ) -> None:
        self.config, self.model, self.device = config, model, device
        self.loss = resolve_loss(config.loss, data.task).build(data.task, data.class_counts)
        settings = config.training
        if settings.channels_last:
            model.to(memory_format=torch.channels_last)
        leave_compiler_out()
        self.optimizer = config.optimizer.build(model)
        self.average = running_mean(model, settings.ema) if settings.ema else None
        self.judged: nn.Module = self.average.module if self.average else model
        self.scaler = loss_scaler(settings.precision, device)
        self.share = Share()
        shared = group.wrapped(model, self.share)
        self.step = step_function(
            settings,
            model,
            self.loss,
            self.optimizer,
            forward=forward_function(settings, shared, device),
            average=self.average,
            scaler=self.scaler,
            capture=gradients is None and wants_graphs(config, model, device, group),
            processes=group.size,
            unshared=getattr(shared, "no_sync", nullcontext),
            gradients_of=gradients,
        )

    @property
    def lr(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_learning_rate(self, step: int, steps_per_epoch: int, seen: ScheduleState) -> None:
        """Apply the schedule to the coming step, counted from 0; it has `seen` the epochs so far."""
        schedule = self.config.schedule
        if schedule.name == "constant" and not schedule.warmup:
            return
        steps = steps_per_epoch * self.config.training.epochs
        lr = self.config.optimizer.lr * schedule.factor(step, steps, steps_per_epoch, seen)
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state_dict of `judged` in main memory."""
        return {key: weight.to("cpu", copy=True) for key, weight in self.judged.state_dict().items()}

    def state(self) -> State:
        """All that `restore` needs to go on bit for bit; shares its tensors with the model."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": rng_state(self.device),
        }
        if self.average:
            state["ema"] = self.average.state_dict()
        if self.scaler:
            state["scaler"] = self.scaler.state_dict()
        return state

    def restore(self, state: State) -> None:
        """Take over a state. Raises whatever torch trips over in one of another model or optimizer."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average:
            self.average.load_state_dict(state["ema"])
        if self.scaler:
            self.scaler.load_state_dict(state["scaler"])
        set_rng_state(state["rng"], self.device)
