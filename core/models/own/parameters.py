"""Parameters of a network's ``forward``."""

import inspect
from collections.abc import Mapping

from torch import nn

__all__ = ["Parameters", "parameters_of"]

Parameters = Mapping[str, inspect.Parameter]


def parameters_of(network: nn.Module) -> Parameters:
    """Return the parameters of ``forward``; of one written in C a single one."""
    try:
        return inspect.signature(network.forward).parameters
    except (TypeError, ValueError):
        return {"inputs": inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_ONLY)}
