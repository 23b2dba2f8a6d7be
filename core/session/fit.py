"""Checks that a configuration fits the device, its own parts, and the data: the only list of them.

The form shows all problems, each at its field; a run that is being prepared raises the first one. To add a check, write
a function that raises a `TorchtuiError` and name it here.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

from core.config.checks import check_compatible
from core.config.schema import TrainConfig
from core.data.augment.check import check_augment
from core.data.augment.options import parse
from core.data.kinds.base import KindName
from core.data.sampling import check_sampling
from core.devices import ensure_precision, resolve
from core.errors import ConfigError, TorchtuiError
from core.losses.base import TargetFacts
from core.tasks.losses import check_soft_targets, resolve_loss
from core.tasks.metrics import check_metrics
from core.training.forward_pass import check_forward
from core.training.metrics.own_metrics import check_metric_arguments, own_directions

__all__ = ["DataProperties", "check_fit", "config_problems", "data_problems"]


class DataProperties(Protocol):
    """Properties of a data set that a configuration has to fit."""

    @property
    def kind(self) -> KindName: ...

    @property
    def task(self) -> str: ...

    @property
    def sample_shape(self) -> tuple[int, ...]: ...

    @property
    def outputs(self) -> int: ...

    @property
    def own_order(self) -> str: ...

    @property
    def target_facts(self) -> TargetFacts: ...


def config_problems(config: TrainConfig) -> Iterator[TorchtuiError]:
    """Yield the problems of a configuration on this machine, whatever the data; at most one of each check."""
    return _problems(
        lambda: ensure_precision(config.training.precision, resolve(config.training.device)),
        lambda: check_compatible(config),
        lambda: own_directions(config.training.metrics),
        lambda: check_metric_arguments(config.training),
    )


def data_problems(config: TrainConfig, data: DataProperties) -> Iterator[TorchtuiError]:
    """Yield the problems of a configuration with its data; at most one of each check."""
    return _problems(
        lambda: resolve_loss(config.loss, data.task, soft=data.target_facts.soft),
        lambda: config.loss.check(data.target_facts),
        lambda: _check_soft_labels(config, data),
        lambda: check_augment(config.data, config.loss, data.kind, data.task),
        lambda: check_sampling(config.training, data.task, data.own_order),
        lambda: check_metrics(config.training.metrics, config.training.monitor, data.task, data.outputs),
        lambda: check_forward(config.training, data.sample_shape),
    )


def _check_soft_labels(config: TrainConfig, data: DataProperties) -> None:
    if not data.target_facts.soft:
        return
    check_soft_targets(config.loss, data.task, "this data has soft labels, the share of each class")
    mixing = next((text for text in getattr(config.data, "augment", ()) if parse(text).mixes), "")
    if mixing:
        raise ConfigError(
            f"data.augment: {mixing} mixes classes, and this data has soft labels, which are mixed already",
            "Leave it out",
            field="data.augment",
        )


def check_fit(config: TrainConfig, data: DataProperties) -> None:
    """Raise the first problem of a configuration.

    Raises:
        TorchtuiError: device, settings or data do not fit each other.
    """
    for problem in chain(config_problems(config), data_problems(config, data)):
        raise problem


def _problems(*checks: Callable[[], object]) -> Iterator[TorchtuiError]:
    for check in checks:
        try:
            check()
        except TorchtuiError as error:
            yield error
