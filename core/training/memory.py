"""Out of memory, told in a sentence that names the size of the batches and what should fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

import torch

from core.config.schema import TrainConfig
from core.errors import OutOfMemory

if TYPE_CHECKING:
    from core.models.summary import ModelSummary

__all__ = ["explained", "free_memory", "is_shortage", "naming_what_fits"]

SIGNS = (
    "out of memory",  # CUDA, MPS
    "not enough memory",  # the processor, on Windows and macOS
    "allocate memory",  # the processor, on Linux
    "alloc_failed",  # cuBLAS, cuDNN
)
BYTES = 4
KEPT = 2
"""Of each layer's output, training keeps the value and its gradient."""
SPARE = 2
"""Only this part of the free memory is counted on: libraries take some for their own work."""


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory is full, in the words of any of torch's devices or of Python."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


@contextmanager
def naming_what_fits(
    config: TrainConfig, summary: "ModelSummary | None" = None, device: torch.device | None = None
) -> Iterator[None]:
    """Within, a shortage of memory becomes an error that says what to do.

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
        raise explained(config, summary, device or torch.device("cpu")) from None


def explained(config: TrainConfig, summary: "ModelSummary | None", device: torch.device) -> OutOfMemory:
    """The sentence."""
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
        f"{where}: about {fitting:,} should fit", f"Try --batch-size {fitting}, or a smaller model"
    )


def _fitting(summary: "ModelSummary", free: int) -> int:
    """About how many samples of a batch fit, a power of two; 0 for none."""
    outputs = sum(prod(layer.output_shape) for layer in summary.layers)
    samples = free // (SPARE * KEPT * BYTES * max(1, outputs))
    return 1 << (samples.bit_length() - 1) if samples else 0


def free_memory(device: torch.device, *, anew: bool = False) -> int:
    """Bytes that can be had on a device.

    Args:
        anew: once this process has let go of all that it holds on a GPU.
    """
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - (0 if anew else torch.cuda.memory_allocated(device))
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - (0 if anew else torch.mps.current_allocated_memory())
    import psutil

    return int(psutil.virtual_memory().available)
