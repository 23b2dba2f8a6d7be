"""Arrangement of a network before it is trained: blocks that compute their activations again, divided weights."""

from torch import nn

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.sharding.blocks import blocks_of
from core.training.sharding.choice import check_divisible, is_sharded
from core.training.sharding.recompute import recompute

__all__ = ["arrange"]


def arrange(
    config: TrainConfig,
    data: Dataset,
    network: nn.Module,
    averaged: nn.Module | None,
    context: TrainingContext,
    *,
    own_loss: bool,
) -> None:
    """Change `network` in place, as configured; divided weights are on the device of this process afterwards.

    Args:
        averaged: a copy of the network that follows its weights, which is divided as it is.
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
