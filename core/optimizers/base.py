"""Base of the options of all optimizers: a learning rate, and which weights they move and let decay."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from core.errors import ModelError
from core.options import Options

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = [
    "Decay",
    "DecayingOptimizer",
    "LearningRate",
    "NotNegative",
    "OptimizerOptions",
    "fused_or_none",
    "trainable",
]

LearningRate = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerOptions(Options):
    """Settings of an optimizer."""

    closure: ClassVar[bool] = False
    """Whether its step computes loss and gradient itself, several times, by calling a function."""
    lr: LearningRate = 0.01
    """Learning rate: step size along the negative gradient."""

    def build(self, model: "nn.Module") -> "Optimizer":
        """PyTorch's optimizer over the weights of `model` that are not frozen.

        Raises:
            ModelError: all of them are.
        """
        raise NotImplementedError

    def numbers_kept(self) -> int:
        """Return the numbers that it keeps for each weight, measured by one step on a few weights."""
        import torch

        from core.torch_private import bare_step, leave_compiler_out

        leave_compiler_out()
        model = torch.nn.ParameterDict({"weight": torch.nn.Parameter(torch.zeros(8, 8))})
        weight = model["weight"]
        weight.grad = torch.zeros_like(weight)
        optimizer = self.build(model)
        bare_step(optimizer)()
        state = optimizer.state[weight].values()
        return sum(isinstance(kept, torch.Tensor) and kept.shape == weight.shape for kept in state)


class DecayingOptimizer(OptimizerOptions):
    """Settings of an optimizer that may pull weights towards zero."""

    weight_decay: NotNegative = 0.0
    """Strength of the L2 penalty on all weights; 0 is none."""
    decay_norms: bool = True
    """Whether weight decay also applies to biases and the scales of normalisations, or only to matrices and kernels."""

    def groups(self, model: "nn.Module") -> Any:
        """The weights to move, as PyTorch's optimizers take them; in two groups where some shall not decay.

        Raises:
            ModelError: all weights are frozen.
        """
        weights = trainable(model)
        if self.decay_norms:
            return weights
        vectors = [weight for weight in weights if weight.ndim < 2]
        others = [weight for weight in weights if weight.ndim >= 2]
        groups: list[dict[str, Any]] = [{"params": others}, {"params": vectors, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]


def trainable(model: "nn.Module") -> "list[nn.Parameter]":
    """The weights of a model that are not frozen.

    Raises:
        ModelError: all of them are.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if not weights:
        raise ModelError("the model has no weights to train", "Leave at least its last layer unfrozen")
    return weights


def fused_or_none(model: "nn.Module") -> bool | None:
    """Return true to update all weights of a model in one kernel; None, PyTorch's own choice, where it refuses to.

    It takes neither complex weights nor the sparse gradients of some embeddings.
    """
    from torch import nn

    tables = [module for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    sparse = any(table.sparse and table.weight.requires_grad for table in tables)
    return None if sparse or not all(weight.is_floating_point() for weight in trainable(model)) else True
