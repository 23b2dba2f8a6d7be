"""Changes to signals (b, channels, time) in standard deviations from the mean of each channel."""

import torch
from torch import Tensor

__all__ = ["mask", "noise", "shift"]


def noise(signals: Tensor, strength: float) -> Tensor:
    """Return signals with normal noise; drawn on the processor: the same on any device."""
    drawn = torch.randn(signals.shape) * strength
    return signals + drawn.to(signals.device, non_blocking=True)


def shift(signals: Tensor, fraction: float) -> Tensor:
    """Return signals moved in time, each by its own number of steps; the mean of its channel follows behind."""
    time = signals.shape[2]
    most = max(1, round(fraction * time))
    steps = torch.randint(-most, most + 1, (len(signals), 1)).to(signals.device, non_blocking=True)
    from_here = torch.arange(time, device=signals.device) - steps
    inside = (from_here >= 0) & (from_here < time)
    rows = from_here.clamp(0, time - 1)[:, None].expand_as(signals)
    return signals.gather(2, rows) * inside[:, None]


def mask(signals: Tensor, fraction: float) -> Tensor:
    """Return signals of which a span of steps is the mean of each channel, somewhere in each signal."""
    time = signals.shape[2]
    longest = max(1, round(fraction * time))
    lengths = torch.randint(1, longest + 1, (len(signals), 1))
    starts = (torch.rand(len(signals), 1) * (time - lengths + 1)).long()
    places = torch.arange(time)
    hidden = (places >= starts) & (places < starts + lengths)
    return signals * (~hidden).to(signals.device, non_blocking=True)[:, None]
