"""Structure of a network, as it shows without calling it: layers and weights that PyTorch does not see."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.errors import ModelError
from core.session.preflight.finding import Finding, failed
from core.session.preflight.places import place_of

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["hidden_weights"]

DEPTH = 3
"""Containers in containers that are looked into."""


def hidden_weights(prepared: "Prepared") -> Finding:
    """Find layers in plain lists and weights in plain attributes: they are neither trained nor saved."""
    name = "all layers are registered"
    known = {id(each) for each in (*prepared.model.parameters(), *prepared.model.modules())}
    for path, module in prepared.model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for attribute, value in vars(module).items():
            if attribute.startswith("_"):
                continue
            pattern = rf"self\.{attribute}\s*(:[^=]*)?=(?!=)"
            full = f"{path}.{attribute}" if path else attribute
            for inner in _inner(value, DEPTH):
                if id(inner) in known:
                    continue
                if isinstance(inner, nn.Module) and any(
                    weight.requires_grad and id(weight) not in known for weight in inner.parameters()
                ):
                    kind, where = type(value).__name__, place_of(pattern, prepared.model, prepared.config)
                    return failed(
                        name,
                        ModelError(
                            f"the layers in {full} are in a plain {kind}, so they are neither trained nor saved{where}",
                            f"Use nn.{'ModuleDict' if isinstance(value, dict) else 'ModuleList'}",
                        ),
                    )
                if isinstance(inner, Tensor) and inner.requires_grad and inner.is_leaf:
                    where = place_of(pattern, prepared.model, prepared.config)
                    return failed(
                        name,
                        ModelError(
                            f"{full} is a tensor with a gradient but no parameter, so it is neither trained nor saved"
                            f"{where}",
                            "Use nn.Parameter, and nn.ParameterList for several",
                        ),
                    )
    return Finding(name)


def _inner(value: Any, depth: int) -> Iterator[Any]:
    """Yield the modules and tensors of an attribute, in plain containers too."""
    if isinstance(value, nn.Module | Tensor):
        yield value
    elif depth and isinstance(value, Mapping):
        for each in value.values():
            yield from _inner(each, depth - 1)
    elif depth and isinstance(value, list | tuple | set):
        for each in value:
            yield from _inner(each, depth - 1)
