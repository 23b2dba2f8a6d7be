"""How training calls a network: in numbers of fewer bits, with its channels last, or compiled."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from core.config.schema import Training
from core.errors import ConfigError, DependencyError

__all__ = [
    "Forward",
    "autocast",
    "ensure_callable",
    "forward_function",
    "loss_scaler",
    "tensor_cores",
]

Forward = Callable[[Tensor], Tensor]
"""Inputs (b, *sample_shape) to outputs (b, n), float32."""

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
BACKEND = "inductor"
COMPILERS = ("g++", "c++", "clang++", "gcc", "cc", "clang", "cl")
"""Any of which torch.compile may find, for the processor, and Triton, for GPUs."""


def ensure_callable(settings: Training, sample_shape: tuple[int, ...]) -> None:
    """Refuse a way of calling the network that cannot be.

    Raises:
        ConfigError: the samples have no channels to come last.
        DependencyError: nothing is there to compile with.
    """
    if settings.channels_last and len(sample_shape) != 3:
        raise ConfigError(
            f"training.channels_last: samples of shape {'x'.join(map(str, sample_shape))} are no images",
            "Turn it off",
            field="training.channels_last",
        )
    if settings.compile and not any(map(shutil.which, COMPILERS)):
        raise DependencyError(
            "training.compile: no compiler is installed", "Install one, such as g++, or turn it off"
        )


def forward_function(settings: Training, model: nn.Module, device: torch.device) -> Forward:
    """The function that calls `model`; the model itself where nothing is asked for.

    Its weights and their names stay as they are: what is compiled is a function beside the model.
    """
    forward: Forward = model
    if settings.compile:
        forward = _compiled(model)
    if settings.channels_last:
        forward = _with_channels_last(forward)
    if settings.precision in HALF:
        forward = _in_half(forward, settings.precision, device)
    return forward


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Within, what gains from fewer bits is computed in `precision`; fp32 and tf32 change nothing here."""
    if precision not in HALF:
        return nullcontext()
    return torch.autocast(device.type, dtype=HALF[precision])


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """For fp16, whose small gradients would vanish; None for other precisions."""
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


@contextmanager
def tensor_cores(precision: str) -> Iterator[None]:
    """Within, float32 matrix products are computed in TF32 where that is the precision."""
    before = torch.get_float32_matmul_precision()
    if precision == "tf32":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _compiled(model: nn.Module) -> Forward:
    """Compiled for each size of batch by itself, so that results do not depend on which came first."""
    from torch._dynamo.exc import TorchDynamoException

    call = torch.compile(model, dynamic=False, backend=BACKEND)

    def forward(inputs: Tensor) -> Tensor:
        try:
            outputs: Tensor = call(inputs)
        except TorchDynamoException as error:
            cause = getattr(error, "inner_exception", error)
            reason = f"{type(cause).__name__}: {cause}".strip().partition("\n")[0]
            raise DependencyError(
                f"training.compile: torch.compile failed: {reason}", "Turn it off, or mend the compiler"
            ) from None
        return outputs

    return forward


def _with_channels_last(call: Forward) -> Forward:
    def forward(inputs: Tensor) -> Tensor:
        return call(inputs.contiguous(memory_format=torch.channels_last))

    return forward


def _in_half(call: Forward, precision: str, device: torch.device) -> Forward:
    """The loss is computed from float32 outputs: sums over a batch need more than eight bits."""

    def forward(inputs: Tensor) -> Tensor:
        with autocast(precision, device):
            outputs = call(inputs)
        return outputs.float()

    return forward
