"""A scheduler of the user's own, stepped as its settings say, with a state that resumes exactly."""

import inspect
import warnings
from typing import Any

from torch.optim import Optimizer

from core.errors import ConfigError, TorchtuiError
from core.schedules.base import RunLength
from core.user_code.loading import as_user_error

__all__ = ["OwnScheduler", "needs_value"]

# Steps of the optimizer that are called without PyTorch's wrapper, or were taken before a resume, are not seen.
warnings.filterwarnings("ignore", r"Detected call of `lr_scheduler\.step", UserWarning)


class OwnScheduler:
    """A scheduler as those of `torch.optim.lr_scheduler`.

    Args:
        per_epoch: it steps after each epoch, otherwise after each step.
        by_length: whether it was given the length of the run: a run of another length follows another curve.

    Attributes:
        calls: how often it has stepped.
        restored_rates: the learning rate before and after the curve of another length was taken up.
    """

    def __init__(
        self,
        scheduler: Any,
        optimizer: Optimizer,
        path: str,
        length: RunLength,
        *,
        per_epoch: bool,
        by_length: bool,
    ) -> None:
        self.scheduler, self.optimizer, self.path, self.length = scheduler, optimizer, path, length
        self.per_epoch, self.by_length = per_epoch, by_length
        self.takes_value = needs_value(type(scheduler))
        self.calls = 0
        self.restored_rates = (0.0, 0.0)
        self._first = [_settings(group) for group in optimizer.param_groups]

    def before_step(self, step: int) -> None:
        """Set the learning rate of the coming step, counted from 0."""
        if step and not self.per_epoch:
            self._step()

    def after_epoch(self, value: float) -> None:
        """Take the monitored number of an epoch, and set the learning rate of the next one."""
        if self.per_epoch:
            self._step(value)

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {"calls": self.calls, "epochs": self.length.epochs, "scheduler": self.scheduler.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state; the groups of the optimizer have been restored.

        If the run has become longer, and its length is an argument, the curve of the new length is followed instead,
        from the place that was reached.
        """
        if state["epochs"] == self.length.epochs or not self.by_length:
            self.scheduler.load_state_dict(state["scheduler"])
            self.calls = state["calls"]
            return
        rate = float(self.optimizer.param_groups[0]["lr"])
        for group, first in zip(self.optimizer.param_groups, self._first, strict=True):
            group.update(first)
        for _ in range(state["calls"]):
            self._step()
        self.restored_rates = (rate, float(self.optimizer.param_groups[0]["lr"]))

    def _step(self, value: float | None = None) -> None:
        try:
            if self.takes_value:
                self.scheduler.step(value)
            else:
                self.scheduler.step()
        except TorchtuiError:
            raise
        except Exception as error:  # the user's own code raises whatever it likes
            said = f"schedule.path: {self.path}: {type(error).__name__}: {error}"
            raise as_user_error(error) or ConfigError(said, field="schedule.path") from None
        self.calls += 1


def needs_value(kind: type[Any]) -> bool:
    """Return whether the steps of a class of schedulers take a number, as those of ``ReduceLROnPlateau`` do."""
    try:
        taken = [*inspect.signature(kind.step).parameters.values()][1:]
    except (AttributeError, TypeError, ValueError):
        return False
    return (
        bool(taken)
        and taken[0].default is inspect.Parameter.empty
        and taken[0].kind
        in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
    )


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != "params"}
