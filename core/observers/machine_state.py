"""The whole machine at one moment: processors, memory, disks, GPUs, and the processes that use them most."""

import os
import shutil
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.gpus.smi import FORMAT, SMI, as_bytes, as_number, ask, rows
from core.machine import available_cores, memory

__all__ = ["Disk", "Gpu", "MachineState", "MachineWatch", "Process", "read_gpus"]

MAX_PROCESSES = 40
OF_GPUS = ("index", "name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw")


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """An NVIDIA GPU.

    Attributes:
        use: per cent of the time in which it computed. memory_used, memory_total: bytes.
        temperature: in degrees Celsius. power: in watts. None where it does not say.
    """

    index: int
    name: str
    use: float | None
    memory_used: int | None
    memory_total: int | None
    temperature: float | None
    power: float | None


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process.

    Attributes:
        cpu: per cent of one core. memory: bytes that are resident. gpu_memory: bytes; None if it uses no GPU.
        command: its command line, or its name where that is not readable.
    """

    pid: int
    user: str
    cpu: float
    memory: int
    gpu_memory: int | None
    command: str


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The file system of a folder; in bytes."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, kw_only=True)
class MachineState:
    """The machine as it is.

    Attributes:
        host: its name. cores: that this process may use. cpu: per cent of all cores; per_core: of each.
        load: mean number of processes that run or wait, over 1, 5 and 15 minutes; empty where it is not known.
        memory_used, memory_total: bytes, within the limits of this process.
        gpu_note: why there are no GPUs to show; empty where there are some.
        processes: those on a GPU first, then by CPU and memory.
    """

    host: str
    cores: int
    cpu: float
    per_core: tuple[float, ...]
    load: tuple[float, ...]
    memory_used: int
    memory_total: int
    swap_used: int
    swap_total: int
    disks: tuple[Disk, ...]
    gpus: tuple[Gpu, ...]
    gpu_note: str
    processes: tuple[Process, ...]


class MachineWatch:
    """Looks at the machine; CPU per cent are those since the look before, and 0 at the first one.

    Args:
        folders: whose disks are looked at, such as that of the runs.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._processes: dict[int, psutil.Process] = {}

    def look(self) -> MachineState:
        """Return the state of the machine; takes some tens of milliseconds, with GPUs a few tenths of a second."""
        gpus, users, note = read_gpus()
        ram, swap = memory(), psutil.swap_memory()
        per_core = tuple(psutil.cpu_percent(percpu=True))
        return MachineState(
            host=socket.gethostname(),
            cores=available_cores(),
            cpu=sum(per_core) / len(per_core) if per_core else 0.0,
            per_core=per_core,
            load=os.getloadavg() if hasattr(os, "getloadavg") else (),
            memory_used=ram.total - ram.available,
            memory_total=ram.total,
            swap_used=swap.used,
            swap_total=swap.total,
            disks=tuple(_disks(self._folders)),
            gpus=gpus,
            gpu_note=note,
            processes=self._top(users),
        )

    def _top(self, users: Mapping[int, int]) -> tuple[Process, ...]:
        """Return the processes that use most; `users` are those on GPUs with their bytes there."""
        found, before = [], self._processes
        self._processes = {}
        for process in psutil.process_iter():
            known = before.get(process.pid)
            process = known if known == process else process
            self._processes[process.pid] = process
            with suppress(psutil.Error):
                cpu, used = process.cpu_percent(), process.memory_info().rss
                found.append((users.get(process.pid, -1), cpu, used, process.pid))
        found.sort(reverse=True)
        return tuple(self._described(*numbers) for numbers in found[:MAX_PROCESSES])

    def _described(self, on_gpu: int, cpu: float, used: int, pid: int) -> Process:
        process, user, command = self._processes[pid], "", ""
        with suppress(psutil.Error, KeyError):
            user = process.username()
        with suppress(psutil.Error):
            command = " ".join(process.cmdline()).strip() or process.name()
        gpu_memory = None if on_gpu < 0 else on_gpu
        return Process(pid=pid, user=user, cpu=cpu, memory=used, gpu_memory=gpu_memory, command=command)


def read_gpus(program: str = SMI) -> tuple[tuple[Gpu, ...], dict[int, int], str]:
    """Return the NVIDIA GPUs, the bytes of each process on them, and why there are none.

    `nvidia-smi` comes with the driver; it needs no package, and no context on a GPU.

    Args:
        program: its name, or its path.
    """
    answer, problem = ask(program, f"--query-gpu={','.join(OF_GPUS)}", FORMAT)
    if problem:
        return (), {}, problem
    users, _ = ask(program, "--query-compute-apps=pid,used_memory", FORMAT)
    gpus = tuple(_gpu(row) for row in rows(answer, len(OF_GPUS)))
    by_process: dict[int, int] = {}
    for pid, memory_used in rows(users, 2):
        if pid.isdigit():
            by_process[int(pid)] = by_process.get(int(pid), 0) + (as_bytes(memory_used) or 0)
    return gpus, by_process, "" if gpus else f"no NVIDIA GPU: {program} lists none"


def _gpu(row: Sequence[str]) -> Gpu:
    index, name, use, used, total, temperature, power = row
    return Gpu(
        index=int(as_number(index) or 0),
        name=name,
        use=as_number(use),
        memory_used=as_bytes(used),
        memory_total=as_bytes(total),
        temperature=as_number(temperature),
        power=as_number(power),
    )


def _disks(folders: Iterable[Path]) -> Iterable[Disk]:
    """Yield the disk of each folder, or of the nearest one above it that is there; each disk once."""
    seen = set()
    for folder in folders:
        for path in (folder.absolute(), *folder.absolute().parents):
            with suppress(OSError):
                device, usage = path.stat().st_dev, shutil.disk_usage(path)
                if device not in seen:
                    seen.add(device)
                    yield Disk(path=str(path), free=usage.free, total=usage.total)
                break
