"""State of the process that a user's file may change while it is run, and that is restored afterwards.

Files of real projects are scripts, too: they parse arguments, set seeds and change the folder when they are imported.
"""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["as_a_script", "restored"]


@contextmanager
def as_a_script(file: Path) -> Iterator[None]:
    """Context manager with the arguments of a script that is started without any; restores them and the folder."""
    arguments = sys.argv
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        folder = ""
    sys.argv = [str(file)]
    try:
        yield
    finally:
        sys.argv = arguments
        with suppress(OSError):  # it is gone
            if folder:
                os.chdir(folder)


@contextmanager
def restored() -> "Iterator[list[torch.dtype]]":
    """Context manager that puts back random numbers, grad mode, and PyTorch's default dtype and device.

    Yields a list that holds another default dtype afterwards, if one was set. A seed that a file sets when it is
    imported would otherwise be that of whatever is drawn next, and only the first time. What a file draws itself is
    the same in every process.
    """
    import numpy as np
    import torch

    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    gradients, on_gpu = torch.is_grad_enabled(), torch.cuda.is_initialized()
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    dtypes: list[torch.dtype] = []
    devices = torch.cuda.get_rng_state_all() if on_gpu else []
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)
    try:
        yield dtypes
    finally:
        if torch.get_default_dtype() != dtype:
            dtypes.append(torch.get_default_dtype())
            torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)  # none at all would break torch 2.9's own question for it
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        torch.set_grad_enabled(gradients)
        if on_gpu:
            torch.cuda.set_rng_state_all(devices)
