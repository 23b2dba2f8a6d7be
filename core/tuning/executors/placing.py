"""GPUs of this machine for the trials of a study: spread over all that are free, before any is shared."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.counting import counted
from core.errors import DeviceError
from core.files.lock import FileLock
from core.gpus.allowed import Allowed, allowed_here
from core.gpus.choice import ranked
from core.gpus.claims import claim, claimed, unclaimed
from core.gpus.process import AUTOMATIC, by_cuda, given
from core.gpus.table import GpuState
from core.tuning.search.plan import Plan

__all__ = ["TrialGpus", "ensure_there", "place_trials", "placing_of"]


@dataclass(frozen=True)
class TrialGpus:
    """GPUs that trials are spread over, the locks that keep other runs off them, and one line about it.

    Attributes:
        are_named: whether the user named them: then trials compute on nothing else.
    """

    gpus: tuple[GpuState, ...] = ()
    locks: tuple[FileLock, ...] = ()
    line: str = ""
    are_named: bool = False


def placing_of(plan: Plan, slots: int, names: str | None, each: int = 1) -> TrialGpus:
    """Return where the trials of a plan are trained on this machine; no GPU where its device says so.

    Args:
        slots: trials at once. names: of the GPUs that may be used, such as ``0,2``; None for all that are free.
        each: processes of a trial, which have a GPU each.

    Raises:
        DeviceError: a named GPU is not there, or there are fewer than processes of a trial.
    """
    device = plan.space.base.training.device
    if names is None and (device not in AUTOMATIC or "training.device" in plan.space.domains):
        return TrialGpus()
    allowed = allowed_here(names, by_cuda if names is not None or "torch" in sys.modules else None)
    claiming = _nothing if given() else claim
    asked = names is not None or bool(given())
    placed = place_trials(allowed, slots, asked=asked, claiming=claiming, each=each)
    return replace(placed, are_named=names is not None)


def ensure_there(names: str) -> None:
    """Make sure that GPUs which were named are there, before a study is made.

    Raises:
        DeviceError: one is not.
    """
    allowed_here(names, by_cuda)


def place_trials(
    allowed: Allowed,
    slots: int,
    *,
    asked: bool = False,
    claiming: Callable[[GpuState], FileLock | None] = claim,
    each: int = 1,
) -> TrialGpus:
    """Take GPUs for some trials at once, the freest first, and report them.

    Args:
        asked: whether just these were asked for: then they are used whoever else does.
        each: GPUs of a trial.

    Raises:
        DeviceError: there are fewer than that.
    """
    if not allowed.gpus:
        return TrialGpus()
    if (count := len(allowed.gpus)) < each:
        there = f"{'is' if count == 1 else 'are'} {counted(count, 'GPU')}"
        raise DeviceError(
            f"a trial of {counted(each, 'process', 'processes')} needs a GPU for each, and there {there}",
            "Use fewer processes, or the processor",
        )
    ours = set() if asked else claimed(allowed.gpus)
    order = list(allowed.gpus) if asked else ranked(allowed.gpus, ours)
    idle = [gpu for gpu in order if asked or not (gpu.busy or gpu.uuid in ours)]
    if len(idle) < each:
        idle = []  # better to share some than to have too few
    taken: list[GpuState] = []
    locks: list[FileLock] = []
    wanted = slots * each
    for gpu in idle or order:
        lock = claiming(gpu) if len(taken) < wanted else None
        if lock is not None:
            locks.append(lock)
        if len(taken) < wanted and (lock is not None or asked or not idle):
            taken.append(gpu)
    taken = taken if len(taken) >= each else order[:wanted]  # others took them just now
    return TrialGpus(tuple(taken), tuple(locks), _line(taken, order, idle, slots, each))


def _line(taken: list[GpuState], order: list[GpuState], idle: list[GpuState], slots: int, each: int) -> str:
    names = ", ".join(gpu.label for gpu in taken)
    parts = [f"{counted(slots, 'trial')} at once on {counted(len(taken), 'GPU')}: {names}"]
    share = -(-slots * each // len(taken))
    if share > 1:
        parts.append(f"up to {share} trials share one")
    if more := len(idle) - len(taken):
        parts.append(
            f"{counted(more, 'more GPU')} {'is' if more == 1 else 'are'} free for more trials at once"
        )
    out = [gpu for gpu in order if gpu not in idle]
    if idle and out:
        parts.append("left out: " + ", ".join(f"GPU {gpu.index} ({_reason(gpu)})" for gpu in out))
    elif out:
        parts.append("all are used by others, too: " + ", ".join(f"{gpu.label} {gpu.use}" for gpu in taken))
    if len({gpu.name for gpu in taken}) > 1:
        parts.append("they differ, so seconds and latency of trials do not compare")
    return "; ".join(parts)


def _reason(gpu: GpuState) -> str:
    return gpu.use if gpu.busy else "another run of yours has it"


def _nothing(gpu: GpuState) -> FileLock:
    """Claim nothing: whoever started this process has taken the GPU for it."""
    return unclaimed()
