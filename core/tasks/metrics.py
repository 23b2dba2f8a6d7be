"""Metrics of validation after each epoch, as a task has them."""

from collections.abc import Sequence

from core.errors import ConfigError
from core.metrics import METRICS, is_own, name_of_metric, nearest_metric
from core.tasks.registry import task_of

__all__ = ["check_metrics", "reported_metrics"]


def reported_metrics(metrics: Sequence[str], monitor: str, task: str) -> list[str]:
    """Return the names that validation reports after each epoch beside loss and score: also what is monitored."""
    its = task_of(task)
    if its.own_step:  # the network's own numbers
        return []
    names = [its.goal or its.score, *map(name_of_metric, metrics), monitor]
    return [name for name in dict.fromkeys(names) if name not in ("loss", its.score)]


def check_metrics(metrics: Sequence[str], monitor: str, task: str, classes: int) -> None:
    """Refuse metrics that validation cannot report, and to choose epochs by one.

    Args:
        metrics: entries of ``training.metrics``.
        classes: how many; 0 without classes.

    A network with its own step reports what it likes: `core.training.own.check` checks those names.

    Raises:
        ConfigError: one does not exist for the task.
    """
    if task_of(task).own_step:
        if metrics:
            raise ConfigError(
                "training.metrics: a network with its own training_step reports the numbers that it returns",
                "Leave it empty, and return them in validation_step",
                field="training.metrics",
            )
        return
    known = task_of(task).metrics(classes)
    own = [name_of_metric(metric) for metric in metrics if is_own(metric)]
    fields = [("training.metrics", metric) for metric in metrics if not is_own(metric)]
    for field, name in [*fields, ("training.monitor", monitor)]:
        if name not in known and name not in own:
            is_known = name in METRICS
            what = f"'{name}' is not measured in a {task} task" if is_known else f"no such metric '{name}'"
            hint = f"Takes {', '.join([*own, *known])}" if is_known else nearest_metric(name, [*own, *known])
            raise ConfigError(f"{field}: {what}", hint, field=field)
