"""Cores and memory in containers and jobs: control groups of both versions, quotas, limits of the process."""

import os
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.data import mapped
from core.data.tables import load
from core.errors import DataError
from core.machine import Memory, available_cores, memory, room_in_process

MIB = 1 << 20
HOST = SimpleNamespace(total=64 << 30, available=32 << 30)
UNLIMITED_V1 = "9223372036854771712\n"


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 GiB and 16 cores, without limits of the process."""
    monkeypatch.setattr("psutil.virtual_memory", lambda: HOST)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder that stands for the root of the file system."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_machine_without_groups_has_what_it_has(tmp_path: Path) -> None:
    assert memory(tmp_path) == Memory(HOST.total, HOST.available)
    assert available_cores(tmp_path) == 16


def test_the_limit_of_a_container_of_version_2(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": f"{2048 * MIB}\n",
            "sys/fs/cgroup/memory.current": f"{1024 * MIB}\n",
            "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {200 * MIB}\nactive_file {56 * MIB}\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
        },
    )
    assert memory(root) == Memory(2048 * MIB, 1280 * MIB)
    assert memory(root).percent == 37.5
    assert available_cores(root) == 2, "a core and a half"


def test_the_narrowest_of_the_groups_around_a_job_counts(tmp_path: Path) -> None:
    job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7"
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/slurmstepd.scope/job_7/step_0\n",
            f"{job}/memory.max": f"{4096 * MIB}\n",
            f"{job}/memory.current": f"{1096 * MIB}\n",
            f"{job}/step_0/memory.max": "max\n",
            f"{job}/step_0/memory.current": f"{1000 * MIB}\n",
            f"{job}/step_0/cpu.max": "max 100000\n",
            "sys/fs/cgroup/system.slice/cpu.max": "400000 100000\n",
        },
    )
    assert memory(root) == Memory(4096 * MIB, 3000 * MIB)
    assert available_cores(root) == 4


def test_version_1_inside_a_container_that_sees_the_path_on_its_host(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/docker/4f2a\n3:cpu,cpuacct:/docker/4f2a\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{512 * MIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{300 * MIB}\n",
            "sys/fs/cgroup/memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {100 * MIB}\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        },
    )
    assert memory(root) == Memory(512 * MIB, 312 * MIB)
    assert available_cores(root) == 3


def test_groups_of_version_1_without_limits(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/user\n3:cpu:/user\n",
            "sys/fs/cgroup/memory/user/memory.limit_in_bytes": UNLIMITED_V1,
            "sys/fs/cgroup/memory/user/memory.usage_in_bytes": "4096\n",
            "sys/fs/cgroup/cpu/user/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/user/cpu.cfs_period_us": "100000\n",
        },
    )
    assert memory(root) == Memory(HOST.total, HOST.available)
    assert available_cores(root) == 16


@pytest.mark.parametrize("lines", ["", "nonsense", "0::/../../elsewhere\n", "5:memory\n", "0::/gone/since\n"])
def test_unusual_groups_limit_nothing(tmp_path: Path, lines: str) -> None:
    root = tree(tmp_path, {"proc/self/cgroup": lines, "sys/fs/cgroup/memory.max": "garbage"})
    assert memory(root).total == HOST.total


def test_a_group_that_is_full_has_nothing_left(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/memory.max": "100",
            "sys/fs/cgroup/memory.current": "120",
        },
    )
    assert memory(root) == Memory(100, 0)
    assert memory(root).percent == 100.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce these limits")
@pytest.mark.parametrize(("kind", "used"), [(resource.RLIMIT_AS, 1000), (resource.RLIMIT_DATA, 600)])
def test_limits_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int, used: int) -> None:
    limits = {kind: 8192 * MIB}
    none = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda asked: (limits.get(asked, none), none))
    root = tree(tmp_path, {"proc/self/statm": "1000 500 100 10 0 600 0\n"})
    left = 8192 * MIB - used * resource.getpagesize()
    assert memory(root) == Memory(8192 * MIB, left)
    assert room_in_process(root) == left
    limits.clear()
    assert room_in_process(root) is None


def test_what_asks_for_memory_gets_that_of_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    def small() -> Any:
        return Memory(100 * MIB, 40 * MIB)

    monkeypatch.setattr(load, "memory", small)
    monkeypatch.setattr(mapped, "memory", small)
    with pytest.raises(DataError, match=r"take 0.1 GiB of memory, 0.0 are free"):
        load._check_memory(1_000_000, 20)
    rows = mapped.MappedRows(np.zeros((11, MIB), np.uint8), np.arange(11))
    assert isinstance(mapped.select(rows, np.arange(11)), mapped.MappedRows), "11 MiB are over a quarter"
