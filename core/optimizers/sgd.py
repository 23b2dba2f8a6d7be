"""Descent along the gradient, or along a velocity that it feeds."""

from typing import TYPE_CHECKING, Literal

from core.optimizers.base import Decay, DecayingOptimizer, LearningRate, fused_or_none

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Momentum", "Nesterov", "Sgd"]


class Sgd(DecayingOptimizer):
    """Stochastic gradient descent: w ← w - lr (∇L + weight_decay w)."""

    name: Literal["sgd"] = "sgd"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import SGD

        return SGD(
            self.param_groups(model), lr=self.lr, weight_decay=self.weight_decay, fused=fused_or_none(model)
        )


class _Velocity(DecayingOptimizer):
    lr: LearningRate = 0.01
    """Learning rate: step size along the velocity."""
    momentum: Decay = 0.9
    """Fraction of the velocity kept from step to step."""


class Momentum(_Velocity):
    """SGD with momentum: v ← momentum v + ∇L, w ← w - lr v (Polyak 1964)."""

    name: Literal["momentum"] = "momentum"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import SGD

        return SGD(
            self.param_groups(model),
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            fused=fused_or_none(model),
        )


class Nesterov(_Velocity):
    """SGD with Nesterov's momentum: v ← momentum v + ∇L, w ← w - lr (∇L + momentum v) (Sutskever et al. 2013)."""

    name: Literal["nesterov"] = "nesterov"

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import SGD

        return SGD(
            self.param_groups(model),
            lr=self.lr,
            momentum=self.momentum,
            nesterov=self.momentum > 0,  # without velocity both are plain SGD, and PyTorch refuses this one
            weight_decay=self.weight_decay,
            fused=fused_or_none(model),
        )
