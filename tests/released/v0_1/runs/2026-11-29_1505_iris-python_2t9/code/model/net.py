"""A network of a user's own."""

from torch import Tensor, nn

from layers import hidden


class Net(nn.Module):
    def __init__(self, in_features: int, num_classes: int, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(hidden(in_features, width), nn.Linear(width, num_classes))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)
