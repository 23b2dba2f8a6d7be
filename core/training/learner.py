"""State that training changes: weights and optimizer, the step that changes them, and how they resume."""

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.losses import resolve_loss
from core.optimizers.several import SeveralOptimizers
from core.random_state import rng_state, set_rng_state
from core.runs.checkpoints import State
from core.schedules.base import ScheduleState
from core.torch_private import leave_compiler_out
from core.training.context import TrainingContext
from core.training.cuda_graphs import Captured, wants_graphs
from core.training.distributed import Share
from core.training.forward_pass import forward_function, loss_scaler
from core.training.meter import Meter
from core.training.metrics.epoch_metrics import EpochMetrics
from core.training.step import Step, autograd_gradients, ema_model, step_function
from core.training.validation import validate

__all__ = ["Learner"]


class Learner:
    """A model on its device, with what trains it.

    What depends on the task is in the methods that `core.training.own.learner` overrides.

    Args:
        data: its task must be one that the configured loss fits.
        model: lies on the device of `context`; trained in place.

    Attributes:
        share: of this process in the coming step, among several processes.
        eval_model: the model to validate, keep and evaluate: `model`, or the moving average of its weights.
        step: trains on one batch; see `core.training.step`.

    Raises:
        ConfigError: the loss does not fit the task.
    """

    def __init__(
        self, config: TrainConfig, data: Dataset, model: nn.Module, context: TrainingContext
    ) -> None:
        self.config, self.data, self.model, self.context = config, data, model, context
        settings = config.training
        if settings.channels_last:
            model.to(memory_format=torch.channels_last)
        leave_compiler_out()
        self.metrics = EpochMetrics(config, data, context.own_metrics)
        self.optimizer = self.build_optimizer()
        self.rates = self.base_rates()
        self.ema = ema_model(model, settings.ema) if settings.ema else None
        self.eval_model: nn.Module = self.ema.module if self.ema else model
        self.scaler = loss_scaler(settings.precision, context.device)
        self.share = Share()
        self.step = self.build_step()

    def build_optimizer(self) -> Optimizer | SeveralOptimizers:
        """Return what moves the weights."""
        return self.config.optimizer.build(self.model)

    def base_rates(self) -> list[float]:
        """Return the learning rate of each group of the optimizer, before the schedule."""
        return [self.config.optimizer.lr for _ in self.optimizer.param_groups]

    def build_step(self) -> Step:
        """Return what trains on one batch; made once."""
        self.loss = resolve_loss(self.config.loss, self.data.task).build(
            self.data.task, self.data.class_counts
        )
        assert isinstance(self.optimizer, Optimizer)
        return step_function(
            self.config.training,
            self.model,
            self.loss,
            self.optimizer,
            gradients=self._gradients(),
            scaler=self.scaler,
            ema=self.ema,
        )

    def meter(self) -> Any:
        """Return what sums up the numbers of steps; see `core.training.meter`."""
        return Meter(self.data.task)

    def validate(
        self, batches: Batches, should_stop: Callable[[], bool]
    ) -> tuple[dict[str, float], list[list[int]]] | None:
        """Return the numbers of one pass over a split, and its confusion matrix; None once it is to stop."""
        precision, group = self.config.training.precision, self.context.group
        return validate(
            self.eval_model, batches, self.loss, self.data, should_stop, precision, group, self.metrics
        )

    def _gradients(self) -> Step:
        """Return what computes the gradients of a step: the override, autograd, or autograd as a CUDA graph."""
        settings, model, context = self.config.training, self.model, self.context
        network = context.group.wrap(model, self.share, any_unused=not self.config.model.STATIC)
        if context.gradient_fn and (override := context.gradient_fn(settings, model, self.loss)):
            return override
        gradients = autograd_gradients(
            settings,
            forward_function(settings, network, context.device),
            self.loss,
            scaler=self.scaler,
            processes=context.group.size,
            no_sync=getattr(network, "no_sync", nullcontext),
        )
        if context.gradient_fn is None and wants_graphs(self.config, model, context.device, context.group):
            return Captured(gradients, list(model.parameters()), settings.batch_size)
        return gradients

    @property
    def lr(self) -> float:
        """Learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_learning_rate(self, step: int, steps_per_epoch: int, seen: ScheduleState) -> None:
        """Apply the schedule to the coming step, counted from 0.

        Args:
            seen: what the schedule has seen of the epochs so far.
        """
        schedule = self.config.schedule
        if schedule.name == "constant" and not schedule.warmup:
            return
        steps = steps_per_epoch * self.config.training.epochs
        factor = schedule.factor(step, steps, steps_per_epoch, seen)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def weights(self) -> dict[str, Any]:
        """Return a copy of the state_dict of `eval_model` in main memory."""
        return {key: _in_main_memory(value) for key, value in self.eval_model.state_dict().items()}

    def state(self) -> State:
        """Return all that `restore` needs to resume bit for bit; its tensors are those of the model."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": rng_state(self.context.device),
        }
        if self.ema:
            state["ema"] = self.ema.state_dict()
        if self.scaler:
            state["scaler"] = self.scaler.state_dict()
        return state

    def restore(self, state: State) -> None:
        """Take over a state; raises any of torch's errors for one of another model or optimizer."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema:
            self.ema.load_state_dict(state["ema"])
        if self.scaler:
            self.scaler.load_state_dict(state["scaler"])
        set_rng_state(state["rng"], self.context.device)


def _in_main_memory(value: Any) -> Any:
    """Return a copy of a value of a state_dict: a tensor, or what a network's `get_extra_state` returned."""
    return value.to("cpu", copy=True) if isinstance(value, Tensor) else copy.deepcopy(value)
