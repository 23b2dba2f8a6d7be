"""Places where what waits can run: GPUs that are free, and slots on the processor."""

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.counting import counted
from core.files.lock import FileLock
from core.gpus.allowed import allowed_here
from core.gpus.choice import ranked
from core.gpus.claims import claim, claimed, holder
from core.gpus.process import by_cuda
from core.gpus.smi import SMI
from core.gpus.table import GpuState
from core.runs.folder import Run
from core.runs.lock import is_held
from tui.runtime.user_queue.entries import Entry, Lineup

__all__ = ["CPU", "Start", "gpus_here", "starts_of"]

CPU = "cpu"


@dataclass(frozen=True)
class Start:
    """An entry that can start now, on its GPUs, with the locks that keep others off them; without any on the CPU."""

    entry: Entry
    gpus: tuple[GpuState, ...] = ()
    locks: tuple[FileLock, ...] = ()


def gpus_here() -> tuple[GpuState, ...]:
    """Return the GPUs of this machine that may be used, with what uses them now."""
    if shutil.which(SMI) is None:
        return ()
    return allowed_here(by_cuda=by_cuda).gpus


def starts_of(
    lineup: Lineup,
    gpus: Sequence[GpuState],
    claiming: Callable[[GpuState], FileLock | None] = claim,
    *,
    others: Collection[int] = (),
) -> tuple[list[Start], str]:
    """Return what can start now, in the order of the queue, and what the others wait for.

    What needs a GPU does not overtake what has waited for one longer; the processor is apart from that.

    Args:
        others: numbers of those whose run another process has now.
    """
    if lineup.paused:
        return [], "paused"
    running = lineup.of("running")
    free_slots = lineup.slots - sum(not entry.uuids for entry in running)
    ours = claimed(gpus) | {uuid for entry in running for uuid in entry.uuids}
    free = [gpu for gpu in ranked(gpus, ours) if not gpu.busy and gpu.uuid not in ours]
    starts: list[Start] = []
    notes: list[str] = []
    for entry in lineup.of("waiting"):
        needed = gpus_needed(entry, gpus)
        if entry.id in others:
            notes.append(f"{Path(entry.run).name} is used by another process")
        elif entry.after and is_held(Run(Path(entry.after))):
            if not any("end of" in note for note in notes):
                notes.append(f"waits for the end of {Path(entry.after).name}")
        elif not needed:
            if free_slots > 0:
                starts.append(Start(entry))
                free_slots -= 1
            elif not any("processor" in note for note in notes):
                notes.append("the processor is taken")
        elif not any("GPU" in note for note in notes):
            found = _claim(free, needed, claiming)
            if found is None:
                notes.append(_missing(needed, gpus, ours))
            else:
                starts.append(Start(entry, *found))
    return starts, "; ".join(notes)


def gpus_needed(entry: Entry, gpus: Sequence[GpuState]) -> int:
    """Return how many GPUs an entry waits for: by default one where there are some."""
    return min(1, len(gpus)) if entry.gpus is None else entry.gpus


def _claim(
    free: list[GpuState], needed: int, claiming: Callable[[GpuState], FileLock | None]
) -> tuple[tuple[GpuState, ...], tuple[FileLock, ...]] | None:
    """Take some of the free GPUs off the list; None, and nothing taken, where there are not enough."""
    taken: list[tuple[GpuState, FileLock]] = []
    while free and len(taken) < needed:
        gpu = free.pop(0)
        if (lock := claiming(gpu)) is not None:
            taken.append((gpu, lock))
    if len(taken) == needed:
        return tuple(gpu for gpu, _ in taken), tuple(lock for _, lock in taken)
    for gpu, lock in taken:
        lock.close()
        free.append(gpu)
    return None


def _missing(needed: int, gpus: Sequence[GpuState], ours: set[str]) -> str:
    if needed > len(gpus):
        return f"the first one waits for {counted(needed, 'GPU')}, and this machine has {len(gpus)}"
    uses = (
        f"GPU {gpu.index} is {gpu.use}"
        if gpu.busy
        else f"GPU {gpu.index} is taken by {holder(gpu) or 'a run'}"
        for gpu in gpus
        if gpu.busy or gpu.uuid in ours
    )
    return f"waits for {counted(needed, 'free GPU')}: {', '.join(uses)}"
