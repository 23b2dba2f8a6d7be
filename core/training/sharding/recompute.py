"""Activation checkpointing: the inside of each block is computed again when its gradients are due, not kept.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". Weights stay the same bit for bit: random numbers and
buffers, such as running means, are put back to what they were before the block was first computed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from core.errors import ConfigError
from core.training.sharding.blocks import is_composite

__all__ = ["check_recomputable", "recompute"]

MIN_LAYERS = 4
"""Fewest layers of a network in a row that is divided into runs of layers."""


def recompute(network: nn.Module, blocks: Sequence[nn.Module]) -> None:
    """Let each block of several layers compute its activations again; of layers in a row, runs of about as many.

    Raises:
        ConfigError: the network has neither blocks nor layers in a row.
    """
    check_recomputable(network, blocks)
    composite = [block for block in blocks if is_composite(block)]
    kinds = {kind: _recomputing(kind) for kind in {type(block) for block in composite}}
    for block in composite:
        block.__class__ = kinds[type(block)]
    if not composite:
        network.__class__ = _in_runs(type(network))


def check_recomputable(network: nn.Module, blocks: Sequence[nn.Module]) -> None:
    """Check that there is something to compute again.

    Raises:
        ConfigError: the network has neither blocks of several layers nor layers in a row.
    """
    if any(map(is_composite, blocks)) or (isinstance(network, nn.Sequential) and len(network) >= MIN_LAYERS):
        return
    raise ConfigError(
        "training.activation_checkpointing: the network has no blocks of several layers",
        "Turn it off",
        field="training.activation_checkpointing",
    )


def _recomputing(kind: type[Any]) -> type[Any]:
    """Return a class of modules whose outputs are those of `kind`."""

    def forward(self: Any, *inputs: Any, **named: Any) -> Any:
        usual = kind.forward
        return _checkpointed([self], lambda *values, **more: usual(self, *values, **more), inputs, named)

    made: type[Any] = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    return made


def _in_runs(kind: type[Any]) -> type[Any]:
    """Return a class of layers in a row, of which about as many runs are computed again as each has layers."""

    def forward(self: Any, inputs: Any) -> Any:
        layers, size = list(self), isqrt(len(self))
        for start in range(0, len(layers), size):
            run = layers[start : start + size]
            inputs = _checkpointed(run, partial(_in_a_row, run), (inputs,), {})
        return inputs

    made: type[Any] = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    return made


def _in_a_row(layers: Sequence[nn.Module], inputs: Any) -> Any:
    for layer in layers:
        inputs = layer(inputs)
    return inputs


def _checkpointed(
    modules: Sequence[nn.Module],
    function: Callable[..., Any],
    inputs: tuple[Any, ...],
    named: dict[str, Any],
) -> Any:
    """Call `function`, which calls `modules`; while training, keep nothing of its inside.

    All arguments are passed in order: the device whose random state is kept is taken from these.
    """
    if not torch.is_grad_enabled() or not modules[0].training:
        return function(*inputs, **named)
    names, count, values = list(named), len(inputs), (*inputs, *named.values())

    def in_order(*values: Any) -> Any:
        return function(*values[:count], **dict(zip(names, values[count:], strict=True)))

    buffers = [buffer for module in modules for buffer in module.buffers()]
    return checkpoint(
        in_order,
        *values,
        use_reentrant=False,
        context_fn=partial(_surroundings, buffers),
    )


def _surroundings(
    buffers: list[Tensor],
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Return the surroundings of the first and of the second computation, which sees the buffers of the first."""
    return nullcontext(), _with_values(buffers, [buffer.clone() for buffer in buffers])


@contextmanager
def _with_values(buffers: list[Tensor], values: list[Tensor]) -> Iterator[None]:
    """Context manager in which buffers have other values; through ``data``, as autograd counts changes otherwise."""
    now = [buffer.clone() for buffer in buffers]
    _set(buffers, values)
    try:
        yield
    finally:
        _set(buffers, now)


def _set(buffers: list[Tensor], values: list[Tensor]) -> None:
    for buffer, value in zip(buffers, values, strict=True):
        buffer.data.copy_(value)
