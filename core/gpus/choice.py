"""Choice of free GPUs: those that nobody uses first, of them those with most free memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from core.counting import counted
from core.files.lock import FileLock
from core.gpus.claims import claim, claimed
from core.gpus.table import GpuState

__all__ = ["Taken", "ranked", "take", "without_own"]


@dataclass(frozen=True)
class Taken:
    """A GPU that was taken.

    Attributes:
        place: in CUDA's count. why: one line. lock: None where it is shared with another run of this user.
    """

    place: int
    gpu: GpuState
    why: str
    lock: FileLock | None


def ranked(gpus: Sequence[GpuState], ours: Collection[str] = ()) -> list[GpuState]:
    """Return GPUs in the order in which they are tried.

    Args:
        ours: UUIDs of those that other runs of this user have: they come last.
    """

    def rank(gpu: GpuState) -> tuple[bool, bool, int]:
        return gpu.uuid in ours, gpu.busy, -(gpu.free or 0)

    return sorted(gpus, key=rank)


def take(gpus: Sequence[GpuState], claiming: Callable[[GpuState], FileLock | None] = claim) -> Taken:
    """Take the best of some GPUs, or share the best one where other runs of this user have all.

    Args:
        gpus: in CUDA's order, at least one.
        claiming: takes one for this process; None where another one has it.
    """
    order = ranked(gpus, claimed(gpus))
    for gpu in order:
        if (lock := claiming(gpu)) is not None:
            return Taken(gpus.index(gpu), gpu, _why(gpu, gpus), lock)
    gpu = order[0]
    return Taken(
        gpus.index(gpu), gpu, f"{_why(gpu, gpus)}; shared: other runs of yours have all of them", None
    )


def without_own(gpus: Sequence[GpuState], pid: int) -> list[GpuState]:
    """Return GPUs without what a process itself does on them, such as the run before in an app."""

    def others(gpu: GpuState) -> GpuState:
        own = dict(gpu.users).get(pid)
        if own is None:
            return gpu
        rest = tuple(user for user in gpu.users if user[0] != pid)
        return replace(gpu, users=rest, used=None if gpu.used is None else max(0, gpu.used - own))

    return [others(gpu) for gpu in gpus]


def _why(gpu: GpuState, gpus: Sequence[GpuState]) -> str:
    if len(gpus) == 1:
        return f"{gpu.use}; the only GPU"
    if not any(one.is_known for one in gpus):
        return f"{gpu.use}; one of {len(gpus)} GPUs"
    idle = sum(one.is_known and not one.busy for one in gpus)
    return f"{gpu.use}; {idle} of {counted(len(gpus), 'GPU')} {'is' if idle == 1 else 'are'} not in use"
