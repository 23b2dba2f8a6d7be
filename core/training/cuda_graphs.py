"""The kernels of a step launched all at once, as a CUDA graph: a small network waits for launches, not for arithmetic.

The forward and backward pass of a full batch are captured. The optimizer, schedules, clipping and a smaller last batch
run as without graphs, and results and checkpoints are the same.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.data.batches import Batch
from core.data.inputs import map_inputs, tensors_of
from core.training.distributed import Group

if TYPE_CHECKING:
    from core.training.step import Step

__all__ = ["Captured", "wants_graphs"]

SMALL = 5_000_000
"""Number of parameters up to which ``auto`` captures: above it, kernels take longer than their launches."""
WARM_UP = 3
"""Steps before the capture, in which libraries choose their kernels and create what they create lazily."""

Replay = Callable[[], None]


def wants_graphs(config: TrainConfig, model: nn.Module, device: torch.device, group: Group) -> bool:
    """Return true if the steps are to be captured.

    ``auto`` captures small built-in networks, which are known to do the same at each step. Optimizers that call a
    closure, several processes, accumulation, compiled and fp16 training are not captured.
    """
    settings = config.training
    plain = settings.accumulate == 1 and not settings.compile and settings.precision != "fp16"
    if settings.cuda_graphs == "off" or not plain or config.optimizer.closure:
        return False
    if device.type != "cuda" or group.size > 1:
        return False
    small = sum(weight.numel() for weight in model.parameters()) <= SMALL
    static = config.model.STATIC and config.loss.STATIC
    return settings.cuda_graphs == "on" or (small and static)


class Captured:
    """Gradients of a step: computed normally a few times, and from then on by replaying the same kernels.

    Args:
        gradients: computes the gradients of a batch; see `core.training.step`.
        weights: their ``grad`` is None before each call, and set by it.
        batch_size: number of samples of the batches that are replayed; others are computed normally.
        record: takes a function, and returns one that launches the same kernels again.
    """

    def __init__(
        self,
        gradients: "Step",
        weights: Sequence[nn.Parameter],
        batch_size: int,
        record: Callable[[Callable[[], None]], Replay] | None = None,
    ) -> None:
        self._compute, self._weights, self._batch_size = gradients, weights, batch_size
        self._record = record or _record
        self._steps = 0
        self._replay: Replay | None = None

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        if batch.samples != self._batch_size:
            return self._compute(batch)
        self._steps += 1
        if self._steps <= WARM_UP:
            return self._warm_up(batch)
        if self._replay is None:
            weights = None if batch.weights is None else batch.weights.clone()
            self._batch = Batch(map_inputs(Tensor.clone, batch.inputs), batch.targets.clone(), weights)
            self._replay = self._record(self._once)
            self._gradients = [weight.grad for weight in self._weights]
        for kept, given in zip(tensors_of(self._batch.inputs), tensors_of(batch.inputs), strict=True):
            kept.copy_(given)
        self._batch.targets.copy_(batch.targets)
        if self._batch.weights is not None and batch.weights is not None:
            self._batch.weights.copy_(batch.weights)
        self._replay()
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient
        return self._loss.clone(), self._outputs.clone()

    def _warm_up(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Compute on a side stream: work that autograd ties to the default stream cannot be captured."""
        if not batch.targets.is_cuda:
            return self._compute(batch)
        stream = torch.cuda.Stream()
        here = torch.cuda.current_stream()
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            result = self._compute(batch)
        here.wait_stream(stream)
        return result

    def _once(self) -> None:
        loss, outputs = self._compute(self._batch)
        self._loss, self._outputs = loss.detach(), outputs.detach()


def _record(function: Callable[[], None]) -> Replay:
    """Record a CUDA graph; other threads may use the device meanwhile."""
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        function()
    return graph.replay
