"""Losses of your own that do not fit the built-in ones: their outputs are not one score per class, or one number.

python examples/own_losses.py
tui train --data diabetes --loss examples/own_losses.py:GaussianNll
tui train --data digits --loss examples/own_losses.py:Cosine --set loss.arguments.scale=20
tui train --data digits --loss examples/own_losses.py:Triplet --optimizer adam
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui.cli import main


class GaussianNll(nn.Module):
    """A mean and a deviation for each sample: the likelihood of a normal distribution."""

    outputs = 2
    """Of the network, for one sample."""

    def __init__(self, smallest: float = 0.01) -> None:
        super().__init__()
        self.smallest = smallest

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample (batch, 1)."""
        mean, variance = outputs[:, :1], F.softplus(outputs[:, 1:])
        return F.gaussian_nll_loss(mean, targets, variance, eps=self.smallest, reduction="none")

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the predicted numbers (batch, 1): the means."""
        return outputs[:, :1]


class Cosine(nn.Module):
    """Cross-entropy of the angles between embeddings and a direction for each class, which is trained along."""

    outputs = 16
    probabilities = True
    """Whether scores are probabilities of the classes."""

    def __init__(self, num_classes: int, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = scale
        self.directions = nn.Parameter(torch.randn(num_classes, self.outputs))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss."""
        return F.cross_entropy(self.similarities(outputs), targets)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return probabilities (batch, classes)."""
        return self.similarities(outputs).softmax(dim=1)

    def similarities(self, outputs: Tensor) -> Tensor:
        """Return scaled cosines (batch, classes)."""
        return self.scale * F.normalize(outputs) @ F.normalize(self.directions).T


class Triplet(nn.Module):
    """Hardest triplets of a batch (Hermans et al. 2017): each class stays together, away from the others."""

    outputs = 16
    centres: Tensor

    def __init__(self, num_classes: int, margin: float = 0.5, keep: float = 0.9) -> None:
        super().__init__()
        self.margin, self.keep = margin, keep
        self.register_buffer("centres", torch.zeros(num_classes, self.outputs))  # saved with the run

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample (batch,)."""
        if self.training:
            self.follow(outputs.detach(), targets)
        distances = torch.cdist(outputs, outputs)
        same = targets[:, None] == targets
        furthest = distances.masked_fill(~same, 0.0).amax(dim=1)
        nearest = distances.masked_fill(same, float("inf")).amin(dim=1)
        return F.relu(self.margin + furthest - nearest)

    def follow(self, outputs: Tensor, targets: Tensor) -> None:
        """Move the centre of each class that occurs towards the mean of its embeddings."""
        shares = F.one_hot(targets, len(self.centres)).T.to(outputs.dtype)
        counts = shares.sum(dim=1, keepdim=True)
        means = shares @ outputs / counts.clamp(min=1)
        self.centres.lerp_(means, (1 - self.keep) * (counts > 0).to(outputs.dtype))

    def scores(self, outputs: Tensor) -> Tensor:
        """Return scores (batch, classes): the nearest centre is the answer."""
        return -(outputs[:, None] - self.centres).square().sum(dim=2)


if __name__ == "__main__":
    import sys

    choices = ["--loss", f"{__file__}:Cosine", "--data", "digits", "--optimizer", "adam", "--epochs", "5"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
