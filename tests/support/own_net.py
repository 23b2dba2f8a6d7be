"""A network as a user would write one, for tests."""

from torch import Tensor, nn


class Net(nn.Module):
    """One hidden layer."""

    def __init__(self, in_features: int, num_classes: int, width: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = nn.Linear(in_features, width)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(width, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """(b, *sample_shape) to (b, num_classes)."""
        outputs: Tensor = self.out(self.drop(self.hidden(inputs.flatten(1)).relu()))
        return outputs
