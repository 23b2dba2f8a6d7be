"""The order of an epoch: each sample once, or equally many of each class."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.data.sampling import balanced_order
from core.errors import ConfigError
from core.events import EpochFinished

TARGETS = torch.tensor([0] * 90 + [2] * 9 + [3] * 1)
"""Class 1 does not occur."""


def test_each_class_comes_equally_often() -> None:
    order = balanced_order(TARGETS, seed=0, epoch=0)
    assert order.shape == TARGETS.shape
    assert order.dtype == torch.int64
    assert TARGETS[order].bincount().tolist() == [34, 0, 33, 33]
    times = order.bincount(minlength=100)
    assert int(times[:90].max()) == 1, "none comes again before all of its class have come"
    assert set(times[90:99].tolist()) == {3, 4}
    assert int(times[99]) == 33


def test_it_depends_on_seed_and_epoch_alone() -> None:
    first = balanced_order(TARGETS, seed=1, epoch=2)
    torch.rand(3)
    assert torch.equal(first, balanced_order(TARGETS, seed=1, epoch=2))
    assert not torch.equal(first, balanced_order(TARGETS, seed=1, epoch=3))
    assert not torch.equal(first, balanced_order(TARGETS, seed=2, epoch=2))


def test_a_large_class_is_seen_whole_in_the_long_run() -> None:
    seen = torch.cat([balanced_order(TARGETS, 0, epoch) for epoch in range(20)])
    assert len(seen[seen < 90].unique()) == 90


def test_classes_are_mixed_in_every_part() -> None:
    first, last = TARGETS[balanced_order(TARGETS, 0, 0)].split(50)
    assert min(first.bincount()[[0, 2, 3]].tolist() + last.bincount()[[0, 2, 3]].tolist()) > 8


@pytest.fixture
def uneven(tmp_path: Path) -> dict[str, Any]:
    """A rare class that lies within a frequent one."""
    random = np.random.default_rng(0)
    labels = np.array([0] * 380 + [1] * 20)
    np.savez(tmp_path / "a.npz", x=random.normal(labels[:, None] * 1.5, 1, (400, 2)), y=labels)
    data = {"name": "arrays", "path": str(tmp_path / "a.npz"), "test": 0.3}
    return {"data": data, "model": "linear", "training": {"epochs": 12, "batch_size": 16}}


@pytest.mark.slow
def test_a_rare_class_is_found(uneven: dict[str, Any], train_run: Callable[..., Any]) -> None:
    found = {}
    for sampling in ("shuffled", "balanced"):
        config = uneven | {"training": uneven["training"] | {"sampling": sampling}}
        confusion = train_run(config).told(EpochFinished)[-1].confusion
        found[sampling] = confusion[1][1] / sum(confusion[1])
    assert found["balanced"] >= 0.5 > found["shuffled"]


@pytest.mark.slow
def test_a_balanced_run_goes_on_bit_for_bit(uneven: dict[str, Any], train_run: Callable[..., Any]) -> None:
    config = uneven | {"training": uneven["training"] | {"sampling": "balanced", "epochs": 3}}
    whole = train_run(config)
    begun = train_run(config, at_step=(20, lambda control, model: control.stop()))
    resumed = train_run(run=begun.run)
    for key, weight in whole.weights().items():
        assert torch.equal(weight, resumed.weights()[key])


def test_numbers_have_no_classes_to_balance(train_run: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"training\.sampling: balanced goes by classes") as caught:
        train_run({"data": "diabetes", "training": {"sampling": "balanced"}})
    assert caught.value.field == "training.sampling"
