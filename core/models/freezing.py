"""Freezing the first layers of a network, so that training changes the last ones alone."""

from torch import Tensor, nn

__all__ = ["freeze_all_but_last"]


def freeze_all_but_last(network: nn.Module, layers: int) -> list[nn.Module]:
    """Leave only the last layers of a network to be trained.

    A layer is a module with a matrix or a kernel of its own: linear, convolution, attention. What follows it without
    one, such as its normalisation, goes with it.

    Args:
        layers: how many stay trainable, at least one.

    Returns:
        The frozen normalisations with running means: they must stay in evaluation mode, or these would move on.
    """
    holders = [module for module in network.modules() if any(True for _ in module.parameters(recurse=False))]
    weighty = [place for place, module in enumerate(holders) if _has_matrix(module)]
    first = weighty[-layers] if layers < len(weighty) else 0
    for module in holders[:first]:
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(False)
    return [module for module in holders[:first] if isinstance(getattr(module, "running_mean", None), Tensor)]


def _has_matrix(module: nn.Module) -> bool:
    return any(weight.ndim >= 2 for weight in module.parameters(recurse=False))
