"""GPUs with their memory and the processes on them, as plain data."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from core.gpus.smi import FORMAT, SMI, as_bytes, as_number, ask, rows

__all__ = ["GpuState", "instances", "read_table", "table_of"]

OF_GPUS = ("index", "uuid", "name", "memory.total", "memory.used")
OF_PROCESSES = ("gpu_uuid", "pid", "used_memory")
LISTED = re.compile(r"^GPU (?P<index>\d+): .*\(UUID: (?P<uuid>GPU-[^)]+)\)")
INSTANCE = re.compile(r"^\s+MIG (?P<profile>\S+)\s+Device\s+(?P<place>\d+): \(UUID: (?P<uuid>MIG-[^)]+)\)")
GIGABYTES = re.compile(r"(\d+)gb")
BUSY_SHARE = 0.1
"""Of the memory of a GPU: more than a desktop needs, less than a training."""


@dataclass(frozen=True, kw_only=True)
class GpuState:
    """A GPU, or an instance of one (MIG), and what uses it now.

    Attributes:
        index: as `nvidia-smi` counts, such as ``2``; ``2:0`` for the first instance of GPU 2.
        uuid: by which CUDA finds it, whatever its place.
        total, used: bytes; None where it does not say.
        users: number and bytes of the processes that compute on it, as far as they are seen; 0 bytes if untold.
    """

    index: str
    uuid: str
    name: str
    total: int | None = None
    used: int | None = None
    users: tuple[tuple[int, int], ...] = ()

    @property
    def label(self) -> str:
        """Return its name in messages."""
        return f"GPU {self.index} ({self.name})" if self.name else f"GPU {self.index}"

    @property
    def free(self) -> int | None:
        """Return the free bytes; None where it does not say."""
        return None if self.total is None or self.used is None else max(0, self.total - self.used)

    @property
    def is_known(self) -> bool:
        """Return whether it says what uses it."""
        return bool(self.users) or self.used is not None

    @property
    def busy(self) -> bool:
        """Return whether something computes on it, or fills its memory."""
        filled = self.total and self.used is not None and self.used > BUSY_SHARE * self.total
        return bool(self.users or filled)

    @property
    def use(self) -> str:
        """Return one line on what uses it."""
        free = (
            ""
            if self.free is None or self.total is None
            else f"{_gib(self.free)} of {_gib(self.total)} GiB free"
        )
        if self.users:
            (first, _), more = self.users[0], len(self.users) - 1
            by = f"used by process {first}" + (f" and {more} more" if more else "")
        elif self.busy:
            by = "in use"
        else:
            by = "not in use" if self.is_known else "it is not known what uses it"
        return ", ".join(filter(None, (by, free)))


def read_table(program: str = SMI) -> tuple[tuple[GpuState, ...], str]:
    """Return the GPUs in the order of `nvidia-smi`, and why there are none.

    Args:
        program: its name, or its path.
    """
    questions = (
        (f"--query-gpu={','.join(OF_GPUS)}", FORMAT),
        (f"--query-compute-apps={','.join(OF_PROCESSES)}", FORMAT),
        ("-L",),
    )
    with ThreadPoolExecutor(len(questions)) as pool:
        (gpus, problem), (processes, _), (listing, _) = pool.map(lambda each: ask(program, *each), questions)
    if problem:
        return (), problem
    table = table_of(gpus, processes, listing)
    return table, "" if table else f"no NVIDIA GPU: {program} lists none"


def table_of(gpus: str, processes: str, listing: str) -> tuple[GpuState, ...]:
    """Return the GPUs that three answers of `nvidia-smi` tell of; a GPU divided by MIG is its instances.

    Args:
        gpus, processes: rows of `OF_GPUS` and `OF_PROCESSES`. listing: of ``-L``.
    """
    users: dict[str, dict[int, int]] = {}
    for uuid, pid, memory in rows(processes, len(OF_PROCESSES)):
        if pid.isdigit():
            users.setdefault(uuid, {})[int(pid)] = as_bytes(memory) or 0
    divided = instances(listing)
    table: list[GpuState] = []
    for index, uuid, name, total, used in rows(gpus, len(OF_GPUS)):
        if as_number(index) is None:
            continue
        gpu = GpuState(index=index, uuid=uuid, name=name, total=as_bytes(total), used=as_bytes(used))
        parts = divided.get(uuid, ())
        table += _parts(gpu, parts, users) if parts else [replace(gpu, users=_of(users, uuid))]
    return tuple(table)


def instances(listing: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """Return the place, the profile and the UUID of the instances of each GPU that MIG divides, by its UUID."""
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    parent = ""
    for line in listing.splitlines():
        if gpu := LISTED.match(line):
            parent = gpu["uuid"]
        elif parent and (part := INSTANCE.match(line)):
            found[parent] = (*found.get(parent, ()), (part["place"], part["profile"], part["uuid"]))
    return found


def _parts(
    gpu: GpuState, parts: Sequence[tuple[str, str, str]], users: Mapping[str, Mapping[int, int]]
) -> list[GpuState]:
    """Return the instances of a GPU; what each uses is not told, what it holds is in the name of its profile."""
    return [
        GpuState(
            index=f"{gpu.index}:{place}",
            uuid=uuid,
            name=f"{gpu.name} MIG {profile}",
            total=int(size[1]) * 10**9 if (size := GIGABYTES.search(profile)) else None,
            users=_of(users, uuid),
        )
        for place, profile, uuid in parts
    ]


def _of(users: Mapping[str, Mapping[int, int]], uuid: str) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(users.get(uuid, {}).items()))


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"
