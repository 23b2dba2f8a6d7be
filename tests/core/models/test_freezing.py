"""Frozen layers, and the running statistics that must not move with them."""

import pytest
from torch import nn

from core.models.freezing import freeze_all_but_last


@pytest.mark.parametrize(
    ("norm", "has_statistics"),
    [
        (nn.BatchNorm2d(4), True),
        (nn.InstanceNorm2d(4, affine=True, track_running_stats=True), True),
        (nn.InstanceNorm2d(4, affine=True), False),
        (nn.GroupNorm(2, 4), False),
    ],
)
def test_frozen_normalisations_with_running_statistics_are_found(
    norm: nn.Module, has_statistics: bool
) -> None:
    last = nn.Conv2d(4, 2, 1)
    network = nn.Sequential(nn.Conv2d(1, 4, 1), norm, last, nn.BatchNorm2d(2))
    assert freeze_all_but_last(network, 1) == ([norm] if has_statistics else [])
    assert not any(weight.requires_grad for weight in norm.parameters())
    assert all(weight.requires_grad for weight in last.parameters())
