"""Devices: which there are, and which one is meant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.counting import counted
from core.errors import DeviceError
from core.gpus.process import AUTOMATIC, named, taken
from core.machine import available_cores, memory

if TYPE_CHECKING:
    import torch

__all__ = ["Device", "discover", "ensure_precision", "precisions", "resolve"]

AMPERE = (8, 0)
"""Compute capability of the first NVIDIA GPUs with TF32 and bf16."""


@dataclass(frozen=True)
class Device:
    """A device one can train on. `memory` is in bytes, 0 when unknown."""

    name: str
    label: str
    memory: int = 0


def discover() -> list[Device]:
    """All devices of this machine, best first; the processor is always there."""
    return [_device(name) for name in _names()]


def _names() -> list[str]:
    import torch

    cuda = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*(f"cuda:{index}" for index in cuda), *mps, "cpu"]


def _device(name: str) -> Device:
    import torch

    if name == "cpu":
        return Device(name, counted(available_cores(), "core"), memory().total)
    if name == "mps":
        return Device(name, "Apple GPU", memory().total)
    properties = torch.cuda.get_device_properties(int(name.removeprefix("cuda:")))
    return Device(name, properties.name, properties.total_memory)


def resolve(name: str) -> "torch.device":
    """The device meant by a configuration's ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    ``auto`` and ``cuda`` are the GPU that this process has taken, or else the first one; see `core.gpus.process`.

    Raises:
        DeviceError: it is not there.
    """
    import torch

    names = _names()
    wanted = names[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if name == "auto" and wanted == "cpu" and named():
        raise DeviceError(
            f"this run was given {named()}, but PyTorch computes on no GPU here",
            "Install one that does, or name no GPU",
        )
    if name in AUTOMATIC and (place := taken()) is not None and f"cuda:{place}" in names:
        wanted = f"cuda:{place}"
    if wanted not in names:
        raise DeviceError(
            f"training.device: {name} is not available here", f"Devices here: auto, {', '.join(names)}"
        )
    return torch.device(wanted)


def precisions(device: "torch.device") -> tuple[str, ...]:
    """The values of ``training.precision`` that a device can compute in."""
    import torch

    if device.type == "cuda":
        new = torch.cuda.get_device_capability(device) >= AMPERE
        return ("fp32", "tf32", "bf16", "fp16") if new else ("fp32", "fp16")
    if device.type == "mps":
        return ("fp32", "bf16") if torch.backends.mps.is_macos_or_newer(14, 0) else ("fp32",)
    return ("fp32", "bf16", "fp16")


def ensure_precision(precision: str, device: "torch.device") -> None:
    """Refuse what a device cannot compute in.

    Raises:
        DeviceError: that is so; the message names what it can.
    """
    possible = precisions(device)
    if precision not in possible:
        raise DeviceError(
            f"training.precision: {device} does not support {precision}", f"It takes {', '.join(possible)}"
        )
