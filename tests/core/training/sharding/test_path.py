"""Processes with divided weights that call different blocks end with a sentence, before a weight moves."""

from typing import Any

import pytest
import torch

from core.errors import ModelError
from core.training.distributed import Group
from core.training.sharding.path import Path

ORDER = ["", "blocks.0", "blocks.1"]


def compared(monkeypatch: pytest.MonkeyPatch, *paths: list[str]) -> Path:
    """Compare the paths of some processes, and return the first one's."""

    def gather(told: list[Any], own: list[str]) -> None:
        told[:] = paths

    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    each = [Path(Group(rank, len(paths))) for rank in range(len(paths))]
    for process, called in zip(each, paths, strict=True):
        process.called += called
    first, second = torch.stack([process.told() for process in each]).sum(0).tolist()
    each[0].ensure_same(first, second)
    return each[0]


def test_the_same_path_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, ORDER, ORDER, ORDER).called == []


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (["", "blocks.1", "blocks.0"], "rank 0 called blocks.0, rank 2 called blocks.1"),
        (["", "blocks.0"], "rank 0 called 3 blocks, rank 2 called 2 blocks"),
    ],
)
def test_another_path_is_named(monkeypatch: pytest.MonkeyPatch, other: list[str], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        compared(monkeypatch, ORDER, ORDER, other)
