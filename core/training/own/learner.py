"""Learners by task: this is where training with a network's own step differs."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.models.own_step import directions
from core.optimizers.several import SeveralOptimizers
from core.runs.media.kinds import Image, Text
from core.schedules.own_scheduler import OwnScheduler
from core.tasks.base import Counted
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.learner import Learner
from core.training.own.meter import NumberMeter
from core.training.own.numbers import SAMPLES
from core.training.own.step import own_optimizer, own_step
from core.training.own.validation import Validated, validate_steps
from core.training.step import Step

__all__ = ["learner_for"]


def learner_for(config: TrainConfig, data: Dataset, model: nn.Module, context: TrainingContext) -> Learner:
    """Return the learner for the task of the data; see `Learner`.

    Raises:
        ConfigError: the loss does not fit the task.
        ModelError: the network's own methods cannot be used.
    """
    return (_OwnLearner if task_of(data.task).own_step else Learner)(config, data, model, context)


class _OwnLearner(Learner):
    """A model that defines its own step, and maybe its optimizers."""

    def __init__(
        self, config: TrainConfig, data: Dataset, model: nn.Module, context: TrainingContext
    ) -> None:
        super().__init__(config, data, model, context)
        self.metrics.higher_is_better = directions(model)
        self._elsewhere = set[str]()

    def build_loss(self) -> None:
        """Leave it to the network."""

    def build_optimizer(self) -> Optimizer | SeveralOptimizers:
        own = own_optimizer(self.model)
        self.has_own_optimizer = own is not None
        return super().build_optimizer() if own is None else own

    def build_scheduler(self) -> OwnScheduler | None:
        if isinstance(self.optimizer, SeveralOptimizers) and self.config.schedule.name == "python":
            raise ConfigError(
                "schedule.name: a schedule of your own takes one optimizer, and the network has several",
                "Choose another one, or let the network's training_step do it",
                field="schedule.name",
            )
        return None if isinstance(self.optimizer, SeveralOptimizers) else super().build_scheduler()

    def build_step(self, around: Callable[[Step], Step] | None = None) -> Step:
        context = self.context
        return own_step(
            self.config.training,
            self.model,
            self.optimizer,
            context.device,
            scaler=self.scaler,
            ema=self.ema,
            group=context.group,
            share=self.share,
            path=self.path,
            around=around,
        )

    def report_given_up(self) -> str:
        return "" if self.has_own_optimizer else super().report_given_up()

    def meter(self) -> NumberMeter:
        return NumberMeter()

    def validate(
        self, batches: Batches, should_stop: Callable[[], bool]
    ) -> tuple[dict[str, float], Counted] | None:
        settings = self.config.training
        measured = validate_steps(
            self.eval_model,
            batches,
            settings.batch_size,
            should_stop,
            settings.precision,
            self.context.group,
        )
        if measured is None:
            return None
        self.media = _to_look_at(measured)
        if new := sorted({*measured.elsewhere} - self._elsewhere):
            self._elsewhere |= {*new}
            self.media_note = (
                f"{', '.join(new)}: not kept, as only another process gave it: the first one's are kept. "
                "Give it for each batch, or train in one process"
            )
        numbers = measured.numbers
        if numbers and settings.monitor not in numbers:
            raise ConfigError(
                f"training.monitor: '{settings.monitor}' was not among the numbers of this validation",
                f"Takes {' or '.join(numbers)}",
                field="training.monitor",
            )
        return numbers, Counted()


def _to_look_at(validated: Validated) -> dict[str, Any]:
    """Return images, texts and histograms by name, the samples among them."""
    samples = validated.samples
    if samples is None or SAMPLES in validated.media:
        return validated.media
    is_text = isinstance(samples, str) or (
        isinstance(samples, list | tuple) and all(isinstance(line, str) for line in samples)
    )
    layout = "NCHW"[4 - len(getattr(samples, "shape", "NCHW")) :]
    return {SAMPLES: Text(samples) if is_text else Image(samples, layout=layout), **validated.media}
