"""Blocks of a network: the parts that are gathered, or computed again, one after the other."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import torch
from torch import Tensor, nn

from core.data.dataset import Dataset
from core.data.inputs import zero_inputs
from core.models.own.calling import call_network
from core.random_state import keeping_random_state

__all__ = ["blocks_of", "is_composite"]

MAX_SHARE = 4
"""A module with more than this part of all weights is divided further, unless it is one of several alike."""
MIN_SHARE = 16
"""A single layer with this part of all weights is a block of its own."""
SAMPLES = 2
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def blocks_of(network: nn.Module, data: Dataset) -> list[nn.Module]:
    """Return the outermost modules that are repeated, or of moderate size, in their order; never `network` itself.

    A block is called in every forward pass, and its weights are used nowhere else: what other modules use as well,
    or read without calling their owner, belongs to the rest.
    """
    called = _called(network, data)
    sizes = {module: sum(weight.numel() for weight in module.parameters()) for module in network.modules()}
    kinds = Counter(type(module) for module in called if is_composite(module))
    total = sizes[network]

    def is_block(module: nn.Module) -> bool:
        if module not in called or not sizes[module] or not _owns_its_weights(module, network):
            return False
        if not is_composite(module):
            return sizes[module] * MIN_SHARE >= total
        repeated = kinds[type(module)] > 1 and not isinstance(module, CONTAINERS)
        return repeated or sizes[module] * MAX_SHARE <= total

    def found(module: nn.Module) -> Iterator[nn.Module]:
        for child in module.children():
            if isinstance(child, torch.jit.ScriptModule):
                continue
            if is_block(child):
                yield child
            else:
                yield from found(child)

    return list(dict.fromkeys(found(network)))


def is_composite(module: nn.Module) -> bool:
    """Return whether a module consists of several layers."""
    return any(True for _ in module.children())


def _called(network: nn.Module, data: Dataset) -> set[nn.Module]:
    """Return the modules that a forward pass of a few samples of zeros calls."""
    called: set[nn.Module] = set()
    sample = data.sample
    device = next(network.parameters(), torch.empty(0)).device
    zeros = zero_inputs(sample.shape, SAMPLES, sample.fields, ids=data.ids, device=device)
    was_training = network.training
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    with ExitStack() as stack:
        for module in network.modules():
            if module is not network and not isinstance(module, torch.jit.ScriptModule):
                hook = module.register_forward_pre_hook(lambda module, _: called.add(module))
                stack.callback(hook.remove)
        stack.enter_context(keeping_random_state(device))
        stack.enter_context(torch.no_grad())
        network.eval()
        with suppress(Exception):  # a network with its own step need not have a forward pass
            call_network(network, zeros)
        network.train(was_training)
        for buffer, before in buffers:
            buffer.copy_(before)
    return called


def _owns_its_weights(module: nn.Module, network: nn.Module) -> bool:
    """Return whether no module outside of `module` has one of its weights."""
    inside = set(module.modules())
    weights: set[Tensor] = set(module.parameters())
    return not any(
        weight in weights
        for other in network.modules()
        if other not in inside
        for weight in other.parameters(recurse=False)
    )
