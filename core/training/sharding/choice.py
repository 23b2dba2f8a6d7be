"""Which trainings divide their weights among processes, and which cannot."""

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.config.training import Training
from core.errors import ConfigError
from core.ranks import Ranks

__all__ = ["check_divisible", "is_divided", "is_sharded", "kind_of", "whole_norm"]


def is_sharded(settings: Training, ranks: Ranks) -> bool:
    """Return whether a training divides the weights: one process has all of them in any case."""
    return settings.shard == "fsdp" and ranks.size > 1


def is_divided(network: nn.Module) -> bool:
    """Return whether the weights of `network` are divided among processes; its calls then wait for each other."""
    return hasattr(network, "set_gradient_divide_factor")


def kind_of(module: nn.Module) -> str:
    """Return the name of a module's class; dividing it gives it another one, which has the old one as its last base."""
    kind = type(module)
    return (kind.__bases__[-1] if is_divided(module) else kind).__name__


def whole_norm(norm: Tensor) -> Tensor:
    """Return a norm over all processes; of divided weights each has that of its part."""
    whole = getattr(norm, "full_tensor", None)
    return norm if whole is None else whole()


def check_divisible(config: TrainConfig, network: nn.Module, *, own_step: bool, own_loss: bool) -> None:
    """Check that nothing in a training needs whole weights.

    Args:
        own_step: whether the network defines its own step.
        own_loss: whether the loss has weights of its own.

    Raises:
        ConfigError: something does.
    """
    settings, optimizer = config.training, config.optimizer.name
    scalars = [name for name, weight in network.named_parameters() if not weight.ndim]
    tables = [module for module in network.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    modules = list(network.modules())
    reasons = {
        f"{optimizer} needs all weights at once": config.optimizer.closure,
        "an optimizer of your own may need whole weights": optimizer == "python",
        "muon turns each weight as a whole": optimizer == "muon",
        "fp16 needs to see all gradients at once; bf16 does not": settings.precision == "fp16",
        "weights that lie channels-last are not divided": settings.channels_last,
        "the steps of a network's own training_step are not divided": own_step,
        "a loss with weights of its own is not divided": own_loss,
        f"a weight without dimensions is not divided, such as {', '.join(scalars[:1])}": bool(scalars),
        "embeddings with sparse gradients are not divided": any(table.sparse for table in tables),
        "scripted networks are not divided": any(
            isinstance(each, torch.jit.ScriptModule) for each in modules
        ),
    }
    for reason, applies in reasons.items():
        if applies:
            raise ConfigError(f"training.shard: {reason}", "Set it to none", field="training.shard")
