"""Parts of all networks for sequences: steps from samples, pooling over the steps that are there, the last layer.

A mask is (b, time), true where a step is there and false where it fills a short sequence; None where all are there.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from core.data.kinds.sample import Sample

__all__ = ["BesideFeatures", "Encoder", "SequenceNetwork", "Steps", "masked_mean", "sequence_network"]


class Encoder(nn.Module):
    """Base of encoders, which make one vector of a sequence; `width` is that of the vector."""

    width: int

    def forward(self, steps: Tensor, mask: Tensor | None) -> Tensor:
        """(b, time, width of a step) and its mask to (b, width)."""
        raise NotImplementedError


class Steps(nn.Module):
    """Signals (b, channels, time) or ids (b, time) as steps (b, time, width), and their mask.

    Signals of different lengths are (b, time, channels), as each batch pads them.

    Args:
        patch: steps of a signal that become one; what is left over is filled with zeros.
    """

    def __init__(self, sample: Sample, width: int, patch: int = 1) -> None:
        super().__init__()
        self.padding, self.patch, self.ids = sample.padding, patch, sample.vocabulary
        self.time_first = bool(sample.fields) and not sample.vocabulary
        self.embedding: nn.Embedding | None = None
        self.linear: nn.Linear | None = None
        if sample.vocabulary:
            self.embedding = nn.Embedding(sample.vocabulary, width, padding_idx=sample.padding)
        else:
            channels = prod(sample.shape[1:]) if self.time_first else sample.shape[0]
            self.linear = nn.Linear(channels * patch, width)

    def forward(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if self.embedding is not None:
            if mask is None and self.padding is not None:
                mask = inputs != self.padding
            steps: Tensor = self.embedding(inputs.clamp(0, self.ids - 1))  # the last one is any unknown id
            return steps, mask
        assert self.linear is not None
        if self.time_first:
            inputs = inputs.reshape(*inputs.shape[:2], -1).transpose(1, 2)
        if mask is not None:
            inputs = inputs * mask[:, None]
        if self.patch == 1:
            steps = self.linear(inputs.transpose(1, 2))
            return steps, mask
        short = -inputs.shape[2] % self.patch
        weight = self.linear.weight.view(len(self.linear.weight), -1, self.patch)
        made = conv1d(pad(inputs, (0, short)), weight, self.linear.bias, stride=self.patch)
        if mask is not None:
            mask = pad(mask, (0, short)).view(len(mask), -1, self.patch).any(dim=2)
        return made.transpose(1, 2), mask


def masked_mean(steps: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean over the steps that are there, (b, width); 0 where there are none."""
    if mask is None:
        return steps.mean(dim=1)
    weights = mask.to(steps.dtype)[:, :, None]
    return (steps * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class SequenceNetwork(nn.Module):
    """Steps, what makes one vector of them, and a linear layer."""

    def __init__(self, steps: Steps, encoder: Encoder, dropout: float, features: int, outputs: int) -> None:
        super().__init__()
        self.steps, self.encoder = steps, encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.width + features, outputs)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, channels, time) or ids (b, time) to (b, outputs)."""
        outputs: Tensor = self.head(self.dropout(self.encoder(*self.steps(inputs, mask))))
        return outputs


class BesideFeatures(SequenceNetwork):
    """Texts beside the features of a table: the last layer sees both."""

    def forward(self, text: Tensor, features: Tensor) -> Tensor:  # type: ignore[override] # called by name
        """Ids (b, time) and (b, features) to (b, outputs)."""
        both = torch.cat([self.encoder(*self.steps(text, None)), features], dim=1)
        outputs: Tensor = self.head(self.dropout(both))
        return outputs


def sequence_network(
    sample: Sample, steps: Steps, encoder: Encoder, dropout: float, outputs: int
) -> SequenceNetwork:
    """Return the network for sequences alone, or for texts beside features."""
    kind = BesideFeatures if sample.features else SequenceNetwork
    return kind(steps, encoder, dropout, sample.features, outputs)
