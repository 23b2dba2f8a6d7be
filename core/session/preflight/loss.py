"""Losses that are not what they seem: sums over a batch, functions applied twice, targets that they change."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from core.data.batches import Batch
from core.data.inputs import map_inputs
from core.errors import ConfigError
from core.losses.own_loss import OwnLoss
from core.optimizers.several import SeveralOptimizers
from core.session.preflight.finding import Finding, failed, warned
from core.session.preflight.trial import SEED, Trial
from core.tasks.registry import task_of
from core.training.own.numbers import loss_of

__all__ = ["loss_in_training"]

TWICE_ERROR = 1e-3
"""How far from twice the loss of a batch that of two such batches may be, relative to it, if it is a sum."""
TWICE_ERROR_DRAWN = 0.05
"""The same for a step of the network's own, which may draw random numbers."""
MIN_DOUBLED = 8
"""Samples from which on a mean does not double with their number, even that of logarithms of it."""
MAX_STEPS = 10_000
"""Backwards, of the graph of a loss, that are looked at."""
TAKES_SCORES = {
    "LogSoftmaxBackward0": "the log-softmax",
    "BinaryCrossEntropyWithLogitsBackward0": "the sigmoid",
}
"""Steps backwards of losses that are given scores, and what they take of them."""
GIVES_PROBABILITIES = {"SoftmaxBackward0": "softmax", "SigmoidBackward0": "sigmoid"}
SAME_NUMBERS = ("Reshape", "Select", "Squeeze", "ToCopy", "Transpose", "Unsqueeze", "UnsafeView", "View")
"""Steps that leave each number as it is."""


def loss_in_training(trial: Trial, batch: Batch) -> Iterator[Finding]:
    """Yield what a training step shows of a loss of the user's own, or of the network's."""
    own_step = task_of(trial.prepared.data.task).own_step
    loss = None if own_step else trial.learner.loss
    if isinstance(loss, OwnLoss):
        yield _leaves_alone(trial, loss)
        if isinstance(trial.returned, Tensor):
            yield _mean_of_outputs(loss, trial.returned.detach(), batch)
        yield _taken_once(trial, loss.path)
    elif own_step and not isinstance(trial.learner.optimizer, SeveralOptimizers):
        path = f"{type(trial.learner.model).__name__}.training_step"
        yield _mean_of_step(trial, batch, path)
        yield _taken_once(trial, path)


def _leaves_alone(trial: Trial, loss: OwnLoss) -> Finding:
    """Look for a loss that writes into what it is given, which metrics are counted from afterwards."""
    name = "loss leaves what it is given as it is"
    if not trial.changed:
        return Finding(name)
    what = " and ".join(trial.changed)
    return failed(
        name,
        ConfigError(
            f"loss.path: {loss.path} changes the {what} that it is given in place, and metrics are counted from them",
            f"Work on a copy, such as {trial.changed[0]} = {trial.changed[0]}.clone()",
        ),
    )


def _mean_of_outputs(loss: OwnLoss, outputs: Tensor, batch: Batch) -> Finding:
    """Look for a loss that is the sum over the samples of a batch, in place of their mean."""
    with torch.no_grad():
        once = loss(outputs, batch.targets)
        try:
            twice = loss(torch.cat([outputs, outputs]), torch.cat([batch.targets, batch.targets]))
        except Exception:  # one that is written for this size of a batch raises whatever it likes
            twice = once
    return _mean(loss.path, once, twice, TWICE_ERROR, "one loss for each sample")


def _mean_of_step(trial: Trial, batch: Batch, path: str) -> Finding:
    """Look for a training step whose loss is such a sum."""
    model: Any = trial.learner.model
    doubled = batch._replace(
        inputs=map_inputs(_twice, batch.inputs),
        targets=_twice(batch.targets),
        weights=None if batch.weights is None else _twice(batch.weights),
    )
    once = twice = torch.zeros(())
    model.eval()
    try:
        with torch.no_grad():
            if batch.samples >= MIN_DOUBLED:
                once, twice = (_loss_of_step(model, each) for each in (batch, doubled))
    except Exception:  # one that cannot be called so raises whatever it likes
        once = twice = torch.zeros(())
    return _mean(path, once, twice, TWICE_ERROR_DRAWN, "its value divided by len(targets)")


def _loss_of_step(model: Any, batch: Batch) -> Tensor:
    copied = batch._replace(inputs=map_inputs(Tensor.clone, batch.inputs), targets=batch.targets.clone())
    torch.manual_seed(SEED)
    return loss_of(model.training_step(copied.given), "")[0]


def _twice(values: Tensor) -> Tensor:
    return torch.cat([values, values])


def _mean(path: str, once: Tensor, twice: Tensor, error: float, other: str) -> Finding:
    name = "loss is a mean over the batch"
    is_sum = bool(once) and bool(abs(twice - 2 * once) <= error * abs(once))
    if not is_sum:
        return Finding(name)
    return warned(
        name,
        f"{path} is a sum over the samples of a batch: it grows with training.batch_size, as its gradient does, "
        "and the loss of training and that of validation are not on one scale",
        f"Return the mean, such as with reduction='mean', or {other}",
    )


def _taken_once(trial: Trial, path: str) -> Finding:
    """Look for a softmax or a sigmoid of what one has come out of already."""
    name = "loss is given scores"
    found = _probabilities_taken_for_scores(trial.loss)
    if found is None:
        return Finding(name)
    takes, function = found
    return warned(
        name,
        f"{path} takes {takes} of what has come out of a {function} already: the network would learn slowly",
        f"Give it what goes into the {function}, or use a loss of probabilities, such as binary_cross_entropy or "
        "nll_loss of their logarithm",
    )


def _probabilities_taken_for_scores(loss: Tensor | None) -> tuple[str, str] | None:
    """Return what a loss takes of probabilities as if they were scores, and what they came out of; None for others."""
    seen: set[Any] = set()
    waiting = [] if loss is None or loss.grad_fn is None else [loss.grad_fn]
    while waiting and len(seen) < MAX_STEPS:
        step = waiting.pop()
        if step in seen:
            continue
        seen.add(step)
        before = [each for each, _ in step.next_functions if each is not None]
        takes = TAKES_SCORES.get(step.name())
        function = GIVES_PROBABILITIES.get(_origin(before[0]).name()) if takes and before else None
        if takes and function:
            return takes, function
        waiting += before
    return None


def _origin(step: Any) -> Any:
    """Return the step that made the numbers of this one, which may only have reshaped them."""
    while step.name().startswith(SAME_NUMBERS) and step.next_functions and step.next_functions[0][0]:
        step = step.next_functions[0][0]
    return step
