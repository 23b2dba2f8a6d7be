"""The costliest layers, and a trace of some steps, by PyTorch's own profiler.

The forward pass of a module is the time in it, without that in the modules inside it. Its backward pass are those
functions of autograd that belong to the operations of its forward pass, which PyTorch numbers alike.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from core.profiling.subject import subject, wait_for

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["LayerCost", "Trace", "trace_steps"]

WARM_UP = 2
LAYER = "layer "
"""Begins the name of the range of a module."""
BACKWARD = "autograd::engine::evaluate_function"
"""Begins the name of a function of autograd."""
ITSELF = "(the network itself)"
QUIET = "99"
"""The profiler's library writes to standard error what is below this level."""


@dataclass(frozen=True)
class LayerCost:
    """Seconds of one step in a module, those of the modules inside it left out.

    Attributes:
        path: of the module, such as ``encoder.0``. kind: its class.
    """

    path: str
    kind: str
    forward: float
    backward: float

    @property
    def seconds(self) -> float:
        """Seconds of both passes."""
        return self.forward + self.backward


@dataclass(frozen=True)
class Trace:
    """Costs of the layers, as PyTorch's profiler saw them.

    Attributes:
        layers: the costliest first. idle: fraction of the time in which a GPU did nothing; None without a GPU.
    """

    layers: tuple[LayerCost, ...]
    idle: float | None


def trace_steps(prepared: "Prepared", steps: int, file: Path | None = None) -> Trace:
    """Trace some steps of a copy.

    Args:
        file: takes the trace as Chrome and Perfetto read it.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", QUIET)
    on_gpu = prepared.device.type == "cuda"
    settings = prepared.config.training.model_copy(update={"cuda_graphs": "off", "compile": False})
    traced = subject(prepared, prepared.config.model_copy(update={"training": settings}))
    for _ in range(WARM_UP):
        traced.learner.step(next(traced.batches))
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    model = traced.learner.model
    with ranges(model), profile(activities=activities, acc_events=True) as profiler:
        for _ in range(steps):
            traced.learner.step(next(traced.batches))
        wait_for(prepared.device)
    if file is not None:
        profiler.export_chrome_trace(str(file))
    events = list(profiler.events() or ())
    return Trace(tuple(_layer_costs(events, model, steps, on_gpu)), _idle(events) if on_gpu else None)


@contextmanager
def ranges(model: nn.Module) -> Iterator[None]:
    """Context manager in which the profiler sees each call of a module of `model` as a range with its path."""
    open_ranges: list[Any] = []
    hooks = []

    def enter(path: str) -> Any:
        def hook(*_: Any) -> None:
            open_ranges.append(record_function(f"{LAYER}{path}"))
            open_ranges[-1].__enter__()

        return hook

    def leave(*_: Any) -> None:
        open_ranges.pop().__exit__(None, None, None)

    for path, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(enter(path)))
        hooks.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _layer_costs(events: list[Any], model: nn.Module, steps: int, on_gpu: bool) -> list[LayerCost]:
    """Return the cost of each module that took time, from the events of some steps, the costliest first."""
    total = "device_time_total" if on_gpu else "cpu_time_total"
    forward: dict[str, float] = defaultdict(float)
    backward: dict[str, float] = defaultdict(float)
    layer_of: dict[int, str] = {}
    for event in events:
        if event.name.startswith(LAYER):
            path = event.name.removeprefix(LAYER)
            forward[path] += getattr(event, total)
            if (outer := _layer_around(event)) is not None:
                forward[outer] -= getattr(event, total)
        elif event.sequence_nr >= 0 and (around := _layer_around(event)) is not None:
            layer_of[event.sequence_nr] = around
    for event in events:
        if event.name.startswith(BACKWARD) and event.sequence_nr in layer_of:
            backward[layer_of[event.sequence_nr]] += getattr(event, total)
    modules = dict(model.named_modules())
    microseconds = 1e-6 / steps
    costs = [
        LayerCost(
            path or ITSELF,
            type(modules[path]).__name__,
            max(0.0, forward[path]) * microseconds,
            backward[path] * microseconds,
        )
        for path in forward
        if path in modules
    ]
    return sorted((cost for cost in costs if cost.seconds), key=lambda cost: -cost.seconds)


def _layer_around(event: Any) -> str | None:
    """Return the path of the innermost module in whose forward pass something happened; None outside of all."""
    parent = event.cpu_parent
    while parent is not None:
        if parent.name.startswith(LAYER):
            return str(parent.name.removeprefix(LAYER))
        parent = parent.cpu_parent
    return None


def _idle(events: list[Any]) -> float | None:
    """Return the fraction of the time between the first and the last kernel in which none ran."""
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type.name == "CUDA" and not event.name.startswith(LAYER)
    )
    if not spans:
        return None
    busy, reached = 0.0, spans[0][0]
    for start, end in spans:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return 1 - busy / (reached - spans[0][0]) if reached > spans[0][0] else None
