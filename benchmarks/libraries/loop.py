"""The usual loop of PyTorch's tutorials over tensors that lie ready: a DataLoader, loss and accuracy of every batch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    batches = DataLoader(TensorDataset(inputs, targets), batch_size=batch_size, shuffle=True)
    device = next(model.parameters()).device
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def epoch() -> None:
        model.train()
        total, right = 0.0, 0
        for batch, labels in batches:
            batch, labels = batch.to(device), labels.to(device)
            optimizer.zero_grad()
            outputs = model(batch)
            loss = cross_entropy(outputs, labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            right += int((outputs.argmax(dim=1) == labels).sum())

    return epoch
