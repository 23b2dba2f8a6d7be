"""Muon for matrices, AdamW for everything else."""

from typing import TYPE_CHECKING, Literal

from core.optimizers.base import Decay, DecayingOptimizer, LearningRate, NotNegative

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Muon"]


class Muon(DecayingOptimizer):
    """Muon: momentum made orthogonal, for matrices; AdamW for kernels, biases and embeddings (Jordan et al. 2024)."""

    name: Literal["muon"] = "muon"
    lr: LearningRate = 0.001
    """Learning rate: matrices move about as far as with AdamW (Liu et al. 2025)."""
    weight_decay: NotNegative = 0.01
    """Fraction of each weight subtracted per step, times the learning rate."""
    momentum: Decay = 0.95
    """Fraction of the velocity kept from step to step."""

    def build(self, model: "nn.Module") -> "Optimizer":
        from core.optimizers.muon_adamw import MuonAdamW

        return MuonAdamW(model, self)
