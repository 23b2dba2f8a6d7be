"""Optimizers by name. Each class holds its own settings and builds PyTorch's optimizer.

PyTorch's fused kernels are used on the devices that have them; they do one pass over memory per step.
To add one: write a class here and put it into `OptimizerConfig`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.options import Options

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

__all__ = ["OptimizerConfig"]

LearningRate = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class _Optimizer(Options):
    lr: LearningRate = 0.01
    """Learning rate: length of one step along the negative gradient."""
    weight_decay: NotNegative = 0.0
    """Strength of the pull of all weights towards zero; 0 is none."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        """PyTorch's optimizer over `parameters`."""
        raise NotImplementedError


class Sgd(_Optimizer):
    """Stochastic gradient descent: w ← w - lr (∇L + weight_decay w)."""

    name: Literal["sgd"] = "sgd"

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import SGD

        return SGD(parameters, lr=self.lr, weight_decay=self.weight_decay, fused=True)


class Momentum(_Optimizer):
    """SGD with momentum: v ← momentum v + ∇L, w ← w - lr v (Polyak 1964)."""

    name: Literal["momentum"] = "momentum"
    lr: LearningRate = 0.01
    """Learning rate: length of one step along the velocity."""
    momentum: Decay = 0.9
    """Share of the velocity kept from step to step."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import SGD

        return SGD(parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, fused=True)


class Adagrad(_Optimizer):
    """Adagrad: steps divided by the root of the sum of all past squared gradients (Duchi et al. 2011)."""

    name: Literal["adagrad"] = "adagrad"
    lr: LearningRate = 0.01
    """Learning rate before the division by the gradients' history."""
    eps: LearningRate = 1e-10
    """Small number that keeps the division finite."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import Adagrad as TorchAdagrad

        weights = list(parameters)
        fused = all(weight.device.type == "cpu" for weight in weights)  # there is no fused Adagrad elsewhere
        return TorchAdagrad(
            weights, lr=self.lr, eps=self.eps, weight_decay=self.weight_decay, fused=fused or None
        )


class Adam(_Optimizer):
    """Adam: steps from running means of the gradient and its square (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"
    lr: LearningRate = 0.001
    """Learning rate: about the length of one step for each weight."""
    beta1: Decay = 0.9
    """Share of the mean gradient kept from step to step."""
    beta2: Decay = 0.999
    """Share of the mean squared gradient kept from step to step."""
    eps: LearningRate = 1e-8
    """Small number that keeps the division finite."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import Adam as TorchAdam

        betas = (self.beta1, self.beta2)
        return TorchAdam(
            parameters, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay, fused=True
        )


class AdamW(_Optimizer):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    lr: LearningRate = 0.001
    """Learning rate: about the length of one step for each weight."""
    beta1: Decay = 0.9
    """Share of the mean gradient kept from step to step."""
    beta2: Decay = 0.999
    """Share of the mean squared gradient kept from step to step."""
    eps: LearningRate = 1e-8
    """Small number that keeps the division finite."""
    weight_decay: NotNegative = 0.01
    """Share of each weight taken away per step, times the learning rate."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import AdamW as TorchAdamW

        betas = (self.beta1, self.beta2)
        return TorchAdamW(
            parameters, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay, fused=True
        )


class RmsProp(_Optimizer):
    """RMSprop: steps divided by the root of a running mean of squared gradients (Hinton 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: LearningRate = 0.001
    """Learning rate: about the length of one step for each weight."""
    alpha: Decay = 0.99
    """Share of the mean squared gradient kept from step to step."""
    momentum: Decay = 0.0
    """Share of the velocity kept from step to step; 0 is none."""
    eps: LearningRate = 1e-8
    """Small number that keeps the division finite."""

    def build(self, parameters: "Iterable[Tensor]") -> "Optimizer":
        from torch.optim import RMSprop

        return RMSprop(
            parameters,
            lr=self.lr,
            alpha=self.alpha,
            momentum=self.momentum,
            eps=self.eps,
            weight_decay=self.weight_decay,
        )


OptimizerConfig = Annotated[
    Sgd | Momentum | Adagrad | Adam | AdamW | RmsProp,
    Field(discriminator="name"),
]
