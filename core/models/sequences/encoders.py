"""Encoders: each makes one vector of the steps of a sequence; steps that fill a short one change nothing."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad

from core.models.sequences.parts import Encoder, masked_mean

__all__ = ["Attention", "Convolutions", "Mean", "Recurrent"]

SLOWEST = 10_000.0
"""Steps that the slowest of the sinusoidal positions takes for a turn, divided by 2 pi."""


class Mean(Encoder):
    """The mean of the steps, whatever their order."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, steps: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(steps, mask)


class Recurrent(Encoder):
    """Gated recurrent units from the first step to the last, and the mean of their states."""

    def __init__(self, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        between = dropout if depth > 1 else 0.0
        self.gru = nn.GRU(width, width, depth, batch_first=True, dropout=between)

    def forward(self, steps: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(self.gru(steps)[0], mask)


class Convolutions(Encoder):
    """Convolutions, each followed by a normalisation of every step, ReLU, and the maximum of each two steps.

    Steps are normalised one by one, as a mean over all of them would see those that fill a short sequence.
    """

    def __init__(self, channels: tuple[int, ...], kernel: int) -> None:
        super().__init__()
        self.width = 2 * channels[-1]
        pairs = pairwise((channels[0], *channels))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, padding=kernel // 2) for before, after in pairs
        )
        self.norms = nn.ModuleList(nn.LayerNorm(after) for after in channels)

    def forward(self, steps: Tensor, mask: Tensor | None) -> Tensor:
        there = None if mask is None else mask.to(steps.dtype)[:, None]
        made = steps.transpose(1, 2)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            if there is not None:
                made = made * there
            made = norm(convolution(made).transpose(1, 2)).transpose(1, 2).relu()
            if there is not None:  # zeros lose against every step that is there, as none is negative
                made, there = made * there, _halved(there)
            made = _halved(made)
        mean = masked_mean(made.transpose(1, 2), None if there is None else there[:, 0])
        return torch.cat([mean, made.amax(dim=2)], dim=1)


def _halved(steps: Tensor) -> Tensor:
    """Return the maximum of each two steps, none of which is negative, (b, width, time) to half the time rounded up."""
    if torch.compiler.is_exporting():  # a graph with ``ceil_mode`` is for one length alone
        pairs: Tensor = pad(steps, (0, steps.shape[2] % 2)).unflatten(2, (-1, 2))
        return pairs.amax(dim=3)
    return max_pool1d(steps, 2, ceil_mode=True)


class Attention(Encoder):
    """Transformer layers over steps with sinusoidal positions, and the mean of their outputs."""

    def __init__(self, width: int, depth: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                heads,
                dim_feedforward=2 * width,
                dropout=dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, steps: Tensor, mask: Tensor | None) -> Tensor:
        made = steps + _positions(steps)
        ignored = None
        if mask is not None:  # attention over nothing has no value: an empty sequence looks at its first step
            ignored = torch.cat([torch.zeros_like(mask[:, :1]), ~mask[:, 1:]], dim=1)
        for layer in self.layers:
            made = layer(made, src_key_padding_mask=ignored)
        return masked_mean(self.norm(made), mask)


def _positions(steps: Tensor) -> Tensor:
    """Sines and cosines of the place of each step, (time, width)."""
    time, width = steps.shape[1:]
    places = torch.arange(time, device=steps.device, dtype=steps.dtype)[:, None]
    speeds = torch.exp(
        torch.arange(0, width, 2, device=steps.device, dtype=steps.dtype) * (-math.log(SLOWEST) / width)
    )
    return torch.cat([torch.sin(places * speeds), torch.cos(places * speeds)], dim=1)
