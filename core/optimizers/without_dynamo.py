"""PyTorch's optimizers without its compiler.

Their methods import it when they are first called, which takes two seconds, to keep it from compiling them. Here it
compiles networks alone, and without being asked to (`training.compile`) nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.optim import Optimizer

__all__ = ["bare_step", "leave_compiler_out"]

METHODS = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
"""Wrapped by ``torch._compile._disable_dynamo``, which keeps what it calls in the method's ``__dynamo_disable``."""


def leave_compiler_out() -> None:
    """Let the methods of all optimizers call what they wrap.

    Where a version of PyTorch wraps them in another way, they work as ever, and import the compiler.
    """
    for name in METHODS:
        method = getattr(getattr(Optimizer, name), "__wrapped__", None)
        if method is not None:
            setattr(method, "__dynamo_disable", method)


def bare_step(optimizer: Optimizer) -> Callable[[], object]:
    """`optimizer.step` without what PyTorch puts around each call.

    That is the profiler's record, hooks that are not there, and what keeps the compiler out.
    """
    step: Any = type(optimizer).step
    if not hasattr(step, "hooked"):
        return optimizer.step
    step = step.__wrapped__
    if step.__code__.co_name == "_use_grad" and not optimizer.defaults["differentiable"]:
        step = torch.no_grad()(step.__wrapped__)
    return partial(step, optimizer)
