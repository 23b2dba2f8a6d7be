"""A network of the user's own that prints its loss at each step, and gives a picture after each epoch."""

from typing import Any

from torch import Tensor, nn

from core.runs.media.kinds import Image

__all__ = ["Talking"]


class Talking(nn.Module):
    """The perceptron of `benchmarks.interface`, 784-100-10."""

    def __init__(self, in_shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, num_classes))
        self.step = 0

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)

    def training_step(self, batch: Any) -> Tensor:
        inputs, targets = batch
        loss = nn.functional.cross_entropy(self.layers(inputs), targets)
        self.step += 1
        print(f"step {self.step}: loss {loss.item():.4f}")
        return loss

    def validation_step(self, batch: Any) -> dict[str, Any]:
        inputs, targets = batch
        loss = nn.functional.cross_entropy(self.layers(inputs), targets)
        weights = self.layers[1].weight[:16].reshape(16, 28, 28)
        return {"loss": loss, "weights": Image(weights.detach())}
