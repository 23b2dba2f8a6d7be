"""`tui threshold`: chosen on validation, kept with the run, used by evaluate, predict and export, and taken back."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.evaluation.predictions import Predictions
from core.inference.chosen import decision_of
from core.runs.folder import all_runs

Tui = Callable[..., Any]


def stored(split: str) -> Predictions:
    (run,) = all_runs(Path("runs"))
    return Predictions.load(run.evaluation_folder(split) / "predictions.npz")


def classes(text: str) -> list[str]:
    return [row["class"] for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.heavy
def test_every_answer_follows_the_threshold(tui: Tui) -> None:
    tui("train --no-ui --data moons --epochs 2 --device cpu --threads 1 -q")
    scores, targets = stored("validation").scores[:, 1], stored("validation").targets
    told = json.loads(tui("threshold latest --recall 1 --json").out)
    threshold = told["threshold"]
    assert told["rule"] == "recall of 1 or more"
    lowest = scores[targets == 1].min()
    assert scores[scores < lowest].max() < threshold < lowest
    assert told["validation"]["recall"]["after"] == 1
    called = scores >= threshold
    assert told["validation"]["confusion"]["after"][0][1] == np.count_nonzero(called & (targets == 0))
    report = json.loads(tui("evaluate latest --csv test.csv --json").out)
    assert report["threshold"] == threshold
    assert "recall of 1 or more" in report["decision"]
    test = stored("test")
    np.testing.assert_array_equal(test.predicted, test.scores[:, 1] >= threshold)
    rows = list(csv.DictReader(io.StringIO(Path("test.csv").read_text())))
    assert [row["predicted"] == report["positive"] for row in rows] == test.predicted.astype(bool).tolist()
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    np.save("new.npy", points)
    answers = classes(tui("predict latest new.npy").out)
    assert tui("export latest --to pt2 -o exported").code == 0
    command = [sys.executable, "exported/predict.py", "new.npy"]
    exported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert classes(exported) == answers
    (run,) = all_runs(Path("runs"))
    tui("calibrate latest")
    decision = decision_of(run)
    assert decision is not None
    assert decision.threshold != threshold
    assert classes(tui("predict latest new.npy").out) == answers
    assert f"{decision.threshold:.4g}" in tui("threshold latest").out
    assert "predicted again" in tui("threshold latest --undo").out
    assert classes(tui("predict latest new.npy").out) != answers
    assert "has no threshold" in tui("threshold latest --undo").out
    assert json.loads(tui("evaluate latest --json").out)["threshold"] is None


def test_rules_that_do_not_fit_are_refused(tui: Tui) -> None:
    tui("train --no-ui --data iris --epochs 1 --device cpu --threads 1 -q")
    for options, message in (
        ("--f1", "does not tell two classes apart"),
        ("--f1 --recall 0.5", "by one rule"),
        ("--recall 1.5", "outside 0 to 1"),
        ("--costs 1", "two numbers"),
        ("--costs -1,2", "neither may be negative"),
        ("--undo --f1", "--undo takes no threshold"),
    ):
        answer = tui(f"threshold latest {options}")
        assert answer.code == 2
        assert message in answer.err
    assert "scores highest" in tui("threshold latest").out
