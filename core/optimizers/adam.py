"""Adam and its kin: steps from running means of the gradient and of its square."""

from typing import TYPE_CHECKING, Any, Literal

from core.optimizers.base import Decay, DecayingOptimizer, LearningRate, NotNegative, fused_or_none

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Adam", "AdamW", "NAdam", "RAdam"]


class _Adam(DecayingOptimizer):
    lr: LearningRate = 0.001
    """Learning rate: roughly the step size of each weight."""
    beta1: Decay = 0.9
    """Decay rate of the running mean of the gradient."""
    beta2: Decay = 0.999
    """Decay rate of the running mean of the squared gradient."""
    eps: LearningRate = 1e-8
    """Small number that avoids division by zero."""

    def settings(self) -> dict[str, Any]:
        """Return these fields by the names of PyTorch's classes."""
        betas = (self.beta1, self.beta2)
        return {"lr": self.lr, "betas": betas, "eps": self.eps, "weight_decay": self.weight_decay}


class Adam(_Adam):
    """Adam: steps from running means of the gradient and its square (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import Adam as TorchAdam

        return TorchAdam(self.param_groups(model), **self.settings(), fused=fused_or_none(model))


class AdamW(_Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    weight_decay: NotNegative = 0.01
    """Fraction of each weight subtracted per step, times the learning rate."""

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import AdamW as TorchAdamW

        return TorchAdamW(self.param_groups(model), **self.settings(), fused=fused_or_none(model))


class NAdam(_Adam):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    name: Literal["nadam"] = "nadam"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import NAdam as TorchNAdam

        return TorchNAdam(self.param_groups(model), **self.settings())


class RAdam(_Adam):
    """Adam that starts as SGD with momentum until its mean of squares is reliable (Liu et al. 2020)."""

    name: Literal["radam"] = "radam"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import RAdam as TorchRAdam

        return TorchRAdam(self.param_groups(model), **self.settings())
