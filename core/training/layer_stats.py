"""Statistics of a network while it trains: weights, gradients, updates and dead units of each layer.

A sample slows down a step, so the next one waits a hundred times as long: all together cost less than one per cent.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core.data.batches import Batch
from core.events import Event, LayersSampled, Notice
from core.training.sharding.choice import kind_of, whole_norm
from core.training.step import Step

__all__ = ["LayerWatch"]

MIN_SECONDS = 2.0
"""Shortest time between two samples."""
MAX_SHARE = 0.01
"""Largest fraction of the training time that samples may take."""
VANISHED = 1e-5
"""A layer learns nothing if its gradient is this small a fraction of the largest one (Glorot and Bengio 2010)."""
EXPLODED = 100.0
"""A gradient has exploded if its norm is this many times the first one (Pascanu et al. 2013)."""
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid)


class LayerWatch:
    """Samples the layers of `model` in some steps of its training, without changing the training.

    Args:
        emit: takes samples, and notices when gradients vanish or explode, each kind once.
        scaled: true if the loss is scaled: then a gradient that is not finite only means a skipped step.
        is_agreed: returns whether a step is sampled, given whether it is by this process's clock.
    """

    def __init__(
        self,
        model: nn.Module,
        emit: Callable[[Event], None],
        scaled: bool = False,
        is_agreed: Callable[[bool], bool] = bool,
    ) -> None:
        self._emit, self._scaled, self._is_agreed = emit, scaled, is_agreed
        self._model = model
        self._layers = [
            (name or kind_of(module), module, weights)
            for name, module in model.named_modules()
            if (weights := [weight for weight in module.parameters(recurse=False) if weight.requires_grad])
        ]
        self._due = 0.0
        self._first: float | None = None
        self._reported: set[str] = set()

    def around(self, step: Step, place: Callable[[], tuple[int, int]]) -> Step:
        """Return `step`, sampled as often as the cost allows.

        Args:
            place: returns the number of the current epoch and step, both from 1.
        """

        def watched(batch: Batch) -> tuple[Tensor, Tensor]:
            if not self._is_agreed(time.perf_counter() >= self._due) or not self._layers:
                return step(batch)
            began = time.perf_counter()
            before = [[weight.detach().clone() for weight in weights] for _, _, weights in self._layers]
            watch = _DeadUnits(self._model)
            stepped = time.perf_counter()
            try:
                result = step(batch)
            finally:
                watch.remove()
            stepped = time.perf_counter() - stepped
            self._report(self._sample(before, watch, *place()))
            cost = time.perf_counter() - began - stepped
            self._due = time.perf_counter() + max(MIN_SECONDS, cost / MAX_SHARE)
            return result

        return watched

    def _sample(
        self, before: list[list[Tensor]], watch: "_DeadUnits", epoch: int, step: int
    ) -> LayersSampled:
        """Return the norms, read off the device at once."""
        rows = []
        for (_, _, weights), old in zip(self._layers, before, strict=True):
            moved = [weight.detach() - earlier for weight, earlier in zip(weights, old, strict=True)]
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            rows.append(torch.stack([_norm(old), _norm(gradients or [old[0].new_zeros(1)]), _norm(moved)]))
        norms = torch.stack([row.to(rows[0].device) for row in rows]).tolist()
        return LayersSampled(
            epoch=epoch,
            step=step,
            names=[name for name, _, _ in self._layers],
            kinds=[kind_of(module) for _, module, _ in self._layers],
            weights=[weight for weight, _, _ in norms],
            gradients=[gradient for _, gradient, _ in norms],
            updates=[update / weight if weight else 0.0 for weight, _, update in norms],
            dead=[watch.share_after(module) for _, module, _ in self._layers],
        )

    def _report(self, sample: LayersSampled) -> None:
        """Emit the sample, and a notice of each problem seen for the first time."""
        self._emit(sample)
        for kind, message in self._problems(sample).items():
            if kind not in self._reported:
                self._reported.add(kind)
                self._emit(Notice(level="warning", message=message))

    def _problems(self, sample: LayersSampled) -> dict[str, str]:
        gradients = [math.inf if value is None else value for value in sample.gradients]
        whole = math.hypot(*gradients)
        if self._scaled and not math.isfinite(whole):
            return {}  # the scale was too large and is being reduced
        if self._first is None and 0 < whole < math.inf:
            self._first = whole
        found = {}
        if not math.isfinite(whole) or (self._first is not None and whole > EXPLODED * self._first):
            found["exploded"] = (
                f"gradients explode: the norm is {whole:.3g} in step {sample.step}, "
                f"up from {self._first or 0:.3g} at the start: try training.clip_norm or a smaller learning rate"
            )
        elif whole > 0 and min(gradients) < VANISHED * max(gradients):
            at = gradients.index(min(gradients))
            found["vanished"] = (
                f"gradients vanish: the norm of {sample.names[at]} is {gradients[at]:.1e}, the largest is "
                f"{max(gradients):.1e}: try ReLU, normalisation or fewer layers"
            )
        return found


class _DeadUnits:
    """Watches one forward pass for dead units: those of an activation that are 0 for every sample of the batch."""

    def __init__(self, model: nn.Module) -> None:
        self._shares: dict[int, Tensor] = {}
        self._last: nn.Module | None = None
        self._hooks = [
            module.register_forward_hook(self._see)
            for module in model.modules()
            if not any(True for _ in module.children()) and not isinstance(module, torch.jit.ScriptModule)
        ]

    def _see(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if next(module.parameters(recurse=False), None) is not None:
            self._last = module
        elif self._last is not None and isinstance(module, ACTIVATIONS) and outputs.ndim > 1:
            units = -1 if isinstance(self._last, nn.Linear) else 1
            silent = (outputs.detach() == 0).movedim(units, 0).flatten(1).all(dim=1)
            self._shares.setdefault(id(self._last), silent.float().mean())

    def remove(self) -> None:
        """Stop watching."""
        for hook in self._hooks:
            hook.remove()

    def share_after(self, module: nn.Module) -> float | None:
        """Return the fraction of dead units, or channels, of the activation after a layer; None if there is none."""
        share = self._shares.get(id(module))
        return None if share is None else float(share)


def _norm(tensors: list[Tensor]) -> Tensor:
    """Return the Euclidean norm of all numbers together, a float32 scalar."""
    norms = [torch.linalg.vector_norm(each.float()) for each in tensors]
    whole: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return whole_norm(whole)
