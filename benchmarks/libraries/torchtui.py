"""torchtui's engine: loss and accuracy of the epoch, events ten times a second; standardising counts, too."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset, Split
from core.training.context import TrainingContext
from core.training.engine import train


class NoCheckpoints:
    """Keeps nothing, as the peers are told to."""

    def save(self, state: dict[str, object], kind: str) -> None:
        """Forget it."""


def prepare(
    inputs: Tensor,
    targets: Tensor,
    model: nn.Module,
    batch_size: int,
    lr: float,
    precision: str = "fp32",
    cuda_graphs: str = "auto",
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    split = Split(inputs, targets, np.arange(len(inputs)))
    nothing = Split(split.inputs[:0], split.targets[:0], np.arange(0))
    data = Dataset(
        name="mnist",
        kind="image",
        task="multiclass",
        train=split,
        validation=nothing,
        test=nothing,
        class_names=tuple("0123456789"),
        feature_names=(),
        mean=torch.tensor(0.0),
        std=torch.tensor(1.0),
        target_mean=(0.0,),
        target_std=(1.0,),
        value_range=(0.0, 1.0),
    )
    values = {
        "loss": "cross_entropy",
        "optimizer": {"name": "sgd", "lr": lr},
        "training": {
            "epochs": 1,
            "batch_size": batch_size,
            "precision": precision,
            "cuda_graphs": cuda_graphs,
        },
    }
    config = configuration.from_dict(values)

    def epoch() -> None:
        train(
            config,
            data,
            model,
            TrainingContext(next(model.parameters()).device),
            emit=lambda event: None,
            control=RunControl(),
            checkpoints=NoCheckpoints(),
        )

    return epoch
