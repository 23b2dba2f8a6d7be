"""Devices: which there are, and which one is meant."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import DeviceError

if TYPE_CHECKING:
    import torch

__all__ = ["Device", "available_cores", "discover", "resolve"]


@dataclass(frozen=True)
class Device:
    """A device one can train on. `memory` is in bytes, 0 when unknown."""

    name: str
    label: str
    memory: int = 0


def discover() -> list[Device]:
    """All devices of this machine, best first; the processor is always there."""
    import psutil
    import torch

    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        found.append(Device(f"cuda:{index}", properties.name, properties.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", psutil.virtual_memory().total))
    found.append(Device("cpu", f"{available_cores()} cores", psutil.virtual_memory().total))
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


def available_cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
