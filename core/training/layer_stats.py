"""What goes on inside a network while it trains: weights, gradients, updates and dead units of each layer.

A sample costs a step some time, so the next one waits a hundred times as long: all together stay under one per cent.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core.events import Event, LayersSampled, Notice
from core.training.step import Step

__all__ = ["LayerWatch"]

SECONDS = 2.0
"""Shortest time between two samples."""
SHARE = 0.01
"""Of the training time, this much may be spent on samples."""
VANISHED = 1e-5
"""A layer whose gradient is this small a part of the largest one learns nothing (Glorot and Bengio 2010)."""
EXPLODED = 100.0
"""So many times its first norm, a gradient has exploded (Pascanu et al. 2013)."""
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid)


class LayerWatch:
    """Samples the layers of `model` in some steps of its training; changes nothing that is trained.

    Args:
        emit: told samples, and notices when gradients vanish or explode, each kind once.
        scaled: whether the loss is, so that a gradient that is not finite is no step.
    """

    def __init__(self, model: nn.Module, emit: Callable[[Event], None], scaled: bool = False) -> None:
        self._emit, self._scaled = emit, scaled
        self._model = model
        self._layers = [
            (name or type(module).__name__, module, weights)
            for name, module in model.named_modules()
            if (weights := [weight for weight in module.parameters(recurse=False) if weight.requires_grad])
        ]
        self._due = 0.0
        self._first: float | None = None
        self._told: set[str] = set()

    def around(self, step: Step, place: Callable[[], tuple[int, int]]) -> Step:
        """`step`, sampled as often as its cost allows.

        Args:
            place: the epoch, from 1, and the number of the step going on, from 1.
        """

        def watched(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            if time.perf_counter() < self._due or not self._layers:
                return step(inputs, targets)
            began = time.perf_counter()
            before = [[weight.detach().clone() for weight in weights] for _, _, weights in self._layers]
            watch = _DeadUnits(self._model)
            stepped = time.perf_counter()
            try:
                result = step(inputs, targets)
            finally:
                watch.remove()
            stepped = time.perf_counter() - stepped
            self._tell(self._sample(before, watch, *place()))
            cost = time.perf_counter() - began - stepped
            self._due = time.perf_counter() + max(SECONDS, cost / SHARE)
            return result

        return watched

    def _sample(
        self, before: list[list[Tensor]], watch: "_DeadUnits", epoch: int, step: int
    ) -> LayersSampled:
        """The norms, read off the device at once."""
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
            kinds=[type(module).__name__ for _, module, _ in self._layers],
            weights=[weight for weight, _, _ in norms],
            gradients=[gradient for _, gradient, _ in norms],
            updates=[update / weight if weight else 0.0 for weight, _, update in norms],
            dead=[watch.share_after(module) for _, module, _ in self._layers],
        )

    def _tell(self, sample: LayersSampled) -> None:
        """The sample, and what is wrong with it."""
        self._emit(sample)
        for kind, message in self._problems(sample).items():
            if kind not in self._told:
                self._told.add(kind)
                self._emit(Notice(level="warning", message=message))

    def _problems(self, sample: LayersSampled) -> dict[str, str]:
        gradients = [math.inf if value is None else value for value in sample.gradients]
        whole = math.hypot(*gradients)
        if self._scaled and not math.isfinite(whole):
            return {}  # the scale was too large, and becomes smaller
        if self._first is None and 0 < whole < math.inf:
            self._first = whole
        found = {}
        if not math.isfinite(whole) or (self._first is not None and whole > EXPLODED * self._first):
            found["exploded"] = (
                f"gradients explode: their norm is {whole:.3g} in step {sample.step}, "
                f"and was {self._first or 0:.3g} at first: try training.clip_norm or a smaller learning rate"
            )
        elif whole > 0 and min(gradients) < VANISHED * max(gradients):
            at = gradients.index(min(gradients))
            found["vanished"] = (
                f"gradients vanish: that of {sample.names[at]} is {gradients[at]:.1e}, of the largest "
                f"{max(gradients):.1e}: try ReLU, normalisation or fewer layers"
            )
        return found


class _DeadUnits:
    """Watches one forward pass: which units of an activation give 0 for every sample of the batch."""

    def __init__(self, model: nn.Module) -> None:
        self._shares: dict[int, Tensor] = {}
        self._last: nn.Module | None = None
        self._hooks = [
            module.register_forward_hook(self._see)
            for module in model.modules()
            if not any(True for _ in module.children())
        ]

    def _see(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if next(module.parameters(recurse=False), None) is not None:
            self._last = module
        elif self._last is not None and isinstance(module, ACTIVATIONS) and outputs.ndim > 1:
            units = -1 if isinstance(self._last, nn.Linear) else 1
            silent = (outputs.detach() == 0).movedim(units, 0).flatten(1).all(dim=1)
            self._shares.setdefault(id(self._last), silent.float().mean())

    def remove(self) -> None:
        """Watch no more."""
        for hook in self._hooks:
            hook.remove()

    def share_after(self, module: nn.Module) -> float | None:
        """Share of dead units, or channels, of the activation behind a layer; None where there is none."""
        share = self._shares.get(id(module))
        return None if share is None else float(share)


def _norm(tensors: list[Tensor]) -> Tensor:
    """The Euclidean norm of all numbers together, float32, a scalar."""
    norms = [torch.linalg.vector_norm(each.float()) for each in tensors]
    whole: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return whole
