"""State that training changes: weights and optimizer, the step that changes them, and how they resume."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.config.schema import TrainConfig
from core.data.batches import Batch, Batches
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.losses.base import Scorer
from core.losses.own_loss import OwnLoss
from core.metrics import lower_is_better
from core.models.moving_average import MovingAverage
from core.optimizers.fused import why_not_fused
from core.optimizers.several import SeveralOptimizers
from core.random_state import rng_state, set_rng_state
from core.runs.checkpoints import State
from core.schedules.base import RunLength, ScheduleState
from core.schedules.own_scheduler import OwnScheduler
from core.tasks.base import Counted
from core.tasks.losses import resolve_loss
from core.tasks.registry import task_of
from core.torch_private import leave_compiler_out
from core.training.context import TrainingContext
from core.training.cuda_graphs import Captured, wants_graphs
from core.training.distributed import SINGLE, Group, Share
from core.training.forward_pass import forward_function, loss_scaler
from core.training.gradients.layerwise import LayerwiseGradients, goes_by_layers
from core.training.gradients.synced_norm import REMEDY, sync_norms
from core.training.meter import Meter
from core.training.metrics.epoch_metrics import EpochMetrics
from core.training.plain_state import as_plain
from core.training.sharding.arranging import arrange
from core.training.sharding.choice import is_sharded
from core.training.sharding.path import Path
from core.training.step import Step, autograd_gradients, step_function
from core.training.validation import validate
from core.user_code.loading import references

__all__ = ["Learner"]


class Learner:
    """A model on its device, with what trains it.

    What depends on the task is in the methods that `core.training.own.learner` overrides.

    Args:
        data: its task must be one that the configured loss fits.
        model: lies on the device of `context`; trained in place.

    Attributes:
        share: of this process in the coming step, among several processes.
        trained: all that is trained: `model`, and with it a loss that has weights.
        eval_model: the model to validate, keep and evaluate: `model`, or the moving average of its weights.
        step: trains on one batch; see `core.training.step`.
        media: images, texts and histograms by name that the last validation gave; see `core.runs.media`.
        media_note: a sentence on what of them is not kept; empty if it was reported.

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
        self.share = Share()
        varies = not config.model.STATIC or task_of(data.task).own_step
        self.path = Path(context.group) if context.group.size > 1 and varies else None
        self._sync_norms()
        self.loss_module: nn.Module = nn.Module()
        self.scorer: Scorer | None = None
        self.build_loss()
        self.metrics = EpochMetrics(config, data, context.own_metrics, self.scorer)
        self.trained = (
            TrainedTogether(model, self.loss_module) if list(self.loss_module.parameters()) else model
        )
        self.ema = MovingAverage(model, settings.ema) if settings.ema else None
        self.eval_model: nn.Module = self.ema.module if self.ema else model
        self.is_sharded = is_sharded(settings, context.group)
        own_loss = self.trained is not model
        arrange(config, data, model, self.ema and self.eval_model, context, self.path, own_loss=own_loss)
        self.optimizer = self.build_optimizer()
        if self.is_sharded and isinstance(self.optimizer, Optimizer):
            from core.training.sharding.dividing import choose_kernels

            choose_kernels(self.optimizer)
        self.rates = self.base_rates()
        self.length = RunLength(settings.epochs, settings.steps_per_epoch(len(data.train)))
        self.schedule = config.schedule.loaded(self.length)
        self.scheduler = self.build_scheduler()
        self.last_lr: float | None = None
        self.scaler = loss_scaler(settings.precision, context.device)
        self.media: dict[str, Any] = {}
        self.media_note = ""
        self.step = self.build_step()
        self._told_of_fused = False

    def _sync_norms(self) -> None:
        """Let batch normalisation see the samples of all processes, if it shall.

        Raises:
            ConfigError: batches that are accumulated cannot be divided evenly.
        """
        settings, group = self.config.training, self.context.group
        sharded = is_sharded(settings, group)
        group = group if settings.sync_batch_norm else SINGLE
        weighted = Share() if sharded else self.share
        self.has_synced_norms = sync_norms(self.model, group, weighted, self.share, self.path)
        if self.has_synced_norms and settings.accumulate > 1 and settings.batch_size % group.size:
            raise ConfigError(
                f"training.batch_size: batches of {settings.batch_size} that are accumulated in {group.size} processes "
                "give batch norm other samples together than in one",
                f"Use a multiple of {group.size}, or do not accumulate",
                field="training.batch_size",
            )

    def build_loss(self) -> None:
        """Set what is minimised, and what makes scores of outputs; a loss of the user's own is both, and a module."""
        options, facts = resolve_loss(self.config.loss, self.data.task), self.data.target_facts
        self.loss = options.build(facts) if self.data.train.weights is None else options.weighted(facts)
        self.scorer = self.loss if isinstance(self.loss, OwnLoss) else options.scorer(facts)
        if isinstance(self.loss, OwnLoss):
            self.loss_module = self.loss.to(self.context.device)

    def build_optimizer(self) -> Optimizer | SeveralOptimizers:
        """Return what moves the weights."""
        return self.config.optimizer.build(self.trained)

    def build_scheduler(self) -> OwnScheduler | None:
        """Return the user's own scheduler of the learning rate; None if the rate follows `schedule`."""
        assert isinstance(self.optimizer, Optimizer)
        monitor = self.config.training.monitor
        lower = lower_is_better(monitor, self.metrics.higher_is_better)
        return self.config.schedule.scheduler(self.optimizer, self.length, monitor, lower_is_better=lower)

    def base_rates(self) -> list[float]:
        """Return the learning rate of each group of the optimizer, before the schedule."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def build_step(self, around: Callable[[Step], Step] | None = None) -> Step:
        """Return what trains on one batch.

        Args:
            around: takes what computes the gradients, and returns what is called in its place, such as to time it.
        """
        assert isinstance(self.optimizer, Optimizer)
        gradients = self._gradients()
        return step_function(
            self.config.training,
            self.model,
            self.loss,
            self.optimizer,
            gradients=around(gradients) if around else gradients,
            scaler=self.scaler,
            ema=self.ema,
            weights=list(self.trained.parameters()),
        )

    def meter(self) -> Any:
        """Return what sums up the numbers of steps; see `core.training.meter`."""
        return Meter(self.data.task)

    def validate(
        self, batches: Batches, should_stop: Callable[[], bool]
    ) -> tuple[dict[str, float], Counted] | None:
        """Return the numbers of one pass over a split, and its counts of classes; None once it is to stop."""
        precision, group = self.config.training.precision, self.context.group
        return validate(
            self.eval_model,
            batches,
            self.loss,
            self.data,
            should_stop,
            precision,
            group,
            self.metrics,
            self.scorer,
        )

    def take_share(self, batch: Batch, total: int) -> None:
        """Set what this process takes of the coming step; all of several must call it.

        Args:
            batch: its samples. total: how many all processes have.
        """
        counting = task_of(self.data.task).weight_of(batch.targets, batch.weights)
        coming = self.context.group.share_of(total, counting)
        self.share.weight, self.share.most, self.share.stands_in = (
            coming.weight,
            coming.most,
            not coming.weight,
        )

    def train(self) -> None:
        """Set network and loss to training mode."""
        self.model.train()
        self.loss_module.train()

    def eval(self) -> None:
        """Set network and loss to evaluation mode."""
        self.eval_model.eval()
        self.loss_module.eval()

    def answers(self, outputs: Any) -> Any:
        """Return what outputs (b, m) predict, without gradients: scores (b, classes), or numbers (b, 1)."""
        if self.scorer is None or not self.scorer.converts:
            return outputs
        with torch.no_grad():
            return self.scorer.scores(outputs.detach())

    def _gradients(self) -> Step:
        """Return what computes the gradients of a step: autograd, a CUDA graph of it, or layer by layer."""
        settings, model, context = self.config.training, self.model, self.context
        if self.is_sharded:
            return self._sharded_gradients()
        if self.path is not None and self.has_synced_norms:
            model.register_forward_hook(partial(_reach_end, self.path))
        network = context.group.wrap(model, self.share, any_unused=not self.config.model.STATIC)
        gradients = autograd_gradients(
            settings,
            forward_function(settings, network, context.device),
            self.loss,
            scaler=self.scaler,
            processes=context.group.size,
            share=self.share,
            no_sync=getattr(network, "no_sync", nullcontext),
        )
        if wants_graphs(self.config, model, context.device, context.group):
            return Captured(gradients, list(self.trained.parameters()), settings.batch_size)
        if (
            network is model
            and not settings.activation_checkpointing
            and isinstance(model, nn.Sequential)
            and goes_by_layers(settings, model, self.loss)
        ):
            return LayerwiseGradients(gradients, model, self.loss)
        weights = list(self.loss_module.parameters())
        if context.group.size > 1 and weights:
            return partial(_summing_gradients, context.group, self.share, weights, gradients)
        return gradients

    def _sharded_gradients(self) -> Step:
        """Return what computes the gradients of a step with divided weights, each process's weighted by its share."""
        settings, group = self.config.training, self.context.group
        gradients = autograd_gradients(
            settings,
            forward_function(settings, self.model, self.context.device),
            self.loss,
            processes=group.size,
            share=self.share,
            divided=True,
        )
        if self.config.model.STATIC:
            return gradients
        from core.training.sharding.unused import leaving_unused

        return leaving_unused(gradients, self.model, group)

    @property
    def lr(self) -> float:
        """Learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"]) if self.last_lr is None else self.last_lr

    def set_learning_rate(self, step: int, steps_per_epoch: int, seen: ScheduleState) -> None:
        """Apply the schedule to the coming step, counted from 0.

        Args:
            seen: what the schedule has seen of the epochs so far.
        """
        if self.scheduler is not None:
            self.scheduler.before_step(step)
            self.last_lr = float(self.optimizer.param_groups[0]["lr"])
            return
        if self.config.schedule.name == "constant" and not self.config.schedule.warmup:
            return
        steps = steps_per_epoch * self.config.training.epochs
        factor = self.schedule.factor(step, steps, steps_per_epoch, seen)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def rate_jump(self, step: int, epochs: int, seen: ScheduleState) -> str:
        """Return how the learning rate jumps where a run goes on with another number of epochs; empty if it does not.

        Args:
            step: steps done.
            epochs: the number of epochs so far.
        """
        if not step or epochs == self.length.epochs:
            return ""
        if self.scheduler is not None:
            was, now = self.scheduler.restored_rates
        else:
            each = self.length.steps_per_epoch
            factor = self.config.schedule.loaded(RunLength(epochs, each)).factor(
                step - 1, epochs * each, each, seen
            )
            goes_on = self.schedule.factor(step - 1, self.length.steps, each, seen)
            if math.isclose(factor, goes_on, rel_tol=1e-6):
                return ""
            was, now = (
                self.rates[0] * factor,
                self.rates[0] * self.schedule.factor(step, self.length.steps, each, seen),
            )
        if math.isclose(was, now, rel_tol=1e-6):
            return ""
        return (
            f"the run has {self.length.epochs} epochs instead of {epochs}: the learning rate jumps from {was:.3g} "
            f"to {now:.3g} after step {step}"
        )

    def finish_epoch(self, value: float) -> None:
        """Let the user's own scheduler take the monitored number of an epoch."""
        if self.scheduler is not None:
            self.scheduler.after_epoch(value)

    def report_given_up(self) -> str:
        """Return in a sentence, once, what the engine does without for this network; empty if it is nothing so far."""
        if self._told_of_fused or not isinstance(self.optimizer, Optimizer):
            return ""
        if self.config.optimizer.name == "python" or not (reason := why_not_fused(self.optimizer)):
            return ""
        self._told_of_fused = True
        return f"the optimizer does without fused kernels, which do not take the network's {reason}"

    def best_state(self) -> State:
        """Return copies in main memory of the state_dicts of `eval_model`, and of the user's own loss if it has one."""
        state = self._divided({"model": self.eval_model.state_dict()})
        if loss := self.loss_module.state_dict():
            state["loss"] = loss
        return {
            name: {key: _in_main_memory(value) for key, value in part.items()} for name, part in state.items()
        }

    def state(self) -> State:
        """Return all that `restore` needs to resume bit for bit; its tensors are those of the model."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": rng_state(self.context.device),
        }
        if loss := self.loss_module.state_dict():
            state["loss"] = loss
        if self.scheduler is not None:
            state["schedule"] = self.scheduler.state()
        if self.ema:
            state["ema"] = self.ema.state_dict()
        if self.scaler:
            state["scaler"] = self.scaler.state_dict()
        if references(self.config):
            state = as_plain(state)
        return self._divided(state)

    def own_best(self, best: State | None) -> State | None:
        """Return the state of a best epoch as `best_state` does, from one that is whole."""
        if best is None or not self.is_sharded:
            return best
        from core.training.sharding.state import own_best

        return own_best(best, self.eval_model)

    def _divided(self, state: State) -> State:
        """Return a state, of divided weights with the parts of this process apart."""
        if not self.is_sharded:
            return state
        from core.training.sharding.state import divided

        return divided(state)

    def restore(self, state: State) -> None:
        """Take over a state; raises any of torch's errors for one of another model or optimizer."""
        if self.is_sharded:
            from core.training.sharding.state import own_parts

            whole, state = state, own_parts(state, self.model, self.optimizer, self.ema)
            for part in ("model", "optimizer", "ema"):  # the others may not fit into memory beside these
                whole.pop(part, None)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loss_module.load_state_dict(state.get("loss", {}))
        if self.scheduler is not None:
            self.scheduler.restore(state["schedule"])
        if self.ema:
            self.ema.load_state_dict(state["ema"])
        if self.scaler:
            self.scaler.load_state_dict(state["scaler"])
        set_rng_state(state["rng"], self.context.device)


def _in_main_memory(value: Any) -> Any:
    """Return a copy of a value of a state_dict: a tensor, or what a network's `get_extra_state` returned."""
    return value.to("cpu", copy=True) if isinstance(value, Tensor) else copy.deepcopy(value)


class TrainedTogether(nn.Module):
    """A network and a loss with weights of its own: its parameters are those of both, under their own names."""

    def __init__(self, model: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters of the network by their names, and those of the loss as ``loss.NAME``."""
        yield from self.model.named_parameters(prefix, recurse, remove_duplicate)
        yield from self.loss.named_parameters(prefix, recurse, remove_duplicate)


def _reach_end(path: Path, model: nn.Module, *_: object) -> None:
    """Compare the processes before gradients are added up; each validates batches of its own."""
    if model.training:
        path.reach("the end of the network", REMEDY)


def _summing_gradients(
    group: Group,
    share: Share,
    weights: Sequence[nn.Parameter],
    gradients: Step,
    batch: Batch,
) -> tuple[Tensor, Any]:
    """Add up the gradients of a loss's own weights over all processes, as those of the network are."""
    result = gradients(batch)
    group.add_up([weight.grad for weight in weights if weight.grad is not None], share)
    return result
