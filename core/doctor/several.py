"""Checks of more than one process: locks, processes that communicate, NCCL, Slurm, Ray."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from core.doctor.check import Check
from core.doctor.pair import meet
from core.errors import TorchtuiError
from core.files.lock import FileLock
from core.files.reading import open_plain
from core.files.temporary import hidden_folder
from core.remedies import OTHER_RUNS_DIR
from core.slurm.client import cancel, find_jobs, submit
from core.slurm.commands import missing
from core.slurm.reasons import ending, waiting

__all__ = ["check_locks", "check_nccl", "check_processes", "check_ray", "check_several", "check_slurm"]

NOT_HERE = "not here: "
LOCK_SECONDS = 20.0
SLURM_SECONDS = 20.0
"""After which a test job that still waits is cancelled: it was accepted, and waits for its turn."""
POLL_SECONDS = 0.5
UNCONFIGURED = "configuration source"
"""In what Slurm's commands say on a machine that belongs to no cluster."""
TRY = """
import fcntl, sys
with open(sys.argv[1]) as file:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        print("free")
    except BlockingIOError:
        print("held")
"""
"""Program of the process that looks at a lock."""
TEST_JOB = """#!/bin/sh
#SBATCH -J tui-doctor -n 1 -t 1 -o /dev/null -e /dev/null
true
"""


def check_several(runs_dir: Path, free_on_ray: Callable[[str], str]) -> Iterator[Check]:
    """Yield a check of each; what is not here is no problem.

    Args:
        free_on_ray: connects to a cluster, and returns what is free there.
    """
    yield check_locks(runs_dir)
    yield check_processes()
    yield check_nccl()
    yield check_slurm()
    yield check_ray(os.environ.get("RAY_ADDRESS", ""), free_on_ray)


def check_locks(runs_dir: Path) -> Check:
    """Let two processes contend for a lock on the disk of the runs."""
    name = "locks of two"
    nearest = next(path for path in (runs_dir.absolute(), *runs_dir.absolute().parents) if path.is_dir())
    try:
        with hidden_folder(nearest, ".torchtui-") as folder:
            path = Path(folder) / "tried.lock"
            with FileLock(open_plain(path, os.O_RDWR | os.O_CREAT)) as lock:
                supported, held = lock.supported, _looked_at(path)
            free = _looked_at(path)
    except (OSError, subprocess.SubprocessError, TorchtuiError) as error:
        return Check(name, False, f"cannot be tried in {nearest}: {error}", ("Give ", OTHER_RUNS_DIR))
    if not supported:
        return Check(
            name,
            False,
            f"the disk of {nearest} has no locks: two processes could train the same run",
            ("Mount it with locks (Lustre: -o flock), or give ", OTHER_RUNS_DIR),
        )
    if (held, free) != ("held", "free"):
        return Check(
            name,
            False,
            f"a second process finds a lock {held or 'broken'} while it is held, and {free or 'broken'} after that",
            ("Give ", OTHER_RUNS_DIR, " on another disk"),
        )
    return Check(name, True, f"a second process waits for the first one on the disk of {nearest}")


def check_processes() -> Check:
    """Let two processes communicate through the processor, as those of one run do."""
    name, began = "two processes", time.perf_counter()
    try:
        import torch.distributed as dist
    except Exception as error:  # a broken installation raises whatever it trips over
        return Check(name, False, f"PyTorch cannot be imported: {error}", "Reinstall torch")
    if not dist.is_available() or not dist.is_gloo_available():
        return Check(name, True, f"{NOT_HERE}this build of torch has no gloo")
    if problem := meet("gloo"):
        advice = "Set GLOO_SOCKET_IFNAME to a network interface that works, such as lo"
        return Check(name, False, f"gloo: {problem}", advice)
    return Check(name, True, f"they communicate (gloo), {time.perf_counter() - began:.1f} s with their start")


def check_nccl() -> Check:
    """Let two GPUs communicate, where there are two."""
    name = "two GPUs"
    import torch
    import torch.distributed as dist

    if not dist.is_available() or not dist.is_nccl_available():
        return Check(name, True, f"{NOT_HERE}this build of torch has no NCCL")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        return Check(name, True, f"{NOT_HERE}no GPU that PyTorch can use")
    version = ".".join(map(str, torch.cuda.nccl.version()))
    if count == 1:
        return Check(name, True, f"{NOT_HERE}one GPU; NCCL {version}")
    if problem := meet("nccl"):
        advice = "Set NCCL_DEBUG=INFO to see why; NCCL_P2P_DISABLE=1 often helps"
        return Check(name, False, f"NCCL {version}: {problem}", advice)
    return Check(name, True, f"the first two of {count} communicate, NCCL {version}")


def check_slurm(seconds: float = SLURM_SECONDS) -> Check:
    """Submit a job that does nothing; one that waits too long for its turn is cancelled."""
    name = "Slurm test job"
    if reason := missing():
        return Check(name, True, f"{NOT_HERE}{reason}")
    job = ""
    try:
        job = submit(TEST_JOB)
        deadline = time.monotonic() + seconds
        while True:
            found = find_jobs([job]).get(job)
            if found is None or found.has_ended:
                job = ""
                break
            if time.monotonic() > deadline:
                why = waiting(found) if found.waits else "it runs"
                return Check(
                    name, True, f"job {found.id} was accepted, and cancelled after {seconds:g} s: {why}"
                )
            time.sleep(POLL_SECONDS)
    except TorchtuiError as error:
        if UNCONFIGURED in error.message:
            return Check(name, True, f"{NOT_HERE}Slurm's commands are installed, but name no cluster")
        return Check(name, False, error.message, error.hint or "Ask `sinfo` which partitions are up")
    finally:
        if job:
            _cancel(job)
    if found is not None and found.state != "COMPLETED":
        advice = f"Ask `scontrol show job {found.id}` and `sinfo`"
        return Check(name, False, f"job {found.id} {ending(found)}", advice)
    return Check(name, True, "it ran")


def check_ray(address: str, free_on_ray: Callable[[str], str]) -> Check:
    """Connect to the Ray cluster of an address, and count what is free there."""
    name = "Ray"
    if find_spec("ray") is None:
        return Check(name, True, f"{NOT_HERE}Ray is not installed")
    if not address:
        return Check(name, True, f"{NOT_HERE}RAY_ADDRESS names no cluster; a study starts one of its own")
    try:
        return Check(name, True, f"{address}: {free_on_ray(address)}")
    except TorchtuiError as error:
        return Check(name, False, f"{address}: {error.message}", error.hint)


def _looked_at(path: Path) -> str:
    """Return how another process finds a lock."""
    answer = subprocess.run(
        [sys.executable, "-I", "-c", TRY, str(path)], capture_output=True, text=True, timeout=LOCK_SECONDS
    )
    return answer.stdout.strip()


def _cancel(job: str) -> None:
    with suppress(TorchtuiError):
        cancel(job)
