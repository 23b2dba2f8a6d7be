"""Devices: which there are, and which one is meant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import DeviceError
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
    import torch

    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        found.append(Device(f"cuda:{index}", properties.name, properties.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", memory().total))
    found.append(Device("cpu", f"{available_cores()} cores", memory().total))
    return found


def resolve(name: str) -> "torch.device":
    """The device meant by a configuration's ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        DeviceError: it is not there.
    """
    import torch

    names = [device.name for device in discover()]
    wanted = names[0] if name == "auto" else "cuda:0" if name == "cuda" else name
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
