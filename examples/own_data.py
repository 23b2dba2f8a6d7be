"""Your own data for `tui`: two rings of points, which no straight line separates.

tui train --data examples/own_data.py:make --epochs 10
tui train --data examples/own_data.py:make --set data.arguments='{noise: 0.3}'
"""

import torch


def make(samples: int = 1000, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (samples, 2), and for each its ring: 0 for the inner one, 1 for the outer one."""
    ring = torch.arange(samples) % 2
    angle = torch.rand(samples) * 2 * torch.pi
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return (ring + 1).unsqueeze(1) * circle + noise * torch.randn(samples, 2), ring
