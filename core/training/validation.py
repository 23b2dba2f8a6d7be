"""Validation: loss, score and confusion matrix of a split, in passing after each epoch."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.data.batches import Batches
from core.data.dataset import Dataset
from core.losses.base import exact_scores
from core.metrics import score_name
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
    sizes: list[float] = []
    answers: list[Tensor] = []
    seen: list[Tensor] = []
    kept: list[Tensor] = []
    measures = metrics is not None and bool(metrics.names)
    for outputs, targets in network_outputs(model, batches, precision, group):
        if should_stop():
            return None
        with torch.no_grad():
            losses.append(loss(outputs, targets))
            sizes.append(len(targets))
            answer = scorer.scores(outputs) if scorer is not None and scorer.converts else outputs
            if scorer is not None and measures:
                kept.append(exact_scores(scorer, outputs))
            answers.append(answer if data.task == "regression" else answer.argmax(dim=1))
            seen.append(targets)
    means = torch.stack(losses).cpu().double() if losses else torch.zeros(0, dtype=torch.float64)
    (total,) = group.sums([float(means @ torch.tensor(sizes, dtype=torch.float64))])
    nothing = batches.targets[:0]
    score, confusion = _score(
        torch.cat([*answers, nothing]), torch.cat([*seen, nothing]), batches.targets, data, group
    )
    measured = {"loss": total / len(batches), score_name(data.task): score}
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
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield float32 outputs (b, n) and targets of this process's batches, in order, without gradients.

    Not in inference mode: what a network keeps for the next step of training must be usable there.
    """
    model.eval()
    for number, (inputs, targets) in enumerate(batches.iterate(BATCH_ROWS)):
        if number % group.size != group.rank:
            continue
        try:
            with torch.no_grad(), autocast(precision, batches.device):
                outputs = model(inputs)
        except BaseException as error:
            note_batch(error, f"batch {number + 1} of the evaluation", inputs, targets)
            raise
        yield outputs.float(), targets


def _score(
    answers: Tensor, targets: Tensor, all_targets: Tensor, data: Dataset, group: Group
) -> tuple[float, list[list[int]]]:
    """Accuracy and confusion matrix, or R2 (NaN when all targets are equal) and nothing."""
    if data.task == "regression":
        numbers = all_targets.cpu().double()
        (residual,) = group.sums([float((answers.cpu() - targets.cpu().double()).square().sum())])
        total = float((numbers - numbers.mean()).square().sum())
        return 1 - residual / total if total > 0 else float("nan"), []
    (right,) = group.sums([int((answers == targets).sum())])
    classes = data.outputs
    if classes > MAX_CONFUSION_CLASSES:
        return right / len(all_targets), []
    counts = torch.bincount(targets * classes + answers, minlength=classes * classes)
    summed = [int(count) for count in group.sums(counts.tolist())]
    rows = [summed[start : start + classes] for start in range(0, len(summed), classes)]
    return right / len(all_targets), rows
