"""Two inputs a sample: the image of a digit and a number to add to it; the class is the last digit of the sum.

tui train --data examples/two_inputs.py:make --model examples/two_inputs.py:Adder --optimizer adam --epochs 20
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn


def make():
    """Return the inputs by name, and the classes."""
    digits = load_digits()
    image = digits.images.astype(np.uint8)[:, None] * 15  # (n, 1, 8, 8): bytes are pixels, and standardised
    added = np.random.default_rng(0).integers(0, 3, len(image))  # (n,): whole numbers stay as they are
    return {"image": image, "added": added}, (digits.target + added) % 10


class Adder(nn.Module):
    """Takes the inputs that ``forward`` names, each as its own tensor."""

    def __init__(self, num_classes: int, width: int = 128):
        super().__init__()
        self.of_image = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, width))
        self.of_added = nn.Embedding(3, width)
        self.head = nn.Sequential(
            nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_classes)
        )

    def forward(self, image: Tensor, added: Tensor) -> Tensor:
        return self.head(self.of_image(image) * torch.sigmoid(self.of_added(added)) + self.of_added(added))
