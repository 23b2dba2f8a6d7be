"""A user's schedule, from a Python file."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.errors import ConfigError
from core.schedules.base import RunLength, Schedule, ScheduleState
from core.user_code.arguments import check_arguments
from core.user_code.loading import Reference, call, load_object

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from core.schedules.own_scheduler import OwnScheduler

__all__ = ["PythonSchedule"]

KINDS = "Give a subclass of torch.optim.lr_scheduler.LRScheduler, or a function (step, steps) that returns a factor"


class PythonSchedule(Schedule):
    """A schedule of your own: a scheduler as those of PyTorch, or a function of the step, in a Python file."""

    GIVEN: ClassVar = 1
    """Arguments of a function that are not settings: the step."""
    FILLED: ClassVar = dict.fromkeys(
        ("optimizer", "steps", "total_steps", "num_training_steps", "T_max", "epochs", "steps_per_epoch"),
        True,
    )
    """Arguments that the run fills when the signature has them, unless they are given."""

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your class or function: FILE.py:NAME, such as mysched.py:Sched."""
    arguments: dict[str, Any] = {}
    """Its arguments; steps, total_steps, T_max, epochs and steps_per_epoch are filled from the run's length."""
    per: Literal["auto", "epoch", "step"] = "auto"
    """How often it steps: auto is once per epoch for a class, as PyTorch documents it, and per step for a function."""

    def loaded(self, length: RunLength) -> Schedule:
        found = self._found()
        if _takes_optimizer(found):
            return self
        per_epoch = self.per == "epoch"
        first = next(iter(inspect.signature(found).parameters), "")
        filled = {**self._filled(length, per_epoch), first: None}
        arguments = check_arguments(found, self.arguments, filled, "schedule.arguments")
        given = {key: value for key, value in arguments.items() if key != first}
        return FunctionSchedule(warmup=self.warmup, function=partial(found, **given), per_epoch=per_epoch)

    def scheduler(
        self, optimizer: "Optimizer", length: RunLength, monitor: str, *, lower_is_better: bool
    ) -> "OwnScheduler | None":
        from core.schedules.own_scheduler import OwnScheduler, needs_value

        found = self._found()
        if not _takes_optimizer(found):
            return None
        if self.warmup:
            raise ConfigError(
                f"schedule.warmup: {self.path} sets the learning rate itself",
                "Set it to 0, and let the class warm up, such as with SequentialLR",
                field="schedule.warmup",
            )
        by_value = inspect.isclass(found) and needs_value(found)
        per_epoch = self.per != "step"
        if by_value and not per_epoch:
            raise ConfigError(
                f"schedule.per: {self.path} follows {monitor}, which is measured after each epoch",
                "Set it to epoch",
                field="schedule.per",
            )
        filled = {**self._filled(length, per_epoch), "optimizer": optimizer}
        if by_value:
            filled["mode"] = "min" if lower_is_better else "max"
        arguments = check_arguments(found, self.arguments, filled, "schedule.arguments")
        made = call(self.path, **arguments)
        if not all(callable(getattr(made, name, None)) for name in ("step", "state_dict", "load_state_dict")):
            raise ConfigError(
                f"schedule.path: {self.path} made an object of type {type(made).__name__}, not a scheduler",
                KINDS,
                field="schedule.path",
            )
        by_length = any(
            key in arguments and key not in self.arguments for key in self.FILLED if key != "optimizer"
        )
        return OwnScheduler(made, optimizer, self.path, length, per_epoch=per_epoch, by_length=by_length)

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        """Raise an error: a class sets learning rates itself, and a function is loaded first."""
        raise NotImplementedError

    def _found(self) -> Callable[..., Any]:
        if not self.path:
            raise ConfigError(
                "schedule.path: no file is given",
                "Give FILE.py:NAME, such as mysched.py:Sched",
                field="schedule.path",
            )
        return load_object(self.path)

    def _filled(self, length: RunLength, per_epoch: bool) -> dict[str, Any]:
        """Return what the signature may ask for; steps of the schedule are counted as often as it steps."""
        steps = length.epochs if per_epoch else length.steps
        return {
            **dict.fromkeys(("steps", "total_steps", "num_training_steps", "T_max"), steps),
            "epochs": length.epochs,
            "steps_per_epoch": length.steps_per_epoch,
        }


class FunctionSchedule(Schedule):
    """A user's function of the step, or of the epoch, that gives a factor of the learning rate."""

    function: Callable[[int], float]
    per_epoch: bool

    def after_warmup(self, step: int, steps: int, steps_per_epoch: int, seen: ScheduleState) -> float:
        return float(self.function(step // steps_per_epoch if self.per_epoch else step))


def _takes_optimizer(found: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(found).parameters
    except (TypeError, ValueError):
        parameters = {}  # type: ignore[assignment]  # written in C: it has none
    if "optimizer" in parameters:
        return True
    if inspect.isclass(found) or not parameters:
        name = getattr(found, "__name__", "it")
        raise ConfigError(
            f"schedule.path: {name} takes neither an optimizer nor a step", KINDS, field="schedule.path"
        )
    return False
