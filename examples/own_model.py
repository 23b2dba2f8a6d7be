"""Your own network. In the app: Model python, path examples/own_model.py:Net. Or here, on the digits:

python examples/own_model.py
tui train --model examples/own_model.py:Net --set model.arguments.width=64 --data mnist
"""

from torch import Tensor, nn

from tui.cli import main


class Net(nn.Module):
    """Two convolutions and a linear layer. The data fills in_channels and num_classes; the rest are fields."""

    def __init__(self, in_channels: int, num_classes: int, width: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(4 * width, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, classes)."""
        return self.layers(images)


if __name__ == "__main__":
    import sys

    choices = ["--model", f"{__file__}:Net", "--data", "digits", "--optimizer", "adam", "--epochs", "5"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
