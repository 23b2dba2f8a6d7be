"""`tui calibrate`: a temperature that is fitted on validation, kept, used everywhere, and taken back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.evaluation.predictions import Predictions
from core.runs.folder import all_runs

Tui = Callable[..., Any]


def stored(split: str) -> Predictions:
    (run,) = all_runs(Path("runs"))
    return Predictions.load(run.evaluation_folder(split) / "predictions.npz")


@pytest.mark.heavy
def test_probabilities_are_divided_by_the_temperature_everywhere(tui: Tui) -> None:
    tui(
        "train --no-ui --data breast_cancer --model mlp --epochs 60 --lr 0.5 --device cpu --threads 1 -q "
        "--set data.validation=0.4"
    )
    before, test = stored("validation"), stored("test")
    told = json.loads(tui("calibrate latest --json").out)
    log_loss = told["validation"]["log_loss"]
    assert log_loss["after"] < log_loss["before"]
    assert told["validation"]["accuracy"]["after"] == told["validation"]["accuracy"]["before"]
    logs = np.log(np.maximum(before.scores.astype(np.float64), 1e-38)) / told["temperature"]
    wanted = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(stored("validation").scores, wanted, atol=1e-5)
    tui("evaluate latest --json")
    assert np.array_equal(stored("test").predicted, test.predicted)
    assert not np.allclose(stored("test").scores, test.scores)
    np.save("new.npy", np.zeros((1, 30), dtype=np.float32))
    calibrated = tui("predict latest new.npy").out
    assert tui("export latest --to pt2 -o exported").code == 0
    assert "before" in tui("calibrate latest").out
    assert tui("predict latest new.npy").out == calibrated
    assert "are back" in tui("calibrate latest --undo").out
    assert tui("predict latest new.npy").out != calibrated
    tui("evaluate latest --json")
    np.testing.assert_array_equal(stored("test").scores, test.scores)
    assert "is not calibrated" in tui("calibrate latest --undo").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--data diabetes", "are not probabilities of one class"),
        ("--data iris --loss hinge", "are not probabilities of one class"),
    ],
)
def test_other_scores_are_refused(tui: Tui, options: str, message: str) -> None:
    tui(f"train --no-ui {options} --epochs 1 --device cpu --threads 1 -q")
    answer = tui("calibrate latest")
    assert answer.code == 2
    assert message in answer.err
