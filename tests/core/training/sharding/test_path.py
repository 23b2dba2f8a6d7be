"""Processes that come to different parts of a network end with a sentence before they wait for each other."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.distributed as dist

from core.errors import ModelError
from core.training.distributed import Group
from core.training.sharding.path import Path

REMEDY = "or train in one process"


class Connected(Group):
    """One of several processes on this machine, without a connection."""

    def connected_again(self) -> None:
        return None


def reach(monkeypatch: pytest.MonkeyPatch, own: str, others: Sequence[str]) -> None:
    """Come to a place as the first of several processes."""
    told: list[torch.Tensor] = []

    def reduce(numbers: torch.Tensor, op: Any, group: Any) -> None:
        assert op == dist.ReduceOp.MAX
        told.append(numbers.clone())
        numbers.copy_(torch.stack(told).max(dim=0).values)

    def gather(places: list[str], place: str, group: Any) -> None:
        places[:] = [own, *others]

    monkeypatch.setattr("torch.distributed.all_reduce", reduce)
    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    path = copy.deepcopy(Path(Connected(0, 1 + len(others))))
    for place in others:
        if place == own:
            path.reach(place, REMEDY)
        else:
            told.append(torch.tensor([float("inf"), 0.0], dtype=torch.float64))
    path.reach(own, REMEDY)


def test_processes_at_the_same_place_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reach(monkeypatch, "block a", ["block a", "block a"])


def test_the_first_process_elsewhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError) as raised:
        reach(monkeypatch, "block a", ["block a", "the end of the network"])
    assert str(raised.value) == (
        "the processes took different paths through the network: rank 0 came to block a, rank 2 to the end of the "
        "network. Let no branch depend on the samples of one process, or train in one process"
    )
