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
from sklearn.datasets import make_multilabel_classification

from core.evaluation.predictions import Predictions
from core.inference.chosen import decision_of, label_decisions_of
from core.inference.stored import load_evaluation
from core.runs.folder import all_runs
from core.session.evaluation import decision_thresholds, trained_model

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


@pytest.mark.heavy
def test_labels_follow_the_thresholds_of_their_rules(tui: Tui) -> None:
    inputs, targets = make_multilabel_classification(300, 6, n_classes=3, random_state=0)
    names = ["red", "green", "never"]
    targets[:, 2] = 0
    np.savez("t.npz", x=inputs.astype(np.float32), y=targets, class_names=np.array(names))
    np.save("new.npy", inputs[:60].astype(np.float32))
    for seed in (0, 1):
        line = f"train --no-ui --data t.npz --epochs 2 --device cpu --threads 1 -q --set training.seed={seed}"
        assert tui(line).code == 0
    runs = sorted(all_runs(Path("runs")), key=lambda run: run.config().training.seed)
    name = runs[0].id
    told = json.loads(tui(f"threshold {name} --recall 1 --json").out)
    assert told["notes"] == ["never keeps its threshold: no sample has this label"]
    assert {*told["labels"]} == {"red", "green"}
    rows = told["validation"]["labels"]["after"]
    assert [row["recall"] for row in rows] == [1, 1, None]
    usual = [row["threshold"] for row in told["validation"]["labels"]["before"]]
    tui(f"threshold {name} --costs 9,1 --label green")
    shown = tui(f"threshold {name}").out
    assert "recall of 1 or more" in shown
    assert "9 a false positive" in shown
    report = json.loads(tui(f"evaluate {name} --json").out)
    limits = [row["threshold"] for row in report["per_class"]]
    assert limits[0] == told["labels"]["red"]["threshold"]
    assert limits[1] not in (usual[1], told["labels"]["green"]["threshold"])
    assert limits[2] == usual[2]
    assert "several rules" in report["decision"]
    assert called_by(limits, tui(f"predict {name} new.npy").out)

    other = [row["threshold"] for row in load_evaluation(runs[1], "test").report.per_class]
    told = json.loads(tui(f"evaluate {name} {runs[1].id} --together --json").out)
    together = next(run for run in all_runs(Path("runs")) if run.id == told["run"])
    mean = [(one + two) / 2 for one, two in zip(limits, other, strict=True)]
    assert [row["threshold"] for row in told["per_class"]] == pytest.approx(mean)
    thresholds, _ = decision_thresholds(trained_model(together), together)
    assert thresholds == pytest.approx(mean)
    assert called_by(mean, tui(f"predict {together.id} new.npy").out)
    told = json.loads(tui(f"threshold {together.id} --costs 1,5 --label red --json").out)
    own = [told["labels"]["red"]["threshold"], *mean[1:]]
    assert own[0] != pytest.approx(mean[0])
    assert called_by(own, tui(f"predict {together.id} new.npy").out)
    told = json.loads(tui(f"evaluate {name} {runs[1].id} --together --json").out)
    assert [row["threshold"] for row in told["per_class"]] == pytest.approx(own)

    assert "no label 'blue'" in tui(f"threshold {name} --undo --label blue").err
    assert tui(f"threshold {name} --undo --label green").code == 0
    assert {*label_decisions_of(runs[0])} == {"red"}
    assert "again" in tui(f"threshold {name} --undo").out
    report = json.loads(tui(f"evaluate {name} --json").out)
    assert [row["threshold"] for row in report["per_class"]] == usual
    answer = tui(f"threshold {name} --precision 1 --label never")
    assert answer.code == 2
    assert "never: no sample has this label" in answer.err


def called_by(limits: list[float], out: str) -> bool:
    """Return whether each label is predicted where its score reaches its limit, of some rows at least."""
    rows = list(csv.DictReader(io.StringIO(out)))
    pairs = [
        (row[f"predicted_{name}"] == "1", float(row[f"score_{name}"]) >= limit)
        for row in rows
        for name, limit in zip(("red", "green", "never"), limits, strict=True)
    ]
    return len(pairs) > 100 and all(given == reached for given, reached in pairs)


@pytest.mark.slow
def test_rules_that_do_not_fit_are_refused(tui: Tui) -> None:
    tui("train --no-ui --data iris --epochs 1 --device cpu --threads 1 -q")
    for options, message in (
        ("--f1", "tells neither two classes nor labels apart"),
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
