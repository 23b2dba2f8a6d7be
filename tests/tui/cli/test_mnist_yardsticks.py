"""The accuracies that a plain PyTorch loop reaches on MNIST, through the command line.

The yardsticks train on all 60,000 images, divide bytes by 255, and take the last epoch; so nothing is held out
here, and pixels are scaled to the unit range. (Standardised, as by default, slow optimizers get farther.)
"""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import REPOSITORY

ROOT = Path(os.environ.get("TUI_TEST_DATA") or REPOSITORY / ".." / "shared" / "data").resolve()
FILES = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]

YARDSTICKS = {
    "sgd": ("--optimizer sgd --lr 0.01", (0.903, 0.902)),
    "momentum": ("--optimizer momentum --lr 0.01", (0.959, 0.954)),
    "adagrad": ("--optimizer adagrad --lr 0.01", (0.952, 0.947)),
    "adam": ("--optimizer adam --lr 0.001", (0.966, 0.966)),
    "hinge": ("--optimizer momentum --lr 0.01 --loss hinge", (0.935, 0.935)),
    "mse": ("--optimizer momentum --lr 0.01 --loss mse", (0.931, 0.927)),
}
"""Options, and test accuracies of two seeds after three epochs."""


pytestmark = [
    pytest.mark.heavy,
    pytest.mark.mnist,
    pytest.mark.skipif(
        not all((ROOT / "MNIST" / "raw" / name).is_file() for name in FILES),
        reason=f"no MNIST files in {ROOT}; TUI_TEST_DATA says where they are",
    ),
]


def accuracy_on_test(tui: Callable[..., Any], options: str) -> float:
    """Return what three epochs of the command line say of the test split."""
    answer = tui(
        f"train --no-ui --data mnist --data-root {shlex.quote(str(ROOT))} --val 0 --json "
        f"--epochs 3 --batch-size 64 --threads 1 --device cpu {options}"
    )
    assert (answer.code, answer.err) == (0, "")
    told = [json.loads(line) for line in answer.out.splitlines()]
    assert told[0]["samples"] == {"train": 60_000, "validation": 0, "test": 10_000}
    assert told[0]["parameters"] == 79_510
    return float(
        next(event["metrics"]["accuracy"] for event in told if event["event"] == "evaluation_finished")
    )


@pytest.mark.parametrize("name", YARDSTICKS)
def test_as_good_as_a_plain_loop(name: str, tui: Callable[..., Any]) -> None:
    options, accuracies = YARDSTICKS[name]
    accuracy = accuracy_on_test(tui, f"{options} --set data.scaling=unit")
    assert min(accuracies) - 0.01 <= accuracy <= max(accuracies) + 0.01
