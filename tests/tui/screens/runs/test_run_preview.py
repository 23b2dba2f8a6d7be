"""Facts of a run beside the list: what differs from the defaults is named, and nothing else is."""

from pathlib import Path
from typing import Any

import pytest

from core.config.schema import from_dict, to_dict
from core.events import RunStarted
from core.runs.folder import Run
from core.runs.summary import RunSummary
from tui.screens.runs.run_preview import _setup


def changed(values: dict[str, Any]) -> list[str]:
    config = to_dict(from_dict(values))
    started = RunStarted(
        config=config,
        task="multiclass",
        samples={"train": 10},
        classes=["a", "b", "c"],
        sample_shape=[4],
        parameters=5,
        device="cpu",
        threads=1,
        epochs=2,
        steps_per_epoch=1,
    )
    found = dict(_setup(RunSummary(Run(Path("runs/a")), "completed", config=config), started))
    assert found["device"] == ["cpu", "1 thread"]
    return found["changed"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["nothing: all defaults"]),
        ({"loss": {"name": "cross_entropy"}}, ["nothing: all defaults"]),
        ({"loss": {"name": "hinge"}}, ["loss hinge"]),
        ({"optimizer": {"name": "adam", "lr": 0.5}}, ["optimizer adam", "optimizer.lr 0.5"]),
    ],
)
def test_only_a_run_of_defaults_changed_nothing(values: dict[str, Any], expected: list[str]) -> None:
    assert changed(values) == expected
