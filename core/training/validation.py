"""Validation: loss, score and confusion matrix of a split, in passing after each epoch."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.data.batches import Batch, Batches
from core.data.dataset import Dataset
from core.losses.base import exact_scores
from core.metrics import score_name
from core.models.own.calling import call_network
from core.training.distributed import SINGLE, Group
from core.training.forward_pass import autocast
from core.user_code.batch_notes import note_batch

if TYPE_CHECKING:
    from core.losses.base import Scorer
    from core.training.metrics.epoch_metrics import EpochMetrics

__all__ = ["MAX_CONFUSION_CLASSES", "network_outputs", "validate"]

BATCH_ROWS = 1024
MAX_CONFUSION_CLASSES = 32
"""Largest number of classes for which each epoch reports its confusion matrix; larger ones would swell the log."""


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
    answers: list[Tensor] = []
    seen: list[Batch] = []
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
            answers.append(answer if data.task == "regression" else answer.argmax(dim=1))
            seen.append(batch)
    means = torch.stack(losses).cpu().double() if losses else torch.zeros(0, dtype=torch.float64)
    total, weight = group.sums([float(means @ _weights_of(seen)), float(_weights_of(seen).sum())])
    score, confusion = _score(answers, seen, batches, data, group)
    measured = {"loss": total / weight, score_name(data.task): score}
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


def _score(
    answers: list[Tensor], seen: list[Batch], batches: Batches, data: Dataset, group: Group
) -> tuple[float, list[list[int]]]:
    """Return accuracy and confusion matrix, or R2 (NaN when all targets are equal) and nothing.

    Both scores are weighted, and R2 is a mean over the targets; the confusion matrix counts samples.

    Args:
        answers, seen: what is predicted, and the batches, of this process; `batches` is the whole split.
    """
    nothing = batches.targets[:0]
    answer, targets = (
        torch.cat([*answers, nothing]),
        torch.cat([*(batch.targets for batch in seen), nothing]),
    )
    weights = (
        None
        if batches.weights is None
        else torch.cat(
            [*(batch.weights for batch in seen if batch.weights is not None), batches.weights[:0]]
        ).double()
    )
    total_weight = len(batches) if batches.weights is None else float(batches.weights.double().sum())
    if data.task == "regression":
        return _r2(answer, targets, weights, batches, group), []
    is_right = answer == targets
    right = int(is_right.sum()) if weights is None else float(weights[is_right].sum())
    (right,) = group.sums([right])
    classes = data.outputs
    if classes > MAX_CONFUSION_CLASSES:
        return right / total_weight, []
    counts = torch.bincount(targets * classes + answer, minlength=classes * classes)
    summed = [int(count) for count in group.sums(counts.tolist())]
    rows = [summed[start : start + classes] for start in range(0, len(summed), classes)]
    return right / total_weight, rows


def _r2(answers: Tensor, targets: Tensor, weights: Tensor | None, batches: Batches, group: Group) -> float:
    """Return the weighted R2 of a split, a mean over targets (n, k) of which each has a variance; NaN without any."""
    squares = (answers.cpu() - targets.cpu().double()).square()
    numbers = batches.targets.cpu().double()
    if weights is None or batches.weights is None:
        spread = (numbers - numbers.mean(dim=0)).square().sum(dim=0)
    else:
        squares = squares * weights.cpu().unsqueeze(1)
        each = batches.weights.cpu().double().unsqueeze(1)
        mean = (each * numbers).sum(dim=0) / each.sum()
        spread = (each * (numbers - mean).square()).sum(dim=0)
    residuals = torch.tensor(group.sums(squares.sum(dim=0).tolist()), dtype=torch.float64)
    varies = spread > 0
    return float((1 - residuals[varies] / spread[varies]).mean())
