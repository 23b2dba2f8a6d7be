"""Memory that each process of a training with divided weights needs, known before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.config.schema import TrainConfig
from core.events import Notice
from core.ranks import Ranks
from core.training.memory import free_memory

__all__ = ["Footprint", "footprint", "footprint_notices"]

MIB = 1 << 20


@dataclass(frozen=True)
class Footprint:
    """Bytes of one process, without activations.

    Attributes:
        weights, gradients, optimizer, average: its part of each; ``average`` is that of the weights' moving average.
        gathered: the largest weights, and their gradients, that are whole at a time: those of a block, and of the rest.
        undivided: what one process would hold alone.
    """

    weights: int
    gradients: int
    optimizer: int
    average: int
    gathered: int
    undivided: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.optimizer + self.average + self.gathered


def footprint(
    config: TrainConfig, network: nn.Module, blocks: Sequence[nn.Module], processes: int
) -> Footprint:
    """Return what the first process holds, which has the largest part: of each weight the first rows."""
    weights = list(network.parameters())
    trained = [weight for weight in weights if weight.requires_grad]
    part = sum(_part(weight, processes) for weight in weights)
    gradients = sum(_part(weight, processes) for weight in trained)
    kept, whole = config.optimizer.numbers_kept(), _bytes(trained)
    sizes = [_bytes(list(block.parameters())) for block in blocks]
    average = bool(config.training.ema)
    return Footprint(
        weights=part,
        gradients=gradients,
        optimizer=gradients * kept,
        average=part * average,
        gathered=2 * (max(sizes, default=0) + _bytes(weights) - sum(sizes)),
        undivided=_bytes(weights) * (1 + average) + whole * (1 + kept),
    )


def footprint_notices(found: Footprint, device: torch.device, ranks: Ranks) -> list[Notice]:
    """Return what is reported before a training with divided weights, and a warning if it does not fit on a GPU."""
    parts = {
        "weights": found.weights,
        "gradients": found.gradients,
        "optimizer": found.optimizer,
        "moving average": found.average,
        "gathered at a time": found.gathered,
    }
    listed = ", ".join(f"{size / MIB:.1f} {name}" for name, size in parts.items() if size)
    message = (
        f"memory of each of {ranks.size} processes: {found.total / MIB:.1f} MiB ({listed}) and activations; "
        f"undivided it would be {found.undivided / MIB:.1f} MiB"
    )
    notices = [Notice(level="info", message=message)]
    if device.type == "cuda":
        free = free_memory(torch.device("cuda", ranks.local_rank))
        if found.total > free:
            said = f"only {free / MIB:.1f} MiB of the GPU are free: use more processes or a smaller network"
            notices.append(Notice(level="warning", message=said))
    return notices


def _bytes(weights: Sequence[Tensor]) -> int:
    return sum(weight.nbytes for weight in weights)


def _part(weight: Tensor, processes: int) -> int:
    rows = weight.shape[0] if weight.ndim else 1
    return weight.nbytes // max(1, rows) * -(-rows // processes)
