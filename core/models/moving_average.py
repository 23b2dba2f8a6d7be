"""A moving average of the weights (EMA), which follows them after each step."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.models.copies import copied

__all__ = ["MovingAverage"]


class MovingAverage(AveragedModel):
    """A copy of `model` whose weights are an exponential moving average, in evaluation mode.

    After each step they become decay x theirs + (1 - decay) x the model's; the first step copies the model's. Buffers,
    such as the statistics of batch normalisation, are those of the model.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(nn.Identity())
        self.module = copied(model)  # it would copy the model itself, which not every model allows
        self._average = get_ema_multi_avg_fn(decay)
        self.eval()

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Follow the model by a step.

        PyTorch's own method copies its count of steps to the device each time, which waits for all that runs there.
        """
        parts: dict[tuple[torch.device, torch.dtype], tuple[list[Tensor], list[Tensor]]] = {}
        for mine, weight in zip(self.module.parameters(), model.parameters(), strict=True):
            averages, weights = parts.setdefault((mine.device, mine.dtype), ([], []))
            averages.append(mine)
            weights.append(weight)
        for averages, weights in parts.values():
            if self.n_averaged:
                self._average(averages, weights, self.n_averaged)
            else:
                for average, value in zip(averages, weights, strict=True):
                    average.copy_(value)
        for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
            average.copy_(value)
        self.n_averaged += 1
