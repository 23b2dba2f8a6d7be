"""A user's loss as the training calls it: checked, reduced to one number, with its own weights and buffers."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.losses.base import OF_CLASSES, TargetFacts, TargetKind, weighted_mean

__all__ = ["OwnLoss"]

ACTIVATIONS: dict[TargetKind, str] = dict.fromkeys(OF_CLASSES, "softmax") | {"labels": "sigmoid"}
"""What makes probabilities of outputs; numbers are outputs."""


class OwnLoss(nn.Module):
    """Mean of a user's loss over a batch, and the scores that its outputs stand for.

    Args:
        loss: called with outputs (b, n, ...) and targets (b, ...); returns a scalar or one loss per sample. If it is a
            module, its weights are trained and its buffers kept.
        path: where it is from, for messages.
        activation: how outputs become scores; see `core.losses.python`.
    """

    def __init__(self, loss: Callable[..., Any], path: str, activation: str, kind: TargetKind) -> None:
        super().__init__()
        if not callable(loss):
            raise _error(path, f"makes {_kind(loss)}, which cannot be called with outputs and targets")
        self.loss = copy.deepcopy(loss) if isinstance(loss, nn.Module) else loss
        self.path, self.kind = path, kind
        self.own_scores = callable(getattr(loss, "scores", None)) and activation == "auto"
        self.activation = ACTIVATIONS.get(kind, "identity") if activation == "auto" else activation
        self.own_outputs = isinstance(getattr(loss, "outputs", None), int)

    def forward(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            weights: of the samples (b,); the loss must then give one number for each.

        Raises:
            ConfigError: the loss returned something else than a scalar or one loss per sample.
        """
        value = self.loss(outputs, targets.long() if targets.dtype == torch.uint8 else targets)
        if not isinstance(value, Tensor):
            raise _error(self.path, f"returned {_kind(value)}")
        if weights is not None:
            return self._weighted(value, weights)
        if value.ndim == 0:
            return value
        if len(value) != len(targets) and value.numel() > 1:
            raise _error(
                self.path, f"returned a tensor of shape {tuple(value.shape)} for {len(targets)} samples"
            )
        return value.mean()

    def _weighted(self, value: Tensor, weights: Tensor) -> Tensor:
        if value.ndim == 0 or len(value) != len(weights):
            raise ConfigError(
                f"loss.path: {self.path} returned a single number for a batch whose samples have weights",
                "Return one loss for each sample, or train without data.weight",
                field="loss.path",
            )
        return weighted_mean(value.flatten(1).mean(dim=1) if value.ndim > 1 else value, weights)

    @property
    def converts(self) -> bool:
        """Return whether only scores show what is predicted."""
        return self.own_scores or self.own_outputs

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        """Return whether scores are probabilities: by softmax or sigmoid, or if a loss with own scores says so."""
        if targets.kind not in ACTIVATIONS:
            return False
        if self.own_scores:
            return bool(getattr(self.loss, "probabilities", False))
        return self.activation == ACTIVATIONS[targets.kind]

    def scores(self, outputs: Tensor) -> Tensor:
        """Return scores (n, classes), or numbers (n, 1) in standardised units, of outputs (n, m).

        Raises:
            ConfigError: the loss's own `scores` returned something else.
        """
        if self.own_scores:
            made = self._own_scores(outputs)
            if not isinstance(made, Tensor):
                raise _error(self.path, f"scores returned {_kind(made)}")
            return made.unsqueeze(1) if made.ndim == 1 else made  # no sizes: exports trace them as constants
        if self.activation == "softmax":
            return outputs.softmax(dim=1)
        return outputs.sigmoid() if self.activation == "sigmoid" else outputs

    def _own_scores(self, outputs: Tensor) -> Any:
        loss: Any = self.loss
        return loss.scores(outputs)


def _error(path: str, said: str) -> ConfigError:
    hint = "It takes outputs and targets, and returns a tensor: a single number, or one for each sample"
    return ConfigError(f"loss.path: {path} {said}", hint, field="loss.path")


def _kind(value: object) -> str:
    shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
    return f"an object of type {type(value).__name__}{shape}"
