"""The GPU that this process computes on: taken when a run starts, free again when it ends.

A process that was started with a GPU of its own, by a study or a queue, takes none.
"""

import os
from collections.abc import Mapping, Sequence

from core.gpus.allowed import VISIBLE, as_counted
from core.gpus.choice import Taken, take, without_own
from core.gpus.claims import claim, claimed, holder, unclaimed
from core.gpus.table import GpuState, read_table
from core.torchrun import is_launched

__all__ = [
    "AUTOMATIC",
    "GIVEN",
    "NAMED",
    "NO_GPU",
    "by_cuda",
    "given",
    "given_environment",
    "gpu_note",
    "gpu_to_evaluate",
    "named",
    "release_gpu",
    "take_gpu",
    "taken",
]

GIVEN = "TUI_GPU"
"""Environment variable that names the GPU which whoever started this process has taken for it."""
NAMED = "TUI_GPU_NAMED"
"""Environment variable of a process whose GPU the user has named: it does not compute elsewhere without a word."""
NO_GPU = "no GPU"
AUTOMATIC = ("auto", "cuda")
_taken: list[Taken] = []
"""At most one: a process trains one run at a time."""
_note: list[str] = []


def take_gpu(name: str) -> None:
    """Take the GPU that a configuration's device means; see `taken` and `gpu_note`.

    Args:
        name: ``auto`` and ``cuda`` mean one that is free, others what they say.
    """
    release_gpu()
    if given():
        if given() != NO_GPU:
            _note.append(f"it has {given()}, which {'was named' if named() else 'was taken'} for it")
        return
    if not (name in AUTOMATIC or name.startswith("cuda:")) or is_launched():
        return
    seen = by_cuda()
    gpus = without_own(as_counted(read_table()[0], seen), os.getpid()) if seen else []
    if name in AUTOMATIC and gpus:
        _taken.append(found := take(gpus))
        if note := _why(found, gpus):
            _note.append(f"{note}. training.device names another one")
    elif name.startswith("cuda:") and int(name.removeprefix("cuda:")) < len(gpus):
        _take_named(gpus, int(name.removeprefix("cuda:")))


def gpu_to_evaluate(name: str) -> tuple[str, str]:
    """Return the GPU on which an earlier run is evaluated, chosen as `take_gpu` chooses one, and one line on why.

    It is not kept from others: an evaluation is short, and an app may keep what it has evaluated.

    Args:
        name: of the device of the run; returned as it is where it leaves no choice.
    """
    if given() or name not in AUTOMATIC or is_launched() or not (seen := by_cuda()):
        return name, ""
    gpus = without_own(as_counted(read_table()[0], seen), os.getpid())
    ours = claimed(gpus)
    found = take(gpus, lambda gpu: None if gpu.uuid in ours else unclaimed())
    if found.lock is not None:
        found.lock.close()
    return f"cuda:{found.place}", _why(found, gpus)


def _why(found: Taken, gpus: Sequence[GpuState]) -> str:
    """Return why a GPU was chosen; empty where there was nothing to choose and nothing to say."""
    if len(gpus) == 1 and not found.gpu.busy and found.lock is not None:
        return ""
    return f"device cuda:{found.place} is {found.gpu.label}: {found.why}"


def _take_named(gpus: list[GpuState], place: int) -> None:
    """Take a GPU that was asked for, whatever uses it, and report that."""
    gpu = gpus[place]
    other = holder(gpu)
    _taken.append(Taken(place, gpu, "as given", claim(gpu)))
    if other or gpu.busy:
        by = f"another run of yours has it ({other})" if other else gpu.use
        _note.append(
            f"device cuda:{place} is {gpu.label}: {by}. With training.device=auto a free one is taken"
        )


def taken() -> int | None:
    """Return the place of the GPU of this process in CUDA's count; None where it has taken none."""
    return _taken[0].place if _taken else None


def gpu_note() -> str:
    """Return one line on which GPU was taken and why; empty where there was no choice."""
    return _note[0] if _note else ""


def release_gpu() -> None:
    """Let others take the GPU of this process."""
    for one in _taken:
        if one.lock is not None:
            one.lock.close()
    _taken.clear()
    _note.clear()


def given() -> str:
    """Return the name of the GPU that this process was started with; empty if it takes one itself."""
    return os.environ.get(GIVEN, "")


def named() -> str:
    """Return the name of the GPU that this process was started with because the user named it; else empty."""
    return given() if os.environ.get(NAMED) else ""


def given_environment(gpus: Sequence[GpuState], *, are_named: bool = False) -> Mapping[str, str]:
    """Return the variables with which a process sees these GPUs alone, and takes none itself.

    Args:
        are_named: whether the user named them, so that the process may not compute elsewhere.
    """
    return {
        VISIBLE: ",".join(gpu.uuid for gpu in gpus),
        GIVEN: ", ".join(gpu.label for gpu in gpus) or NO_GPU,
        NAMED: "1" if are_named and gpus else "",
    }


def by_cuda() -> list[GpuState]:
    """Return the GPUs as CUDA counts them, with the UUIDs that `nvidia-smi` has; imports torch."""
    import torch

    found = []
    for place in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(place)
        uuid = getattr(properties, "uuid", None)
        named = _entry(place) if uuid is None else f"GPU-{str(uuid).removeprefix('GPU-')}"
        found.append(
            GpuState(index=str(place), uuid=named, name=properties.name, total=properties.total_memory)
        )
    return found


def _entry(place: int) -> str:
    """Return what stands for a GPU without a UUID in the environment of another process."""
    entries = os.environ.get(VISIBLE, "").split(",")
    return entries[place].strip() if place < len(entries) and entries[place].strip() else str(place)
