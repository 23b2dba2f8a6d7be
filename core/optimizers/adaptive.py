"""Steps divided, weight by weight, by how large its gradients have been."""

from typing import TYPE_CHECKING, Literal

from core.optimizers.base import Decay, DecayingOptimizer, LearningRate, fused_or_none, trainable

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Adadelta", "Adagrad", "RmsProp"]


class Adagrad(DecayingOptimizer):
    """Adagrad: steps divided by the root of the sum of all past squared gradients (Duchi et al. 2011)."""

    name: Literal["adagrad"] = "adagrad"
    lr: LearningRate = 0.01
    """Learning rate before the division by the gradients' history."""
    eps: LearningRate = 1e-10
    """Small number that avoids division by zero."""

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import Adagrad as TorchAdagrad

        # there is no fused Adagrad elsewhere
        fused = fused_or_none(model) and all(weight.device.type == "cpu" for weight in trainable(model))
        return TorchAdagrad(
            self.param_groups(model),
            lr=self.lr,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=fused or None,
        )


class Adadelta(DecayingOptimizer):
    """Adadelta: steps scaled by the running sizes of past steps over past gradients (Zeiler 2012)."""

    name: Literal["adadelta"] = "adadelta"
    lr: LearningRate = 1.0
    """Learning rate: factor applied to the step that Adadelta computes."""
    rho: Decay = 0.9
    """Decay rate of the running mean squares."""
    eps: LearningRate = 1e-6
    """Small number that avoids division by zero and sets the size of the first steps."""

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import Adadelta as TorchAdadelta

        return TorchAdadelta(
            self.param_groups(model), lr=self.lr, rho=self.rho, eps=self.eps, weight_decay=self.weight_decay
        )


class RmsProp(DecayingOptimizer):
    """RMSprop: steps divided by the root of a running mean of squared gradients (Hinton 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: LearningRate = 0.001
    """Learning rate: roughly the step size of each weight."""
    alpha: Decay = 0.99
    """Decay rate of the running mean of the squared gradient."""
    momentum: Decay = 0.0
    """Fraction of the velocity kept from step to step; 0 is none."""
    eps: LearningRate = 1e-8
    """Small number that avoids division by zero."""

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import RMSprop

        return RMSprop(
            self.param_groups(model),
            lr=self.lr,
            alpha=self.alpha,
            momentum=self.momentum,
            eps=self.eps,
            weight_decay=self.weight_decay,
        )
