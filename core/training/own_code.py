"""A step of a copy with the loss, the optimizer and the schedule of the user's own, before anything is written."""

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.errors import ConfigError, TorchtuiError
from core.losses.own_loss import OwnLoss
from core.models.copies import copied
from core.models.own.calling import call_network
from core.random_state import keeping_random_state
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.learner import Learner
from core.training.own.learner import learner_for
from core.training.plain_state import not_plain
from core.user_code.argument_order import needs_reverse, reversed_names
from core.user_code.loading import as_user_error, references

__all__ = ["check_own_code"]

SECTIONS = ("loss", "optimizer", "schedule")
MAX_ROWS = 32
"""Samples of the trial: a check, which need not take as long as a step of a large batch."""


def check_own_code(config: TrainConfig, data: Dataset, model: nn.Module, device: torch.device) -> None:
    """Take steps of training and one of evaluation with the user's own code; the model and the random state stay.

    Args:
        device: of the training: an optimizer may work on one alone.

    Raises:
        TorchtuiError: it fails, returns something that cannot be used, or keeps what a checkpoint cannot hold.
    """
    own = {used.section: used.reference for used in references(config) if used.section in SECTIONS}
    if not any(getattr(config, section).name == "python" for section in SECTIONS):
        return
    with keeping_random_state(device):
        try:
            learner = learner_for(config, data, copied(model).to(device), TrainingContext(device))
            if not task_of(data.task).own_step:
                _check_order(learner, data)
            _try(learner, config, data)
        except TorchtuiError:
            raise
        except (Exception, SystemExit) as error:  # the user's own code raises whatever it likes
            said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            section, name = next(iter(own.items()))
            raise as_user_error(error) or ConfigError(
                f"{section}.path: a step with {name} failed: {said}", field=f"{section}.path"
            ) from None
        for section, state in learner.state().items():
            for place, value in not_plain(state) if section in own else ():
                raise ConfigError(
                    f"{section}.path: {own[section]} keeps an object of type {type(value).__name__} as "
                    f"'{place}' in its state, which a checkpoint cannot hold",
                    "Keep numbers, texts, tensors, lists and dicts alone, or leave it out in state_dict",
                    field=f"{section}.path",
                )


def _check_order(learner: Learner, data: Dataset) -> None:
    """Make sure that a loss of the user's own means outputs by its first parameter.

    Raises:
        ConfigError: it is written for targets first.
    """
    loss = learner.loss
    if not isinstance(loss, OwnLoss) or (names := reversed_names(loss.loss)) is None:
        return
    called = loss.loss
    batch = next(Batches(data.train.rows(slice(0, MAX_ROWS)), data, learner.context.device).iterate(MAX_ROWS))
    learner.eval()

    def value(first: Tensor, second: Tensor) -> float:
        return float(called(first, second).mean())

    with torch.no_grad():
        outputs = call_network(learner.eval_model, batch.inputs)
        masks = batch.targets.dtype == torch.uint8
        if needs_reverse(value, outputs, batch.targets.long() if masks else batch.targets):
            raise ConfigError(
                f"loss.path: {loss.path} takes ({', '.join(names)}), and is called with outputs first, then targets",
                f"Swap them: ({', '.join(names[::-1])})",
                field="loss.path",
            )


def _try(learner: Learner, config: TrainConfig, data: Dataset) -> None:
    rows = training_order(config.training, data, 0)[: min(MAX_ROWS, config.training.step_samples)]
    first = data.train.rows(rows)
    batches = Batches(first, data, learner.context.device)
    augment = augmenter(config.data, data, config.loss, config.training.seed)(0)
    batch = next(batches.iterate(len(first), torch.arange(len(first)), augment=augment))
    learner.train()
    for step in range(2):
        learner.set_learning_rate(step, learner.length.steps_per_epoch, {})
        learner.step(batch)
    if task_of(data.task).own_step:
        return
    learner.eval()
    batch = next(batches.iterate(len(first)))
    with torch.no_grad():
        outputs = call_network(learner.eval_model, batch.inputs)
        batch.loss(learner.loss, outputs)
        answers = learner.answers(outputs)
    wanted = (batch.samples, data.outputs, *data.sample.places)
    if answers.shape != wanted:
        raise ConfigError(
            f"loss.path: scores have the shape {tuple(answers.shape)} for {batch.samples} samples, this data needs "
            f"{'x'.join(map(str, wanted))}",
            "Define scores(outputs) in the loss, which returns one score per class, or one number, for each sample",
            field="loss.path",
        )
    learner.finish_epoch(1.0)
