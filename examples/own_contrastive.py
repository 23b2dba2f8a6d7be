"""Contrastive learning as in SimCLR: two views of each digit find each other; the classes are only used to measure.

python examples/own_contrastive.py
tui train --model examples/own_contrastive.py:Contrastive --data mnist --optimizer adam --batch-size 256
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from tui.cli import main


class Contrastive(nn.Module):
    """An encoder and a projection whose outputs agree for two views of one image (Chen et al. 2020)."""

    def __init__(
        self, in_channels: int, width: int = 32, outputs_of_projection: int = 16, temperature: float = 0.2
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.encoder = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.projection = nn.Sequential(
            nn.Linear(4 * width, width), nn.ReLU(), nn.Linear(width, outputs_of_projection)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to their features (batch, 4 x width)."""
        return self.encoder(images)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the cross-entropy of each view finding the other among all views of the batch."""
        images, _ = batch
        views = torch.cat([_changed(images), _changed(images)])
        codes = normalize(self.projection(self(views)), dim=1)
        likeness = codes @ codes.T / self.temperature
        likeness.fill_diagonal_(-torch.inf)
        partners = torch.arange(len(views), device=views.device).roll(len(images))
        return cross_entropy(likeness, partners)

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the loss, and how often the nearest other image of the batch has the same class."""
        images, classes = batch
        features = normalize(self(images), dim=1)
        likeness = features @ features.T
        likeness.fill_diagonal_(-torch.inf)
        right = classes[likeness.argmax(dim=1)] == classes
        return {"loss": self.training_step(batch), "neighbour_accuracy": right.float().mean()}


def _changed(images: Tensor) -> Tensor:
    """Move images by up to one pixel, and add noise."""
    down, right = torch.randint(-1, 2, (2,)).tolist()
    return images.roll((down, right), dims=(2, 3)) + 0.3 * torch.randn_like(images)


if __name__ == "__main__":
    import sys

    choices = ["--model", f"{__file__}:Contrastive", "--data", "digits", "--optimizer", "adam"]
    choices += ["--batch-size", "64", "--epochs", "10"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
