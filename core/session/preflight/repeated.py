"""Evaluations of the same samples: alike each time, and whatever else is in their batch."""

from typing import Any

import torch
from torch import Tensor

from core.data.batches import Batch
from core.data.inputs import Inputs, map_inputs
from core.models.own.calling import call_network
from core.session.preflight.finding import Finding, warned
from core.session.preflight.places import place_of
from core.session.preflight.trial import SEED, Trial
from core.tasks.registry import task_of

__all__ = ["repeated_evaluation"]

SAMPLES = 16
"""Of a batch that are evaluated several times."""
APART = 1e-3
"""How far outputs may be from each other, relative to the largest: sums are rounded otherwise in another batch."""
RANDOM = r"dropout|rand|bernoulli|normal_|multinomial|\.train\("
OVER_SAMPLES = r"(mean|std|var|softmax|max|min|sum)\(.*\b0\b|track_running_stats\s*=\s*False|batch_norm"


def repeated_evaluation(trial: Trial, batch: Batch) -> Finding | None:
    """Evaluate a few samples twice with other random numbers, and half of them alone; None where that cannot be."""
    if task_of(trial.prepared.data.task).own_step or batch.samples < 2:
        return None
    few = map_inputs(lambda each: each[:SAMPLES], batch.inputs)
    half = min(SAMPLES, batch.samples) // 2
    try:
        once, again = (_outputs(trial, few, seed) for seed in (SEED, SEED + 1))
        alone = _outputs(trial, map_inputs(lambda each: each[:half], few), SEED)
    except Exception:  # whatever a network raises for a batch of this size
        return None
    if not all(isinstance(each, Tensor) for each in (once, again, alone)) or len(alone) != half:
        return None
    name = "evaluation can be repeated"
    if _differ(once, again):
        where = place_of(RANDOM, trial.prepared.model, trial.prepared.config)
        return warned(
            name,
            f"two evaluations of the same samples differ: something random goes on in evaluation mode{where}, so "
            "metrics and predictions are others each time",
            "Draw in training alone, such as by nn.Dropout, or F.dropout(x, p, training=self.training)",
        )
    if _differ(once[:half], alone):
        where = place_of(OVER_SAMPLES, trial.prepared.model, trial.prepared.config)
        return warned(
            name,
            f"in evaluation the outputs of a sample depend on the others in its batch{where}: alone it has another "
            "prediction",
            "Compute over the dimensions behind the first, or use running statistics, as BatchNorm does",
        )
    return Finding(name)


def _outputs(trial: Trial, inputs: Inputs, seed: int) -> Any:
    torch.manual_seed(seed)
    model = trial.learner.model.eval()
    with torch.no_grad():
        return call_network(model, map_inputs(Tensor.clone, inputs))


def _differ(one: Tensor, other: Tensor) -> bool:
    one, other = one.float(), other.float()
    return one.shape != other.shape or bool((one - other).abs().max() > APART * one.abs().max())
