"""Piecewise linear encoding of numbers.

Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning" (2022), section 3.2.
"""

import numpy as np
import torch
from torch import Tensor, nn

from core.data.dataset import Dataset

__all__ = ["QuantileEncoding"]

MAX_OUTPUTS = 8192
"""Of wide tables numbers are cut into fewer pieces."""
ROWS = 20_000
"""Training rows that quantiles are taken from."""
NEVER = 1e30
"""Start of a piece that no value reaches."""
FAR = 3.0
"""Deviations from which on values are drawn together."""


class QuantileEncoding(nn.Module):
    """Features (b, n) beside how much of each of their pieces is reached, 0 to 1: (b, outputs).

    Args:
        features: n.
        bins: pieces of each feature; of features with two values, such as 0 and 1 of texts, none is used.
    """

    low: Tensor
    size: Tensor

    def __init__(self, features: int, bins: int) -> None:
        super().__init__()
        self.bins = min(bins, MAX_OUTPUTS // max(1, features))
        self.outputs = features * (1 + self.bins)
        self.register_buffer("low", torch.full((features, self.bins), NEVER))
        self.register_buffer("size", torch.ones(features, self.bins))

    def forward(self, inputs: Tensor) -> Tensor:
        near = inputs / (1 + (inputs / FAR).square()).sqrt()
        if not self.bins:
            return near
        reached = ((inputs.unsqueeze(2) - self.low) / self.size).clamp(0, 1)
        return torch.cat([near, reached.flatten(1)], dim=1)

    def fit(self, data: Dataset) -> None:
        """Take the pieces from training samples, standardised as a network gets them."""
        count = len(data.train)
        if not self.bins or not count:
            return
        some = np.linspace(0, count - 1, min(count, ROWS)).astype(np.int64)
        rows = data.train.inputs[torch.from_numpy(some)].to(torch.float32)
        values = ((rows - data.mean) / data.std).flatten(1).numpy().astype(np.float64)
        low, size = np.full(self.low.shape, NEVER), np.ones(self.size.shape)
        for place, column in enumerate(values.T):
            if len(np.unique(column)) > 2:
                edges = np.unique(np.quantile(column, np.linspace(0, 1, self.bins + 1)))
                low[place, : len(edges) - 1] = edges[:-1]
                size[place, : len(edges) - 1] = np.diff(edges)
        with torch.no_grad():
            self.low.copy_(torch.from_numpy(low))
            self.size.copy_(torch.from_numpy(size))
