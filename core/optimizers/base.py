"""Base of the options of all optimizers: a learning rate, and which weights they move and let decay."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.optimizers.groups import WeightGroup, divide, freeze, trainable
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

    lr: LearningRate = 0.01
    """Learning rate: step size along the negative gradient."""

    groups: dict[str, WeightGroup] = {}
    """Weights with settings of their own by name patterns, such as {backbone.*: {lr: 1e-4}, stem.*: {lr: 0}}."""

    @property
    def closure(self) -> bool:
        """Return whether its step computes loss and gradient itself, several times, by calling a function."""
        return False

    def build(self, model: "nn.Module") -> "Optimizer":
        """PyTorch's optimizer over the weights of `model` that are not frozen.

        Raises:
            ModelError: all of them are.
        """
        raise NotImplementedError

    def param_groups(self, model: "nn.Module") -> Any:
        """The weights to move, as PyTorch's optimizers take them; in groups where some have other settings.

        Raises:
            ConfigError: a pattern of `groups` matches no weight.
            ModelError: all weights are frozen.
        """
        return _plain(divide(model, self.groups))

    def freeze(self, model: "nn.Module", *, more: bool = False) -> None:
        """Freeze the weights that `groups` leaves as they are; see `core.optimizers.groups.freeze`."""
        freeze(model, self.groups, more=more)

    def numbers_kept(self) -> int:
        """Return the numbers that it keeps for each weight, measured by one step on a few weights."""
        import torch

        from core.torch_private import bare_step, leave_compiler_out

        leave_compiler_out()
        model = torch.nn.ParameterDict({"weight": torch.nn.Parameter(torch.zeros(8, 8))})
        weight = model["weight"]
        weight.grad = torch.zeros_like(weight)
        optimizer = self.model_copy(update={"groups": {}}).build(model)
        if self.closure:
            optimizer.step(lambda: float(weight.sum()))
        else:
            bare_step(optimizer)()
        state = optimizer.state[weight].values()
        return sum(isinstance(kept, torch.Tensor) and kept.shape == weight.shape for kept in state)


class DecayingOptimizer(OptimizerOptions):
    """Settings of an optimizer that may pull weights towards zero."""

    weight_decay: NotNegative = 0.0
    """Strength of the L2 penalty on all weights; 0 is none."""
    decay_norms: bool = True
    """Whether weight decay also applies to biases and the scales of normalisations, or only to matrices and kernels."""

    def param_groups(self, model: "nn.Module") -> Any:
        groups = divide(model, self.groups)
        if self.decay_norms:
            return _plain(groups)
        split = [
            (
                {**settings, **({} if decay else {"weight_decay": 0.0})},
                [w for w in weights if (w.ndim >= 2) is decay],
            )
            for settings, weights in groups
            for decay in (True, False)
        ]
        return [{"params": weights, **settings} for settings, weights in split if weights]


def fused_or_none(model: "nn.Module") -> bool | None:
    """Return true to update all weights of a model in one kernel; None, PyTorch's own choice, where it refuses to.

    It takes neither complex weights nor the sparse gradients of some embeddings.
    """
    from torch import nn

    tables = [module for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    sparse = any(table.sparse and table.weight.requires_grad for table in tables)
    return None if sparse or not all(weight.is_floating_point() for weight in trainable(model)) else True


def _plain(groups: "list[tuple[dict[str, float], list[nn.Parameter]]]") -> Any:
    """Groups as PyTorch's optimizers take them: a list of weights if there is nothing to tell apart."""
    if len(groups) == 1 and not groups[0][0]:
        return groups[0][1]
    return [{"params": weights, **settings} for settings, weights in groups]
