"""GPUs that this process may use: those of ``CUDA_VISIBLE_DEVICES``, in its order, or all.

The rules are those of CUDA (https://docs.nvidia.com/cuda/cuda-c-programming-guide, "CUDA environment variables"):
whatever follows an entry that names no GPU is not visible.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.counting import counted
from core.errors import DeviceError
from core.gpus.table import GpuState, read_table

__all__ = ["VISIBLE", "Allowed", "allowed_here", "as_counted", "chosen_of", "counts_by_speed", "visible"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"


@dataclass(frozen=True)
class Allowed:
    """GPUs that may be used, and why there are none."""

    gpus: tuple[GpuState, ...]
    note: str = ""


def allowed_here(names: str | None = None, by_cuda: Callable[[], list[GpuState]] | None = None) -> Allowed:
    """Return the GPUs of this machine that processes started from here may use.

    Args:
        names: of some of them, see `chosen_of`; None for all.
        by_cuda: the GPUs as CUDA counts them, asked where `nvidia-smi` does not tell.

    Raises:
        DeviceError: a named one is not there.
    """
    table, note = read_table()
    if by_cuda is not None and (not table or counts_by_speed(table, os.environ, names or "")):
        gpus = as_counted(table, by_cuda())
    else:
        gpus = visible(table, os.environ)
    if table and not gpus:
        note = f"{VISIBLE} allows none of {counted(len(table), 'GPU')}"
    if names is not None:
        return Allowed(chosen_of(gpus, names, note))
    return Allowed(gpus, note if not gpus else "")


def visible(table: Sequence[GpuState], environment: Mapping[str, str]) -> tuple[GpuState, ...]:
    """Return the GPUs of a table that an environment lets CUDA see, in the order of CUDA's numbers."""
    if VISIBLE not in environment:
        return tuple(table)
    found: list[GpuState] = []
    for entry in environment[VISIBLE].split(","):
        named = _named(table, entry.strip())
        if not named:
            break
        found += [gpu for gpu in named if gpu not in found]
    return tuple(found)


def chosen_of(gpus: Sequence[GpuState], names: str, note: str = "") -> tuple[GpuState, ...]:
    """Return some of the GPUs: by their numbers in CUDA's count, such as ``0,2``, or by their UUIDs.

    Raises:
        DeviceError: one is not there.
    """
    found: list[GpuState] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        number = name.removeprefix("cuda:")
        place = int(number) if number.isdecimal() else -1
        named = [gpus[place]] if 0 <= place < len(gpus) else _named(gpus, name) if place < 0 else []
        if not named:
            there = ", ".join(f"{place} is {gpu.label}" for place, gpu in enumerate(gpus))
            raise DeviceError(f"GPU {name} is not here ({f'there are: {there}' if gpus else note})")
        found += [gpu for gpu in named if gpu not in found]
    if not found:
        raise DeviceError(f"{names!r} names no GPU", "Give numbers, such as 0,2")
    return tuple(found)


def counts_by_speed(table: Sequence[GpuState], environment: Mapping[str, str], names: str = "") -> bool:
    """Return whether a number means a GPU in the order of their speed, which only CUDA knows.

    Args:
        names: of GPUs that were asked for, as for `chosen_of`.
    """
    entries = f"{environment.get(VISIBLE, '')},{names}".replace("cuda:", "").split(",")
    differ = len({gpu.name for gpu in table if ":" not in gpu.index}) > 1
    by_number = any(entry.strip().isdecimal() for entry in entries)
    return by_number and differ and environment.get(ORDER) != "PCI_BUS_ID"


def _named(gpus: Sequence[GpuState], entry: str) -> list[GpuState]:
    """Return the GPU of a number or of the beginning of a UUID; of a GPU that MIG divides all instances."""
    if entry.isdecimal():
        return [gpu for gpu in gpus if gpu.index.partition(":")[0] == entry]
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    named = [gpu for gpu in gpus if gpu.uuid.startswith(entry)]
    return named if len(named) == 1 else []


def as_counted(table: Sequence[GpuState], by_cuda: Sequence[GpuState]) -> tuple[GpuState, ...]:
    """Return the GPUs that CUDA sees in its order, with what the table knows of them."""
    known = {_bare(gpu.uuid): gpu for gpu in table}
    return tuple(known.get(_bare(gpu.uuid), gpu) for gpu in by_cuda)


def _bare(uuid: str) -> str:
    """Return a UUID without what it is of, which CUDA does not tell."""
    return uuid.removeprefix("GPU-").removeprefix("MIG-")
