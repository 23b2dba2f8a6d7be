"""Outputs that are not what the loss takes: probabilities in place of scores, numbers that are never below 0."""

import re
from collections.abc import Iterator

from torch import Tensor

from core.data.batches import Batch
from core.losses.own_loss import OwnLoss
from core.session.preflight.finding import Finding, warned
from core.session.preflight.places import place_of
from core.session.preflight.trial import Trial
from core.tasks.registry import task_of

__all__ = ["outputs_in_evaluation", "outputs_in_training"]

ENOUGH = 20
"""Outputs that are all between 0 and 1 by chance less often than anybody would see."""
NEVER_NEGATIVE = ("relu", "sigmoid", "softplus", "softmax", "exp", "abs")
"""Functions, by the names of their steps backwards, whose results are 0 or more."""
KEEPS_SIGN = re.compile(
    r"(ConstantPadNd|Div|Mul|Reshape|Select|Slice|Squeeze|ToCopy|UnsafeView|Unsqueeze|View)Backward\d"
)
"""Steps that leave the sign of each number as it is, or turn that of all."""


def outputs_in_training(trial: Trial, batch: Batch) -> Iterator[Finding]:
    """Yield what the outputs of a training step show."""
    prepared, outputs = trial.prepared, trial.returned
    if not isinstance(outputs, Tensor) or task_of(prepared.data.task).own_step:
        return
    if _makes_probabilities(trial):
        yield _scores(trial, outputs)
    if prepared.data.target_facts.kind == "numbers":
        yield _both_signs(trial, outputs, batch)


def outputs_in_evaluation(trial: Trial) -> Iterator[Finding]:
    """Yield a warning where outputs are probabilities in evaluation mode alone."""
    outputs, trained = trial.evaluated, trial.returned
    if not isinstance(outputs, Tensor) or not isinstance(trained, Tensor) or not _makes_probabilities(trial):
        return
    function = _function_of(outputs)
    where = _place(trial, function) if function else ""
    if where and not _function_of(trained):
        yield warned(
            "outputs are scores in evaluation",
            f"in evaluation mode the outputs look like probabilities{where}, in training they do not: loss and metrics "
            f"of validation and test would be those of another {function} on top",
            f"Return what goes into the {function} in both modes",
        )


def _makes_probabilities(trial: Trial) -> bool:
    """Return whether scores are probabilities that are made of the outputs."""
    data, scorer = trial.prepared.data, trial.learner.scorer
    if isinstance(scorer, OwnLoss):
        return scorer.gives_probabilities(data.target_facts) and not scorer.own_scores
    return trial.prepared.config.loss.PROBABILITIES and not task_of(data.task).own_step


def _function_of(outputs: Tensor) -> str:
    """Return what seems to have made probabilities of outputs (n, ...); empty where they are none."""
    values, last = outputs.detach().float(), _last_function(outputs)
    is_one = _is_one_number(values)
    if is_one:
        values = values[:, 1:]
        if last not in ("sigmoid", "softmax") and outputs.requires_grad:
            return ""
    elif values.numel() < ENOUGH:
        return ""
    if not bool(((values >= 0) & (values <= 1)).all()):
        return ""
    if not is_one and bool(((values.sum(dim=1) - 1).abs() < 1e-3).all()):
        return "softmax"
    return "sigmoid" if bool(((values > 0) & (values < 1)).all()) else ""


def _is_one_number(outputs: Tensor) -> bool:
    """Return whether outputs are one number for two classes, the score of the second: that of the first is 0."""
    return outputs.ndim == 2 and outputs.shape[1] == 2 and not bool(outputs[:, 0].any())


def _last_function(outputs: Tensor) -> str:
    """Return which of `NEVER_NEGATIVE` the outputs are the result of, but for their shape and scale; else empty."""
    step = outputs.grad_fn
    while step is not None and KEEPS_SIGN.fullmatch(step.name()):
        before = [each for each, _ in step.next_functions if each is not None]
        step = before[0] if len(before) == 1 else None
    name = "" if step is None else step.name().partition("Backward")[0].lower()
    return name if name in NEVER_NEGATIVE else ""


def _scores(trial: Trial, outputs: Tensor) -> Finding:
    """Look for probabilities, which would be turned into probabilities once more."""
    name, function, prepared = "outputs are scores", _function_of(outputs), trial.prepared
    if not function:
        return Finding(name)
    where, loss = _place(trial, function), trial.learner.loss
    if _is_one_number(outputs):
        what = f"a score above 0 stands for {prepared.data.class_names[1]}: every sample would be given this class"
    elif isinstance(loss, OwnLoss):
        what = f"evaluations take the {loss.activation} of them once more: their metrics would be wrong"
    else:
        what = f"{prepared.config.loss.name} takes scores from before the {function}: the network would learn slowly"
    return warned(
        name,
        f"the outputs look like probabilities{where}, and {what}",
        f"Return what goes into the {function}",
    )


def _both_signs(trial: Trial, outputs: Tensor, batch: Batch) -> Finding:
    """Look for numbers that cannot be below 0, as about half of the standardised targets are."""
    name, function = "outputs reach the targets", _last_function(outputs)
    converts = trial.learner.scorer is not None and trial.learner.scorer.converts
    if not function or converts or not bool((outputs >= 0).all()) or not bool((batch.targets < 0).any()):
        return Finding(name)
    return warned(
        name,
        f"the outputs come out of a {function}{_place(trial, function)} and are never below 0, but targets are "
        "standardised, to mean 0 and deviation 1: what is below the mean cannot be predicted",
        f"Return what goes into the {function}; predictions come in the unit of the target all the same",
    )


def _place(trial: Trial, function: str) -> str:
    return place_of(rf"(?i){function}\b", trial.prepared.model, trial.prepared.config)
