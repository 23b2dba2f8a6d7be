"""Validation: loss, score and counts of classes of a split, in passing after each epoch."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.data.batches import Batch, Batches
from core.data.dataset import Dataset
from core.models.own.calling import call_network
from core.tasks.base import Counted
from core.tasks.joined import Joined
from core.tasks.registry import task_of
from core.training.distributed import SINGLE, Group
from core.training.forward_pass import autocast
from core.training.sharding.choice import is_divided
from core.user_code.batch_notes import note_batch

if TYPE_CHECKING:
    from core.losses.base import Scorer
    from core.training.metrics.epoch_metrics import EpochMetrics

__all__ = ["network_outputs", "validate"]


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
) -> tuple[dict[str, float], Counted] | None:
    """Return loss, score and metrics of one pass, and its counts of classes.

    Both are empty for an empty split; the counts also for regression and for many classes. The device is waited
    for once, at the end.

    Args:
        precision: of the network; see `core.training.forward_pass.autocast`.
        should_stop: polled after each batch; once it returns true, the result is None.
        group: the processes that each take some batches.
        metrics: what is measured beside loss and score.
        scorer: makes scores of outputs, which metrics are measured on.
    """
    if len(batches) == 0:
        return {}, Counted()
    if should_stop():
        return None
    losses: list[Tensor] = []
    counts: list[float | Tensor] = []
    task = task_of(data.task)
    likely = scorer is not None and scorer.converts and scorer.gives_probabilities(data.target_facts)
    tally, rows = task.tally(0.5 if likely else 0.0), task.rows_at_once(data.sample_shape)
    kept = Joined()
    measures = metrics is not None and bool(metrics.names)
    for outputs, batch in network_outputs(model, batches, rows, precision, group):
        if should_stop():
            return None
        with torch.no_grad():
            losses.append(batch.loss(loss, outputs))
            answer = scorer.scores(outputs) if scorer is not None and scorer.converts else outputs
            if scorer is not None and measures:
                kept.add(task.scores(scorer, [outputs]))
            tally.add(answer, batch.targets, batch.weights)
            counts.append(batch.samples if batch.weights is None else batch.weights.sum(dtype=torch.float64))
    if should_stop():  # a stream ends early then
        return None
    means = torch.stack(losses).cpu().double() if losses else torch.zeros(0, dtype=torch.float64)
    weights = torch.tensor(counts, dtype=torch.float64)
    total, weight = group.sums([float(means @ weights), float(weights.sum())])
    score, counted = tally.read(batches.targets, batches.weights, data.outputs, group.sums)
    measured = {"loss": total / weight, task.score: score}
    if metrics is not None and metrics.names:
        measured |= _measured(metrics, kept, batches, data, group)
    return measured, counted


def _measured(
    metrics: "EpochMetrics", kept: Joined, batches: Batches, data: Dataset, group: Group
) -> dict[str, float]:
    """Measure the scores of all processes in the first one.

    Args:
        kept: scores of the batches of this process.
    """
    task = task_of(data.task)
    each = task.places(data.sample_shape) or (data.outputs,)
    scores = kept.whole(torch.zeros(0, *each)).cpu()
    if group.size > 1:
        everywhere = torch.zeros(len(batches), *each, dtype=torch.float64)
        at_once = batches.limit(task.rows_at_once(data.sample_shape))
        everywhere[group.own_batches(len(batches), at_once)] = scores.double()
        scores = group.sum_tensor(everywhere)
    values = metrics.measure(scores) if group.rank == 0 else dict.fromkeys(metrics.names, 0.0)
    return dict(zip(values, group.sums(list(values.values())), strict=True))


def network_outputs(
    model: nn.Module, batches: Batches, rows: int, precision: str = "fp32", group: Group = SINGLE
) -> Iterator[tuple[Tensor, Batch]]:
    """Yield float32 outputs (b, n, ...) and the batch, for each of this process's, in order, without gradients.

    Not in inference mode: what a network keeps for the next step of training must be usable there.

    Args:
        rows: samples at once; see `core.tasks.base.Task.rows_at_once`.
    """
    model.eval()
    size = batches.limit(rows)
    for number, batch in enumerate(batches.iterate(size, group.own_batches(len(batches), size))):
        try:
            with torch.no_grad(), autocast(precision, batches.device):
                outputs = call_network(model, batch.inputs)
        except BaseException as error:
            place = number * group.size + group.rank + 1
            note_batch(error, f"batch {place} of the evaluation", batch.inputs, batch.targets)
            raise
        if batch.samples == 1 and (not outputs.ndim or len(outputs) != 1):
            outputs = outputs[None]  # squeeze() took the dimension of the one sample away
        yield outputs.float(), batch
    if group.size > 1 and is_divided(model):
        _keep_company(model, batches, batches.count(size), precision, group)


def _keep_company(model: nn.Module, batches: Batches, count: int, precision: str, group: Group) -> None:
    """Call a network whose weights are divided once more if other processes have one more batch: they wait for it.

    Args:
        count: batches of all processes.
    """
    if group.rank < count % group.size or not count % group.size:
        return
    batch = next(batches.iterate(1, torch.zeros(1, dtype=torch.int64)))
    with torch.no_grad(), autocast(precision, batches.device):
        call_network(model, batch.inputs)
