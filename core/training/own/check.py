"""A network's own step is checked, and its validation tried on one batch, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.errors import ConfigError, DataError, ModelError, TorchtuiError
from core.metrics import has_direction
from core.models.copies import copied
from core.models.own_step import defines, directions, has_own_step
from core.optimizers.several import SeveralOptimizers
from core.random_state import rng_state, set_rng_state
from core.runs.media.store import kept
from core.tasks.registry import CUSTOM, task_of
from core.training.own.samples import shown
from core.training.own.step import own_optimizer
from core.training.own.validation import validate_steps, validation_method
from core.user_code.loading import as_user_error

__all__ = ["OwnStep", "check_own_step", "with_own_task"]

CPU = torch.device("cpu")


@dataclass(frozen=True)
class OwnStep:
    """Facts of a network with its own step.

    Attributes:
        names: the numbers that validation gives; empty where that could not be tried.
        higher_is_better: the directions that the network tells, by name.
        has_optimizer: true if the network brings its optimizer, or several.
        notes: what the configuration does not decide, a line each.
    """

    names: tuple[str, ...]
    higher_is_better: dict[str, bool]
    has_optimizer: bool
    notes: tuple[str, ...]


def with_own_task(data: Dataset, model: nn.Module) -> Dataset:
    """Return `data` for the task ``custom`` if the network defines its own step, else `data` itself.

    Raises:
        ModelError: the data is that of a network with its own step, and this one has none.
    """
    if has_own_step(model):
        return data if data.task == CUSTOM else replace(data, task=CUSTOM)
    if task_of(data.task).own_step:
        raise ModelError(
            f"{_named(model)} defines no training_step, but another network of this run or study does",
            "Train them apart",
        )
    return data


def check_own_step(config: TrainConfig, data: Dataset, model: nn.Module) -> OwnStep:
    """Check that the settings fit a network with its own step, and try its validation on a copy of it.

    Neither the network nor the random state changes.

    Raises:
        ConfigError: a setting cannot be used.
        ModelError: the network's methods cannot.
        UserCodeError: they fail.
    """
    optimizer = own_optimizer(model)
    several = isinstance(optimizer, SeveralOptimizers)
    _check_settings(config, data, several)
    if several and not defines(model, "validation_step"):
        raise ModelError(
            f"{_named(model)} has several optimizers, so its training_step cannot be used for validation",
            "Define validation_step(self, batch), which returns a dict of numbers",
        )
    names = _names_of_validation(config, data, model)
    monitor = config.training.monitor
    if names and len(data.validation) and monitor not in names:
        raise ConfigError(
            f"training.monitor: '{monitor}' is not a number that {_named(model)}.{validation_method(model)} returns",
            f"Takes {' or '.join(names)}",
            field="training.monitor",
        )
    notes = tuple(_notes(config, model, optimizer))
    return OwnStep(tuple(names), directions(model), optimizer is not None, notes)


def _check_settings(config: TrainConfig, data: Dataset, several: bool) -> None:
    settings = config.training
    reason = "the network has several optimizers and steps them itself"
    wrong = {
        "accumulate": several and settings.accumulate > 1,
        "clip_norm": several and settings.clip_norm > 0,
        "compile": several and settings.compile,
        "precision": several and settings.precision == "fp16",
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise ConfigError(
                f"training.{field}: got {getattr(settings, field)}, but {reason}",
                f"Leave it at {type(settings).model_fields[field].default}, or do it in training_step",
                field=f"training.{field}",
            )
    if settings.cuda_graphs == "on":
        raise ConfigError(
            "training.cuda_graphs: the steps of a network with its own training_step are not captured",
            "Leave it at auto",
            field="training.cuda_graphs",
        )
    if settings.sampling == "balanced" and not data.class_names:
        raise ConfigError(
            "training.sampling: balanced goes by classes, and this data has none",
            "Use shuffled",
            field="training.sampling",
        )


def _names_of_validation(config: TrainConfig, data: Dataset, model: nn.Module) -> list[str]:
    """Return the numbers that validation gives for the first batch of training; empty if there is no way to try."""
    first = data.train.rows(slice(0, config.training.batch_size))
    try:
        tried = copied(model)
    except ModelError:
        return []
    random = rng_state(CPU)
    try:
        measured = validate_steps(tried, Batches(first, data, CPU), config.training.batch_size)
        if measured is None:
            return []
        where = f"{_named(model)}.{validation_method(model)}"
        shown(measured.samples, where)
        _check_media(measured.media, where)
    except TorchtuiError:
        raise
    except (Exception, SystemExit) as error:  # a network fails with whatever its layers raise
        raise _failure(model, error) from None
    finally:
        set_rng_state(random, CPU)
    return list(measured.numbers)


def _check_media(media: Mapping[str, Any], where: str) -> None:
    """Make sure that images, texts and histograms can be kept.

    Raises:
        ModelError: one is something else.
    """
    for name, item in media.items():
        try:
            kept(item)
        except DataError as error:
            raise ModelError(f"{where} returned '{name}': {error.message}", error.hint) from None


def _failure(model: nn.Module, error: BaseException) -> TorchtuiError:
    method = validation_method(model)
    known = as_user_error(error)
    reason = known.message if known else f"{type(error).__name__}: {error}".partition("\n")[0]
    if method == "training_step":
        return ModelError(
            f"{_named(model)}.training_step fails as validation, in evaluation mode and without gradients: {reason}",
            "Define validation_step(self, batch), which returns a dict of numbers",
        )
    return known or ModelError(f"{_named(model)}.{method} fails: {reason}")


def _notes(
    config: TrainConfig, model: nn.Module, optimizer: torch.optim.Optimizer | SeveralOptimizers | None
) -> list[str]:
    name = _named(model)
    notes = [
        f"task: custom, as {name} defines training_step; without that method it trains by the loss in the configuration"
    ]
    monitor = config.training.monitor
    if not has_direction(monitor, directions(model)):
        notes.append(
            f"best epoch: that with the most {monitor}; if less is better, write higher_is_better = "
            f'{{"{monitor}": False}} in {name}'
        )
    if optimizer is None:
        return notes
    several = optimizer.by_name.values() if isinstance(optimizer, SeveralOptimizers) else [optimizer]
    kinds = ", ".join(type(each).__name__ for each in several)
    notes.append(
        f"optimizer: {kinds}, by {name}.configure_optimizers; the optimizer in the configuration is not used"
    )
    if config.schedule.name != "constant" or config.schedule.warmup:
        notes.append(
            f"schedule: {config.schedule.name} scales the learning rate of each of the network's optimizers"
        )
    return notes


def _named(model: nn.Module) -> str:
    return type(model).__name__
