"""States of which each process has a part: taken apart, taken over, and brought together again.

In a divided state a weight is None, ``divided`` holds the number of its rows by its place in the state, and ``parts``
the rows of this process; see `core.runs.divided.joining`.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Shard
from torch.optim import Optimizer

from core.optimizers.several import SeveralOptimizers
from core.runs.checkpoints import State
from core.runs.divided.joining import Keys, put
from core.training.distributed import Group

__all__ = ["divided", "gathered", "own_best", "own_parts"]


def divided(state: State) -> State:
    """Return a state with this process's part of each divided tensor apart from the rest; tensors are not copied."""
    rows: dict[Keys, int] = {}
    parts: dict[Keys, Tensor] = {}

    def without(value: Any, place: Keys) -> Any:
        if isinstance(value, DTensor):
            rows[place], parts[place] = value.shape[0], value.to_local().detach()
            return None
        if isinstance(value, dict):
            return {key: without(each, (*place, key)) for key, each in value.items()}
        return value

    return {**without(state, ()), "divided": rows, "parts": parts}


def gathered(state: State, group: Group) -> State:
    """Return a divided state, in main memory, with whole tensors in the first process; the others have none of them."""
    whole = {key: value for key, value in state.items() if key not in ("divided", "parts")}
    for place, rows in state["divided"].items():
        part, most = state["parts"][place], -(-rows // group.size)
        padded = part.new_zeros(most, *part.shape[1:])
        padded[: len(part)] = part
        received = [torch.empty_like(padded) for _ in range(group.size)] if group.rank == 0 else None
        dist.gather(padded, received)
        if received is not None:
            whole = put(whole, place, torch.cat(received)[:rows])
    return whole


def own_parts(
    state: State, network: nn.Module, optimizer: Optimizer | SeveralOptimizers, averaged: nn.Module | None
) -> State:
    """Return a whole state with this process's rows of what is divided in a network and its average.

    What an optimizer keeps for each number of a divided weight is divided as that is.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    kept = {
        place: {
            name: _like(value, weights[place]) if _matches(value, weights[place]) else value
            for name, value in values.items()
        }
        for place, values in state["optimizer"]["state"].items()
    }
    return {
        **state,
        "model": _own_rows(state["model"], network.state_dict()),
        "optimizer": {**state["optimizer"], "state": kept},
        **({} if averaged is None else {"ema": _own_rows(state["ema"], averaged.state_dict())}),
    }


def own_best(best: State, network: nn.Module) -> State:
    """Return the whole state of a best epoch, in main memory, with this process's rows of its weights alone."""
    rows = divided({"model": _own_rows(best["model"], network.state_dict())})
    parts = {place: part.to("cpu", copy=True) for place, part in rows["parts"].items()}
    return {**best, **rows, "parts": parts}


def _own_rows(saved: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _like(value, now) if isinstance(now := current.get(key), DTensor) else value
        for key, value in saved.items()
    }


def _matches(value: Any, weight: Tensor) -> bool:
    return isinstance(weight, DTensor) and isinstance(value, Tensor) and value.shape == weight.shape


def _like(value: Tensor, weight: DTensor) -> DTensor:
    """Return this process's rows of a whole tensor, as `weight` has its own.

    Raises:
        RuntimeError: it has another shape.
    """
    if value.shape != weight.shape:
        raise RuntimeError(f"a weight has shape {tuple(value.shape)} instead of {tuple(weight.shape)}")
    mesh, local = weight.device_mesh, weight.to_local()
    chunks = value.chunk(mesh.size())
    rank = mesh.get_local_rank()
    rows = chunks[rank] if rank < len(chunks) else value[:0]
    rows = rows.to(local.device, copy=True)
    return DTensor.from_local(
        rows, mesh, [Shard(0)], run_check=False, shape=weight.shape, stride=weight.stride()
    )
