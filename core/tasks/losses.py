"""The loss of a run: made definite, and checked against the task."""

from core.errors import ConfigError
from core.losses import Auto, LossConfig
from core.options import choices
from core.tasks.registry import task_of

__all__ = ["check_soft_targets", "fitting_losses", "resolve_loss"]


def resolve_loss(loss: LossConfig, task: str, *, soft: bool = False) -> LossConfig:
    """Return the loss to train with: `auto` made definite, anything else checked against the task.

    A network with its own training step has its loss in it, and `auto` stays.

    Args:
        soft: targets are the share of each class, for the losses that are offered.

    Raises:
        ConfigError: the loss does not fit the task.
    """
    its = task_of(task)
    if its.own_step:
        return _none_beside_the_networks_own(loss)
    if isinstance(loss, Auto):
        default: LossConfig = choices(LossConfig)[its.default_loss]()  # type: ignore[assignment]  # one of the union
        return default
    if its.targets in loss.takes:
        return loss
    raise ConfigError(
        f"loss.name: the {loss.name} loss does not work for {its.called}",
        f"Losses that fit: {', '.join(fitting_losses(task, soft=soft))}",
        field="loss.name",
    )


def fitting_losses(task: str, *, soft: bool = False) -> list[str]:
    """Return the names of the losses that fit a task.

    Args:
        soft: those alone that take the share of each class.
    """
    kind = task_of(task).targets
    return [
        name
        for name, option in choices(LossConfig).items()
        if kind in getattr(option, "takes", ())
        and (not soft or option is Auto or getattr(option, "soft_targets", False))
    ]


def check_soft_targets(loss: LossConfig, task: str, reason: str) -> None:
    """Make sure that a loss takes shares of classes as targets.

    Args:
        reason: why it must, for the message.

    Raises:
        ConfigError: it does not.
    """
    if isinstance(loss, Auto) or loss.soft_targets:
        return
    raise ConfigError(
        f"loss.name: '{loss.name}' takes one class per sample, but {reason}",
        f"Losses that fit: {', '.join(fitting_losses(task, soft=True))}",
        field="loss.name",
    )


def _none_beside_the_networks_own(loss: LossConfig) -> LossConfig:
    if isinstance(loss, Auto):
        return loss
    raise ConfigError(
        f"loss.name: '{loss.name}' would not be used: the network's training_step returns its own loss",
        "Leave it at auto",
        field="loss.name",
    )
