"""Gradients of a network whose layers follow each other, layer by layer.

A perceptron waits for autograd longer than for arithmetic; a small convolutional network for PyTorch's max pooling, see
`core.training.gradients.pooling`. Each product is the one that autograd takes, in the same order, so all numbers are
the same bit for bit. The gradient of the loss is autograd's own, but that of the cross-entropy.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.config.training import Training
from core.data.batches import Batch
from core.torch_private import cross_entropy_gradient, hooks_of
from core.training.forward_pass import HALF
from core.training.gradients.layers import LAYERS

if TYPE_CHECKING:
    from core.losses.base import LossFunction
    from core.training.step import Step

__all__ = ["LayerwiseGradients", "goes_by_layers"]


def goes_by_layers(settings: Training, network: nn.Sequential, loss_function: "LossFunction") -> bool:
    """Return whether `LayerwiseGradients` can take the place of autograd.

    It does for layers of `LAYERS` in sequence, each trained and used once, in plain float32 on the processor: linear or
    convolutional ones first, and linear ones of images only after these are flattened. A loss with weights is left to
    autograd.
    """
    is_plain = not (settings.compile or settings.channels_last or settings.precision in HALF)
    loss_weights = loss_function.parameters() if isinstance(loss_function, nn.Module) else ()
    if not is_plain or settings.accumulate > 1 or any(True for _ in loss_weights):
        return False
    layers = _layers(network)
    weights = [weight for layer in layers for weight in layer.parameters()]
    used_once = len({*map(id, layers)}) == len(layers) and len({*map(id, weights)}) == len(weights)
    return (
        [type(layer) for layer in (network, *layers)][:2]
        in ([nn.Sequential, nn.Linear], [nn.Sequential, nn.Conv2d])
        and all(type(layer) in LAYERS and LAYERS[type(layer)].fits(layer) for layer in layers)
        and _fit_each_other(network, layers)
        and used_once
        and all(weight.requires_grad and _is_plain(weight) for weight in weights)
    )


def _fit_each_other(network: nn.Sequential, layers: list[nn.Module]) -> bool:
    """Return whether layers of images come before one that flattens, and those of rows after it."""
    are_images = type(layers[0]) is nn.Conv2d
    if are_images and len(layers) < len(network):
        return False
    for layer in layers:
        wanted = LAYERS[type(layer)].takes
        if wanted and (wanted == "images") != are_images:
            return False
        are_images = are_images and type(layer) is not nn.Flatten
    return True


def _is_plain(weight: nn.Parameter) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.is_contiguous()


class LayerwiseGradients:
    """Sets the gradients of a batch.

    Args:
        usual: does the same by autograd; takes batches of other inputs, and such that lie otherwise in memory, those of
            one sample whose statistics batch normalisation refuses, and all while the network has hooks or a part of it
            is not in training mode.
        network: one that `goes_by_layers`.
        loss_function: takes outputs and targets.
    """

    def __init__(self, usual: "Step", network: nn.Sequential, loss_function: "LossFunction") -> None:
        self._usual, self._loss_function = usual, loss_function
        self._layers, self._hooks = _layers(network), hooks_of(network)
        self._passes = [(layer, LAYERS[type(layer)]) for layer in self._layers]
        self._moody = [layer for layer in self._layers if isinstance(layer, nn.Dropout | nn.BatchNorm1d)]
        self._weights = list(network.parameters())
        self._dimensions = 4 if type(self._layers[0]) is nn.Conv2d else 2
        self._flattens = len(self._layers) < len(network)

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        if any(self._hooks) or not self._knows(batch.inputs):
            return self._usual(batch)
        inputs: Tensor = batch.inputs
        if self._moody and (len(inputs) == 1 or not all(layer.training for layer in self._moody)):
            return self._usual(batch)
        seen = []
        with torch.no_grad():
            outputs = inputs.flatten(1) if self._flattens else inputs
            for layer, passes in self._passes:
                before = outputs
                outputs, kept = passes.forward(layer, before)
                seen.append((layer, passes.backward, before, kept))
        loss, gradient, outputs = self._of_loss(batch, outputs)
        reached = [(weight, weight.grad) for weight in self._weights if weight.grad is not None]
        with torch.no_grad():
            while seen:  # what a layer kept is let go of with it, as autograd does
                layer, backward, before, kept = seen.pop()
                gradient = backward(layer, gradient, before, kept, not seen)
            for (
                weight,
                of_loss,
            ) in reached:  # a loss of the user's own has found its way to a weight by itself
                assert weight.grad is not None
                weight.grad += of_loss
        return loss, outputs

    def _knows(self, inputs: object) -> bool:
        """Return whether the layers take a tensor of these dimensions, whose numbers lie in order."""
        if not isinstance(inputs, Tensor):
            return False
        return self._flattens or (inputs.ndim == self._dimensions and inputs.is_contiguous())

    def _of_loss(self, batch: Batch, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the mean loss, its gradient by the outputs, and the outputs, which a user's loss may change."""
        if self._loss_function is cross_entropy and batch.weights is None and batch.targets.ndim == 1:
            return *cross_entropy_gradient(outputs, batch.targets), outputs
        outputs.requires_grad_()
        shown = outputs.clone() if isinstance(self._loss_function, nn.Module) else outputs
        loss = batch.loss(self._loss_function, shown)
        loss.backward()
        assert outputs.grad is not None
        return loss, outputs.grad, shown


def _layers(network: nn.Sequential) -> list[nn.Module]:
    """The layers of a network, without one that flattens its inputs."""
    layers = [*network]
    first = layers[0] if layers else None
    flattens = type(first) is nn.Flatten and (first.start_dim, first.end_dim) == (1, -1)
    return layers[1:] if flattens else layers
