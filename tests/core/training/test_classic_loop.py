"""The engine does what the loop that everybody writes by hand does, bit for bit."""

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.config import schema as configuration
from core.control import RunControl
from core.data.batches import epoch_order
from core.data.dataset import Dataset
from core.data.splits import assemble, divide
from core.losses import CrossEntropy
from core.models.registry import build
from core.training.context import TrainingContext
from core.training.engine import train
from tests.support.narrow import instance

BATCH, EPOCHS, SEED = 64, 2, 7


class Recording(CrossEntropy):
    """Cross-entropy that keeps the loss of every training step."""

    steps: ClassVar[list[float]] = []

    def build(self, targets: Any) -> Any:
        def loss(outputs: Tensor, targets: Tensor) -> Tensor:
            value = cross_entropy(outputs, targets)
            if value.requires_grad:
                self.steps.append(value.item())
            return value

        return loss


class Forgetful:
    """Checkpoints that nobody keeps."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


@pytest.fixture(scope="module")
def images() -> Dataset:
    """1,100 made-up images of 28x28 = 784 bytes in 10 classes."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(1100) % 10
    inputs = torch.randint(0, 256, (1100, 1, 28, 28), generator=generator, dtype=torch.uint8)
    train, validation = divide(targets.numpy(), 0.1, task="multiclass", seed=0, field="data.validation")
    parts = {"train": train, "validation": validation, "test": validation}
    names = tuple("0123456789")
    return assemble(
        name="made-up", kind="image", inputs=inputs, targets=targets, parts=parts, class_names=names
    )


def classic_loop(data: Dataset, lr: float, fused: bool | None) -> tuple[list[float], nn.Module]:
    """Train as tutorials do; return the loss of every step, and the trained network."""
    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, fused=fused)
    inputs = (instance(torch.Tensor, data.train.inputs).float() - data.mean) / data.std
    losses = []
    for epoch in range(EPOCHS):
        for rows in epoch_order(len(inputs), SEED, epoch).split(BATCH):
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs[rows]), data.train.targets[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, model


@pytest.mark.parametrize("fused", [None, True], ids=["default SGD", "fused SGD"])
def test_equals_the_classic_loop_bit_for_bit(images: Dataset, fused: bool | None) -> None:
    """Without momentum PyTorch's default and fused SGD round alike, so the engine equals either."""
    torch.set_num_threads(1)
    config = configuration.from_dict(
        {
            "optimizer": {"name": "sgd", "lr": 0.05},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "seed": SEED},
        }
    ).model_copy(update={"loss": Recording()})
    Recording.steps.clear()
    model = build(config.model, images, SEED)
    result = train(
        config,
        images,
        model,
        TrainingContext(torch.device("cpu")),
        emit=lambda event: None,
        control=RunControl(),
        checkpoints=Forgetful(),
    )

    losses, classic = classic_loop(images, 0.05, fused)

    assert result.status == "completed"
    assert len(losses) == EPOCHS * -(-len(images.train) // BATCH)
    assert Recording.steps == losses
    assert losses[-1] < losses[0]
    for ours, theirs in zip(model.parameters(), classic.parameters(), strict=True):
        assert torch.equal(ours, theirs)
