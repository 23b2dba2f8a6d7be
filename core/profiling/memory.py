"""Holders of memory while a network trains."""

import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from core.data.inputs import Fields
from core.profiling.subject import subject, wait_for

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["MemoryUse", "measure_memory"]


@dataclass(frozen=True)
class MemoryUse:
    """Bytes.

    Attributes:
        weights: parameters and buffers. gradients: of the parameters. optimizer: its state, such as momentum.
        activations: what a full batch's forward pass keeps for the backward pass.
        data: the samples of all splits that are held in memory; those of a stream or of a mapped file are not.
        peak: the most that this process has held so far; on a GPU, of its memory while it took some steps.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    data: int
    peak: int


def measure_memory(prepared: "Prepared") -> MemoryUse:
    """Take a step with a copy, and weigh what is there afterwards."""
    on_gpu = prepared.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(prepared.device)
    weighed = subject(prepared)
    learner = weighed.learner
    kept: dict[int, int] = {}
    own = {weight.untyped_storage().data_ptr() for weight in learner.trained.parameters()}
    hook = learner.model.register_forward_hook(
        lambda *_: None
    )  # autograd keeps nothing where gradients go by layers

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    batch = next(weighed.batches)
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        learner.step(batch)
    hook.remove()
    learner.step(next(weighed.batches))
    wait_for(prepared.device)
    parameters = list(learner.trained.parameters())
    return MemoryUse(
        weights=_bytes([*parameters, *learner.trained.buffers()]),
        gradients=_bytes(weight.grad for weight in parameters if weight.grad is not None),
        optimizer=_bytes(_tensors(learner.optimizer.state_dict())),
        activations=sum(kept.values()),
        data=_data_bytes(prepared),
        peak=torch.cuda.max_memory_allocated(prepared.device) if on_gpu else _peak_of_process(),
    )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _tensors(value: Any) -> list[Tensor]:
    """Return the tensors in nested dicts and lists."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for each in value for tensor in _tensors(each)] if isinstance(value, list | tuple) else []


def _data_bytes(prepared: "Prepared") -> int:
    """Return the bytes of samples in memory, each block counted once: splits may be parts of one."""
    blocks: dict[int, int] = {}
    for split in prepared.data.splits.values():
        inputs: Any = split.inputs
        columns = inputs.columns.values() if isinstance(inputs, Fields) else (inputs,)
        for tensor in (*columns, split.targets):
            if isinstance(tensor, Tensor):
                blocks[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return sum(blocks.values())


def _peak_of_process() -> int:
    """Return the largest resident set so far; see getrusage(2), which counts in KiB on Linux and in bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
