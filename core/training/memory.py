"""Out of memory: errors that name the batch size and a size that should fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.errors import OutOfMemory
from core.machine import memory
from core.remedies import setting

if TYPE_CHECKING:
    from core.models.summary import ModelSummary

__all__ = ["device_with_room", "explain_oom", "free_memory", "is_shortage", "out_of_memory"]

SIGNS = (
    "out of memory",  # CUDA, MPS
    "not enough memory",  # the processor, on Windows and macOS
    "allocate memory",  # the processor, on Linux
    "alloc_failed",  # cuBLAS, cuDNN
)
BYTES = 4
KEPT = 2
"""Training keeps the value and the gradient of each layer's output."""
SPARE = 2
"""Free memory is divided by this: libraries take some for their own work."""


def is_shortage(error: BaseException) -> bool:
    """Return true if an error of any of torch's devices, or of Python, means that memory is full."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


@contextmanager
def explain_oom(
    config: TrainConfig, summary: "ModelSummary | None" = None, device: torch.device | None = None
) -> Iterator[None]:
    """Context manager that turns out-of-memory errors into one that says what to do.

    Args:
        summary: of the model that trains on `device`; None while the run is being prepared.

    Raises:
        OutOfMemory: memory was full.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise out_of_memory(config, summary, device or torch.device("cpu")) from None


def out_of_memory(config: TrainConfig, summary: "ModelSummary | None", device: torch.device) -> OutOfMemory:
    """Return the error, with a batch size that should fit."""
    free, batch = free_memory(device, anew=True), config.training.batch_size
    room = f"{free / 2**30:.1f} GiB are free"
    if summary is None:
        return OutOfMemory(
            f"out of memory while preparing {config.data.title} and {config.model.name}: {room}",
            "Try a smaller model or data set",
        )
    fitting = min(_fitting(summary, free), batch // 2)
    where = f"out of memory on {device} with batches of {batch:,} samples, {config.model.name} and {room}"
    if fitting < 1:
        return OutOfMemory(f"{where}: not even one sample fits", "Try a smaller model, or another device")
    return OutOfMemory(
        f"{where}: about {fitting:,} should fit",
        ("Try ", setting("training.batch_size", fitting), ", or a smaller model"),
    )


def _fitting(summary: "ModelSummary", free: int) -> int:
    """Estimate the number of samples of a batch that fit, a power of two; 0 for none."""
    outputs = sum(prod(layer.output_shape) for layer in summary.layers)
    samples = free // (SPARE * KEPT * BYTES * max(1, outputs))
    return 1 << (samples.bit_length() - 1) if samples else 0


def device_with_room(model: nn.Module, device: torch.device) -> torch.device:
    """Return a device that has room for a network and for using it: the given one, or else the processor."""
    size = sum(weight.nbytes for weight in model.parameters())
    fits = device.type == "cpu" or SPARE * size < free_memory(device)
    return device if fits else torch.device("cpu")


def free_memory(device: torch.device, *, anew: bool = False) -> int:
    """Return the bytes that can be allocated on a device.

    Args:
        anew: count what this process holds on a GPU as free.
    """
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - (0 if anew else torch.cuda.memory_allocated(device))
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - (0 if anew else torch.mps.current_allocated_memory())
    return memory().available
