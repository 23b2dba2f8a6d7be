"""PyTorch held to operations that give the same bits every time."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.errors import DeviceError

__all__ = ["deterministic"]


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Context manager that makes operations without a deterministic form an error, if `wanted`.

    Raises:
        DeviceError: such an operation was called; the message names it.
    """
    if not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for, before its first use
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        operation = re.match(r"(\S+) does not have a deterministic implementation", str(error))
        if operation is None:
            raise
        raise DeviceError(
            f"training.deterministic: {operation[1]} has no deterministic implementation here",
            "Turn it off, or choose a model, loss or device that has one",
        ) from None
    finally:
        torch.use_deterministic_algorithms(before)
