"""A step of a copy with the loss, the optimizer and the schedule of the user's own, before anything is written."""

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.errors import ConfigError, TorchtuiError
from core.models.copies import copied
from core.models.own.calling import call_network
from core.random_state import keeping_random_state
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.learner import Learner
from core.training.own.learner import learner_for
from core.training.plain_state import not_plain
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
