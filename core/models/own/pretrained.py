"""Weights from a user's file: as many as fit, and what was left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from core.errors import DependencyError, ModelError
from core.files.reading import open_regular

__all__ = ["load_weights"]

HOLDERS = ("state_dict", "model_state_dict", "model", "network", "net", "weights", "ema", "params")
"""Keys under which checkpoints keep their weights."""
MAX_NAMES = 4


def load_weights(network: nn.Module, file: str) -> str:
    """Take over the weights in a file that have the name and the shape of the network's own; return what was done.

    Names in the file may have a prefix that all of them share, such as ``module.``.

    Raises:
        ModelError: the file cannot be read, holds no weights, or none that fit.
        DependencyError: its format needs a package that is not installed.
    """
    path = Path(file).expanduser()
    own = network.state_dict()
    given = _without_prefix(_read(path), own)
    fitting = {name for name in given.keys() & own.keys() if _fits(own[name], given[name])}
    other = [
        f"{name} ({_shape(given[name])} there, {_shape(own[name])} here)"
        for name in own
        if name in given and name not in fitting
    ]
    missing = [name for name in own if name not in given]
    unused = [name for name in given if name not in own]
    if not fitting:
        raise ModelError(
            f"model.weights: none of the {len(given)} tensors in {path.name} fits: it has {_some(list(given))}, "
            f"the network has {_some(list(own))}",
            "Give weights of this network, or leave them out",
        )
    network.load_state_dict({name: given[name] for name in fitting}, strict=False)
    left = [
        f"{_some(names)} {why}"
        for names, why in (
            (other, "of another shape"),
            (missing, "not in it"),
            (unused, "not in the network"),
        )
        if names
    ]
    rest = f"; not taken over: {', '.join(left)}" if left else ""
    return f"model: {len(fitting)} of {len(own)} tensors start as in {path.name}{rest}"


def _read(path: Path) -> Mapping[str, Tensor]:
    """The weights in a file by name."""
    try:
        with open_regular(path, follow_links=True) as file:
            if path.suffix.lower() == ".safetensors":
                held: Any = _safetensors(file.read())
            else:
                held = torch.load(file, map_location="cpu", weights_only=True)
    except DependencyError:
        raise
    except OSError as error:
        raise ModelError(f"model.weights: cannot read {path}: {error.strerror}", "Give a file") from None
    except Exception as error:  # both raise whatever they trip over in a damaged file
        if type(error).__name__ == "UnpicklingError":
            raise ModelError(
                f"model.weights: {path.name} holds other objects than tensors, which may run code when they are read",
                "Save the weights alone: torch.save(model.state_dict(), file)",
            ) from None
        raise ModelError(
            f"model.weights: {path.name} is damaged, or no file of weights",
            "Save them with torch.save, or as safetensors",
        ) from None
    found = _weights_in(held)
    if not found:
        raise ModelError(
            f"model.weights: {path.name} holds no weights by name", "Save model.state_dict() in it"
        )
    return found


def _weights_in(held: Any) -> Mapping[str, Tensor]:
    """The tensors by name in what a file holds: itself, or what it keeps under a usual key."""
    if not isinstance(held, Mapping):
        return {}
    tensors = {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
    inner = next((held[key] for key in HOLDERS if isinstance(held.get(key), Mapping)), None)
    return tensors if inner is None else _weights_in(inner) or tensors


def _safetensors(content: bytes) -> Mapping[str, Tensor]:
    try:
        from safetensors.torch import load
    except ImportError:
        raise DependencyError(
            "weights in safetensors need the package safetensors, which is not installed",
            "Install it: pip install 'torchtui[safetensors]'",
        ) from None
    tensors: Mapping[str, Tensor] = load(content)
    return tensors


def _without_prefix(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Names without what stands before all of them, as wrappers put it there, where the network lacks it."""
    while given and not given.keys() & own.keys():
        prefixes = {name.partition(".")[0] for name in given if "." in name}
        if len(prefixes) != 1 or not all("." in name for name in given):
            break
        given = {name.partition(".")[2]: value for name, value in given.items()}
    return given


def _fits(own: Tensor, given: Tensor) -> bool:
    return is_lazy(own) or own.shape == given.shape


def _shape(tensor: Tensor) -> str:
    return "any" if is_lazy(tensor) else "x".join(map(str, tensor.shape)) or "one number"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
