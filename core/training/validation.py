"""Validation: loss, score and confusion matrix of a split, in passing after each epoch."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.data.batches import Batch, Batches
from core.data.dataset import Dataset
from core.losses.base import exact_scores
from core.models.own.calling import call_network
from core.tasks.registry import task_of
from core.training.distributed import SINGLE, Group
from core.training.forward_pass import autocast
from core.user_code.batch_notes import note_batch

if TYPE_CHECKING:
    from core.losses.base import Scorer
    from core.training.metrics.epoch_metrics import EpochMetrics

__all__ = ["network_outputs", "validate"]

BATCH_ROWS = 1024


def validate(
    model: nn.Module,
    batches: Batches,
    loss: Callable[[Tensor, Tensor], Tensor],
    data: Dataset,
    should_stop: Callable[[], bool] = lambda: False,
    precision: str = "fp32",
    group: Group = SINGLE,
    metrics: "EpochMetrics | None" = None,
    scorer: "Scorer | None" = None,
) -> tuple[dict[str, float], list[list[int]]] | None:
    """Return loss, score and metrics of one pass, and the confusion matrix (rows true, columns predicted).

    Both are empty for an empty split; the matrix also for regression and for many classes. The device is waited
    for once, at the end.

    Args:
        precision: of the network; see `core.training.forward_pass.autocast`.
        should_stop: polled after each batch; once it returns true, the result is None.
        group: the processes that each take some batches.
        metrics: what is measured beside loss and score.
        scorer: makes scores of outputs, which metrics are measured on.
    """
    if len(batches) == 0:
        return {}, []
    if should_stop():
        return None
    losses: list[Tensor] = []
    seen: list[Batch] = []
    tally = task_of(data.task).tally()
    kept: list[Tensor] = []
    measures = metrics is not None and bool(metrics.names)
    for outputs, batch in network_outputs(model, batches, precision, group):
        if should_stop():
            return None
        with torch.no_grad():
            losses.append(batch.loss(loss, outputs))
            answer = scorer.scores(outputs) if scorer is not None and scorer.converts else outputs
            if scorer is not None and measures:
                kept.append(exact_scores(scorer, outputs))
            tally.add(answer, batch.targets, batch.weights)
            seen.append(batch)
    means = torch.stack(losses).cpu().double() if losses else torch.zeros(0, dtype=torch.float64)
    total, weight = group.sums([float(means @ _weights_of(seen)), float(_weights_of(seen).sum())])
    score, confusion = tally.read(batches.targets, batches.weights, data.outputs, group.sums)
    measured = {"loss": total / weight, task_of(data.task).score: score}
    if metrics is not None and metrics.names:
        measured |= _measured(metrics, kept, len(batches), data, group)
    return measured, confusion


def _measured(
    metrics: "EpochMetrics", kept: list[Tensor], samples: int, data: Dataset, group: Group
) -> dict[str, float]:
    """Measure the scores of all processes in the first one.

    Args:
        kept: scores of the batches of this process.
    """
    scores = torch.cat(kept).cpu() if kept else torch.zeros(0, data.outputs)
    if group.size > 1:
        everywhere = torch.zeros(samples, data.outputs, dtype=torch.float64)
        rows = torch.arange(samples)
        everywhere[rows // BATCH_ROWS % group.size == group.rank] = scores.double()
        scores = group.sum_tensor(everywhere)
    values = metrics.measure(scores) if group.rank == 0 else dict.fromkeys(metrics.names, 0.0)
    return dict(zip(values, group.sums(list(values.values())), strict=True))


def network_outputs(
    model: nn.Module, batches: Batches, precision: str = "fp32", group: Group = SINGLE
) -> Iterator[tuple[Tensor, Batch]]:
    """Yield float32 outputs (b, n) and the batch, for each of this process's, in order, without gradients.

    Not in inference mode: what a network keeps for the next step of training must be usable there.
    """
    model.eval()
    for number, batch in enumerate(batches.iterate(BATCH_ROWS)):
        if number % group.size != group.rank:
            continue
        try:
            with torch.no_grad(), autocast(precision, batches.device):
                outputs = call_network(model, batch.inputs)
        except BaseException as error:
            note_batch(error, f"batch {number + 1} of the evaluation", batch.inputs, batch.targets)
            raise
        yield outputs.float(), batch


def _weights_of(batches: list[Batch]) -> Tensor:
    """Return how much each batch counts, float64 on the processor: its samples, or the sum of their weights."""
    counts = [
        batch.samples if batch.weights is None else batch.weights.sum(dtype=torch.float64)
        for batch in batches
    ]
    return torch.tensor(counts, dtype=torch.float64)
