"""The forward pass of training: in mixed precision, with channels last, or compiled."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.config.training import Training
from core.data.inputs import Inputs, map_inputs
from core.errors import ConfigError, DependencyError
from core.models.own.calling import calling
from core.torch_private import compile_errors

__all__ = [
    "HALF",
    "Forward",
    "autocast",
    "check_forward",
    "compiled",
    "forward_function",
    "loss_scaler",
    "tensor_cores",
]

Forward = Callable[[Inputs], Tensor]
"""Takes the inputs of a batch; returns outputs (b, n), float32."""

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
BACKEND = "inductor"
COMPILERS = ("g++", "c++", "clang++", "gcc", "cc", "clang", "cl")
"""Compilers that torch.compile looks for, and Triton on GPUs; one of them is enough."""


def check_forward(settings: Training, sample_shape: tuple[int, ...]) -> None:
    """Check that the network can be called in the configured way.

    Raises:
        ConfigError: channels last was asked for, and the samples are not images.
        DependencyError: compilation was asked for, and no compiler is installed.
    """
    if settings.channels_last and len(sample_shape) != 3:
        raise ConfigError(
            f"training.channels_last: samples of shape {'x'.join(map(str, sample_shape))} are not images",
            "Turn it off",
            field="training.channels_last",
        )
    if settings.compile and not any(map(shutil.which, COMPILERS)):
        raise DependencyError(
            "training.compile: no compiler is installed", "Install one, such as g++, or turn it off"
        )


def forward_function(settings: Training, model: nn.Module, device: torch.device) -> Forward:
    """Return the function that calls `model`, by default plainly; see `core.models.own.calling`.

    Its weights keep their names: the compiled function stands beside the model and does not replace it.
    """
    network = model.module if isinstance(model, DistributedDataParallel) else model
    forward: Forward = calling(network, compiled(model) if settings.compile else model)
    if settings.channels_last:
        forward = _with_channels_last(forward)
    if settings.precision in HALF:
        forward = _in_half(forward, settings.precision, device)
    return forward


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return a context manager for mixed precision: `torch.autocast` for bf16 and fp16, nothing for fp32 and tf32."""
    if precision not in HALF:
        return nullcontext()
    return torch.autocast(device.type, dtype=HALF[precision])


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """Return a scaler for fp16, whose small gradients would vanish; None for other precisions."""
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


@contextmanager
def tensor_cores(precision: str) -> Iterator[None]:
    """Context manager that computes float32 matrix products in TF32 if that is the precision."""
    before = torch.get_float32_matmul_precision()
    if precision == "tf32":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a network or a function for each batch size separately: results do not depend on which came first."""
    call = torch.compile(function, dynamic=False, backend=BACKEND)
    errors = compile_errors()

    def forward(*inputs: Any, **named: Any) -> Any:
        try:
            return call(*inputs, **named)
        except errors as error:
            cause = getattr(error, "inner_exception", error)
            reason = f"{type(cause).__name__}: {cause}".strip().partition("\n")[0]
            raise DependencyError(
                f"training.compile: torch.compile failed: {reason}", "Turn it off, or fix the compiler"
            ) from None

    return forward


def _with_channels_last(call: Forward) -> Forward:
    def forward(inputs: Inputs) -> Tensor:
        return call(map_inputs(lambda each: each.contiguous(memory_format=torch.channels_last), inputs))

    return forward


def _in_half(call: Forward, precision: str, device: torch.device) -> Forward:
    """Return float32 outputs: the loss sums over a batch, which needs more than eight bits."""

    def forward(inputs: Inputs) -> Tensor:
        with autocast(precision, device):
            outputs = call(inputs)
        return outputs.float()

    return forward
