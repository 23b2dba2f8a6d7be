"""Cores and memory that this process may use: in a container or a job these are fewer than the machine has.

The sources are the affinity of the process, the control groups that it is in (https://docs.kernel.org/admin-guide/
cgroup-v2.html, and version 1), and the limits of ``ulimit -v`` and ``ulimit -d``. Whoever goes beyond a limit of memory
is killed, or gets none, however much the machine has left.
"""

import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "available_cores", "memory", "room_in_process"]

ROOT = Path("/")
CACHED = ("inactive_file", "active_file")
"""Of what a control group uses, the kernel gives these pages back before it refuses anything."""


@dataclass(frozen=True)
class Memory:
    """Memory in bytes: what this process may use at most, and what is left of that."""

    total: int
    available: int

    @property
    def percent(self) -> float:
        """Share in use, in per cent."""
        return 100.0 * (1.0 - self.available / self.total) if self.total else 100.0

    def within(self, limit: int, used: int) -> "Memory":
        """Return this memory under one more limit, of which so much is used."""
        return Memory(min(self.total, limit), max(0, min(self.available, limit - used)))


def available_cores(root: Path = ROOT) -> int:
    """Return the number of processor cores that this process may use, at least 1.

    A quota of one and a half cores counts as two.

    Args:
        root: of the file system with ``proc`` and ``sys``.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _groups(root, "cpu"):
        quota, period = _quota(folder)
        if quota > 0 and period > 0:
            cores = min(cores, math.ceil(quota / period))
    return max(1, cores)


def memory(root: Path = ROOT) -> Memory:
    """Return the memory of the machine, or of the smallest of the limits that hold for this process.

    Args:
        root: of the file system with ``proc`` and ``sys``.
    """
    import psutil

    machine = psutil.virtual_memory()
    found = Memory(machine.total, machine.available)
    for folder in _groups(root, "memory"):
        for limit, used, prefix in (
            ("memory.max", "memory.current", ""),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
        ):
            bound = _number(folder / limit)
            if bound:
                found = found.within(bound, _number(folder / used) - _cached(folder, prefix))
    for bound, in_use in _process_limits(root):
        found = found.within(bound, in_use)
    return found


def room_in_process(root: Path = ROOT) -> int | None:
    """Return the bytes that the limits of this process alone leave, such as those of ulimit; None without a limit."""
    return min((limit - used for limit, used in _process_limits(root)), default=None)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the groups that bound this process: its own, and each that this one is in.

    In a container the path of a group may be that on its host, of which only the root is visible.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            top = mount
        elif controller in controllers.split(","):
            top = next((at for at in (mount / controller, mount / controllers) if at.is_dir()), mount)
        else:
            continue
        parts = [part for part in path.split("/") if part]
        if ".." in parts:  # outside of what this process sees
            parts = []
        for depth in range(len(parts), -1, -1):
            folder = top.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder


def _quota(folder: Path) -> tuple[int, int]:
    """Return the microseconds of computing that a group may use in each period of so many; 0 without a quota."""
    both = _text(folder / "cpu.max").split()  # "max 100000", or "150000 100000"
    if len(both) == 2 and both[0].isdigit() and both[1].isdigit():
        return int(both[0]), int(both[1])
    return _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")


def _cached(folder: Path, prefix: str) -> int:
    """Return the bytes of a group that hold copies of files."""
    facts = dict(line.split(maxsplit=1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    values = [facts.get(f"{prefix}{name}", "0") for name in CACHED]
    return sum(int(value) for value in values if value.isdigit())


def _process_limits(root: Path) -> Iterator[tuple[int, int]]:
    """Yield each limit of this process alone in bytes, with what it uses of that."""
    if sys.platform != "linux":  # others do not enforce them
        return
    import resource

    pages = _text(root / "proc/self/statm").split()
    if len(pages) < 6:
        return
    for kind, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit, int(used) * resource.getpagesize()


def _number(path: Path) -> int:
    """Return the number in a file; 0 where it holds none, such as ``max`` or ``-1``."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
