"""Losses by name. Each class says which tasks it fits and how a network's output becomes a score.

To add one: write a class in a module here and put it into `LossConfig`.
"""

from typing import Annotated, Literal

from pydantic import Field

from core.errors import ConfigError
from core.losses.base import CLASSES, Loss
from core.losses.cross_entropy import Bce, CrossEntropy, Focal
from core.losses.hinge import Hinge
from core.losses.python import PythonLoss
from core.losses.regression import L1, Huber, Mse, Poisson, Quantile
from core.metrics import Task
from core.options import choices

__all__ = ["Auto", "CrossEntropy", "LossConfig", "Mse", "resolve_loss"]


class Auto(Loss):
    """Cross-entropy for classes, MSE for regression."""

    name: Literal["auto"] = "auto"
    tasks = (*CLASSES, "regression")


LossConfig = Annotated[
    Auto | CrossEntropy | Bce | Focal | Hinge | Mse | L1 | Huber | Quantile | Poisson | PythonLoss,
    Field(discriminator="name"),
]


def resolve_loss(loss: LossConfig, task: Task) -> LossConfig:
    """Return the loss to train with: `auto` made definite, anything else checked against the task.

    A network with its own training step has its loss in it, and `auto` stays.

    Raises:
        ConfigError: the loss does not fit the task.
    """
    if task == "custom":
        return _none_beside_the_networks_own(loss)
    if isinstance(loss, Auto):
        return Mse() if task == "regression" else CrossEntropy()
    if task in loss.tasks:
        return loss
    fitting = [name for name, option in choices(LossConfig).items() if task in getattr(option, "tasks", ())]
    raise ConfigError(
        f"loss.name: '{loss.name}' does not fit a {task} task",
        f"Losses that fit: {', '.join(fitting)}",
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
