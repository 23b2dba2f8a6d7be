"""Surroundings that a network may change while it is built and tried, and how they are put back."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.errors import ModelError
from core.random_state import keeping_random_state
from core.session.preflight.places import place_of, users_classes

__all__ = ["changed_settings", "ensure_unchanged", "kept_surroundings", "settings", "watched_settings"]

Settings = dict[str, Any]

KNOWN: Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "threads": (torch.get_num_threads, torch.set_num_threads),
    "matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
}
"""Global settings of PyTorch: how each is read and set."""


def settings() -> Settings:
    """Return the global settings of PyTorch as they are."""
    return {name: read() for name, (read, _) in KNOWN.items()}


def changed_settings(before: Settings) -> Settings:
    """Return those that differ from `before`, as they are now, and put them back."""
    changed = {name: value for name, value in settings().items() if value != before[name]}
    for name in changed:
        KNOWN[name][1](before[name])
    return changed


@contextmanager
def watched_settings(where: str, model: nn.Module, config: TrainConfig) -> Iterator[None]:
    """Context manager that puts settings back, and refuses a network that changed one; see `ensure_unchanged`."""
    before = settings()
    try:
        yield
    finally:
        changed = changed_settings(before)
    ensure_unchanged(changed, where, model, config)


def ensure_unchanged(changed: Settings, where: str, model: nn.Module, config: TrainConfig) -> None:
    """Refuse a network that changes a setting which every computation depends on.

    Args:
        changed: settings with their new values.
        where: the method that was called.

    Raises:
        ModelError: the default dtype or the grad mode is among them.
    """
    if "default dtype" in changed:
        line = place_of("set_default_dtype|set_default_tensor_type", model, config)
        raise ModelError(
            f"{where} sets PyTorch's default dtype to {changed['default dtype']}{line}; networks are given float32",
            "Remove that line, and convert in forward if need be: x.double()",
        )
    if "grad mode" in changed:
        line = place_of("set_grad_enabled|no_grad|inference_mode", model, config)
        raise ModelError(
            f"{where} turns gradients {'on' if changed['grad mode'] else 'off'} for everything that follows{line}",
            "Remove that line: evaluation runs without gradients anyway",
        )


@contextmanager
def kept_surroundings(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Context manager that puts back what trying a copy of a network may change.

    These are random states, global settings, and what the network's code shares with its copies: attributes that a hook
    of the original writes, attributes of classes, and global names of its files.
    """
    before = settings()
    with ExitStack() as kept, keeping_random_state(device):
        for module in model.modules():
            if not isinstance(module, torch.jit.ScriptModule):
                kept.callback(_restore, vars(module), _snapshot(vars(module)))
        for kind in users_classes(model):
            kept.callback(_restore_class, kind, _snapshot(vars(kind)))
            names = vars(sys.modules[kind.__module__])
            kept.callback(_restore, names, _snapshot(names))
        buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
        try:
            yield
        finally:
            changed_settings(before)
            with torch.no_grad():
                for buffer, value in buffers:
                    buffer.copy_(value)


Snapshot = tuple[dict[str, Any], list[tuple[Any, Any]]]
"""Names with their objects, and of those that are containers the content."""


def _snapshot(names: Mapping[str, Any]) -> Snapshot:
    containers = [
        value
        for name, value in names.items()
        if type(value) in (dict, list, set) and not name.startswith("__")
    ]
    return dict(names), [(value, value.copy()) for value in containers]


def _restore(names: dict[str, Any], snapshot: Snapshot) -> None:
    objects, containers = snapshot
    for name in [name for name in names if name not in objects]:
        del names[name]
    names.update(objects)
    _refill(containers)


def _restore_class(kind: type, snapshot: Snapshot) -> None:
    objects, containers = snapshot
    for name, value in list(vars(kind).items()):
        if name not in objects:
            delattr(kind, name)
        elif objects[name] is not value and not name.startswith("__"):
            setattr(kind, name, objects[name])
    _refill(containers)


def _refill(containers: list[tuple[Any, Any]]) -> None:
    for container, content in containers:
        if not _is_same(container, content):
            container.clear()
            container.extend(content) if isinstance(container, list) else container.update(content)


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two containers of one type hold the same objects; tensors do not compare."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(one[key] is other[key] for key in one)
    return [*map(id, one)] == [*map(id, other)]
