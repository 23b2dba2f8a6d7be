"""Devices: which there are, which one is meant, and how many threads to compute with."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import DeviceError

if TYPE_CHECKING:
    import torch

__all__ = ["Device", "available_cores", "choose_threads", "discover", "resolve"]

SMALL_STEP = 20_000_000
"""Multiply-adds of a forward pass below which a second thread costs more in waiting than it computes."""


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


def choose_threads(threads: int | Literal["auto"], multiply_adds: int) -> int:
    """Threads of one operation.

    Args:
        threads: the configured number, or ``auto``.
        multiply_adds: about how much a forward pass of one batch computes.
    """
    if threads != "auto":
        return threads
    return 1 if multiply_adds < SMALL_STEP else available_cores()
