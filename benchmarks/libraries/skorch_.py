"""skorch: NeuralNetClassifier, no validation split, its printed line left out."""

from collections.abc import Callable

import torch
from skorch import NeuralNetClassifier
from torch import Tensor, nn


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    net = NeuralNetClassifier(
        model,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        lr=lr,
        max_epochs=1,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks__print_log=None,
        warm_start=True,
        device=next(model.parameters()).device,
    )
    net.initialize()

    def epoch() -> None:
        net.partial_fit(inputs, targets)

    return epoch
