"""The accuracies that a plain PyTorch loop reaches on MNIST, through the command line.

The yardsticks train on all 60,000 images and take the last epoch, so nothing is held out here. They divide bytes
by 255 where the product standardises them.
"""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
ROOT = Path(os.environ.get("TUI_TEST_DATA") or REPOSITORY / ".." / "shared" / "data").resolve()
FILES = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]

YARDSTICKS = {
    "sgd": ("--optimizer sgd --lr 0.01", (0.930, 0.929)),
    "momentum": ("--optimizer momentum --lr 0.01", (0.974, 0.973)),
    "adagrad": ("--optimizer adagrad --lr 0.01", (0.967, 0.963)),
    "adam": ("--optimizer adam --lr 0.001", (0.979, 0.976)),
    "hinge": ("--optimizer momentum --lr 0.01 --loss hinge", (0.962, 0.961)),
    "mse": ("--optimizer momentum --lr 0.01 --loss mse", (0.954, 0.953)),
}
"""Options, and test accuracies of two seeds."""


pytestmark = [
    pytest.mark.mnist,
    pytest.mark.skipif(
        not all((ROOT / "MNIST" / "raw" / name).is_file() for name in FILES),
        reason=f"no MNIST files in {ROOT}; TUI_TEST_DATA says where they are",
    ),
]


def accuracy_on_test(tui: Callable[..., Any], options: str) -> float:
    """What ten epochs of the command line say of the test split."""
    answer = tui(
        f"train --no-ui --data mnist --data-root {shlex.quote(str(ROOT))} --val 0 --json "
        f"--epochs 10 --batch-size 64 --threads 1 --device cpu {options}"
    )
    assert (answer.code, answer.err) == (0, "")
    told = [json.loads(line) for line in answer.out.splitlines()]
    assert told[0]["samples"] == {"train": 60_000, "validation": 0, "test": 10_000}
    assert told[0]["parameters"] == 79_510
    return next(event["metrics"]["accuracy"] for event in told if event["event"] == "evaluation_finished")


@pytest.mark.parametrize("name", YARDSTICKS)
def test_no_worse_than_a_plain_loop(name: str, tui: Callable[..., Any]) -> None:
    """Standardised inputs learn faster than the yardstick's: slow optimizers get farther in ten epochs."""
    options, accuracies = YARDSTICKS[name]
    assert accuracy_on_test(tui, options) >= min(accuracies) - 0.01


@pytest.mark.parametrize("name", ["sgd", "hinge"])
def test_equals_a_plain_loop_on_inputs_scaled_alike(
    name: str, tui: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two rows that standardised inputs better by more than 0.01, on bytes divided by 255 as in the yardstick."""
    import torch

    by_255 = (torch.zeros(1, 1, 1), torch.full((1, 1, 1), 255.0))
    monkeypatch.setattr("core.data.splits._statistics", lambda inputs, kind: by_255)
    options, accuracies = YARDSTICKS[name]
    accuracy = accuracy_on_test(tui, options)
    assert min(accuracies) - 0.01 <= accuracy <= max(accuracies) + 0.01
