"""PyTorch-Ignite: a supervised trainer with accuracy and loss attached."""

from collections.abc import Callable

import torch
from ignite.engine import create_supervised_trainer
from ignite.metrics import Accuracy, Loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    batches = DataLoader(TensorDataset(inputs, targets), batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    trainer = create_supervised_trainer(
        model,
        optimizer,
        criterion,
        device=next(model.parameters()).device,
        output_transform=lambda x, y, y_pred, loss: (y_pred, y),
    )
    Accuracy().attach(trainer, "accuracy")
    Loss(criterion).attach(trainer, "loss")

    def epoch() -> None:
        trainer.run(batches, max_epochs=1)

    return epoch
