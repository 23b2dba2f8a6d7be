"""Arrangement of a network before it is trained: blocks that compute their activations again, divided weights."""

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.events import Notice
from core.losses.own_loss import OwnLoss
from core.random_state import keeping_random_state
from core.ranks import Ranks
from core.tasks.losses import resolve_loss
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.sharding.blocks import blocks_of
from core.training.sharding.choice import check_divisible, is_divided, is_sharded
from core.training.sharding.footprint import footprint, footprint_notices
from core.training.sharding.path import Path
from core.training.sharding.recompute import check_recomputable, recompute

__all__ = ["arrange", "check_arrangement"]

REMEDY = "or set training.shard to none"
"""What to do where the processes come to different blocks."""


def arrange(
    config: TrainConfig,
    data: Dataset,
    network: nn.Module,
    averaged: nn.Module | None,
    context: TrainingContext,
    path: Path | None,
    *,
    own_loss: bool,
) -> None:
    """Change `network` in place, as configured; divided weights are on the device of this process afterwards.

    Args:
        averaged: a copy of the network that follows its weights, which is divided as it is.
        path: compares which block each process comes to; None where all come to the same ones.
        own_loss: whether the loss has weights of its own.

    Raises:
        ConfigError: it has no blocks, or something needs whole weights.
    """
    settings = config.training
    shards = is_sharded(settings, context.group)
    if not (shards or settings.activation_checkpointing):
        return
    blocks = blocks_of(network, data)
    names = {module: name for name, module in network.named_modules()}
    if settings.activation_checkpointing:
        recompute(network, blocks)
    if not shards:
        return
    check_divisible(config, network, own_step=task_of(data.task).own_step, own_loss=own_loss)
    from core.training.sharding.dividing import divide

    if averaged is not None:
        same = [averaged.get_submodule(names[block]) for block in blocks]
        divide(averaged, same, context.device, context.group)
    divide(network, blocks, context.device, context.group)
    if path is not None:
        for each in (network, *([] if averaged is None else [averaged])):
            _compare_blocks(each, path)


def _compare_blocks(network: nn.Module, path: Path) -> None:
    """Compare the processes before each block is gathered, in validation, too."""
    for name, module in network.named_modules():
        if is_divided(module):
            place = f"block {name}" if name else "the network"
            module.register_forward_pre_hook(
                lambda *_, place=place: path.reach(place, REMEDY),
                prepend=True,  # before it is gathered
            )
    network.register_forward_hook(lambda *_: path.reach("the end of the network", REMEDY))


def check_arrangement(
    config: TrainConfig, data: Dataset, network: nn.Module, device: torch.device, ranks: Ranks
) -> list[Notice]:
    """Check what `arrange` will do, before anything is written; return what is reported before the training.

    Raises:
        ConfigError: the network has no blocks, or something needs whole weights.
    """
    settings = config.training
    shards = is_sharded(settings, ranks)
    alone = settings.shard != "none" and not shards
    message = "one process keeps all weights: training.shard divides them among several"
    notices = [Notice(level="info", message=message)] if alone else []
    if not (shards or settings.activation_checkpointing):
        return notices
    blocks = blocks_of(network, data)
    if settings.activation_checkpointing:
        check_recomputable(network, blocks)
    if not shards:
        return notices
    own_step = task_of(data.task).own_step
    check_divisible(config, network, own_step=own_step, own_loss=not own_step and _has_weights(config, data))
    return footprint_notices(footprint(config, network, blocks, ranks.size), device, ranks)


def _has_weights(config: TrainConfig, data: Dataset) -> bool:
    """Return whether the loss has weights of its own."""
    if config.loss.name != "python":
        return False
    with keeping_random_state(torch.device("cpu")):
        loss = resolve_loss(config.loss, data.task).build(data.target_facts)
    return isinstance(loss, OwnLoss) and any(True for _ in loss.parameters())
