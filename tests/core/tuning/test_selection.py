"""On what the choice of the best trial rests."""

from pathlib import Path

import numpy as np
import pytest

from core.evaluation.predictions import Predictions
from core.tasks.evaluation import evaluate
from core.tuning.study.records import TrialRecord
from core.tuning.study.selection import selection
from tui.headless.study_report import selection_lines

N = 400


def trial(folder: Path, number: int, wrong: slice, samples: int = N) -> TrialRecord:
    """A completed trial whose network is wrong about some samples of two classes."""
    targets = np.arange(samples) % 2
    right = targets.copy()
    right[wrong] = 1 - right[wrong]
    scores = np.stack([1 - (0.2 + 0.6 * right), 0.2 + 0.6 * right], axis=1)
    predictions = Predictions(scores, targets, np.arange(samples), True)
    report = evaluate(predictions, task="binary", class_names=("no", "yes"), split="validation")
    evaluation = folder / str(number) / "evaluation" / "validation"
    evaluation.mkdir(parents=True)
    predictions.save(evaluation / "predictions.npz")
    report.save(evaluation / "report.json")
    return TrialRecord(number, "completed", {}, value=report.metrics["accuracy"], run=folder / str(number))


def test_trials_that_differ_by_chance_are_level_and_others_are_not(tmp_path: Path) -> None:
    best = trial(tmp_path, 5, slice(0, 20))
    ranked = [best, trial(tmp_path, 2, slice(100, 122)), trial(tmp_path, 7, slice(200, 300))]
    found = selection(ranked, "accuracy")
    assert found is not None
    assert (found.trial, found.trials, found.samples, found.metric) == (5, 3, N, "accuracy")
    assert found.value == 0.95
    assert found.interval == pytest.approx([0.9238, 0.9692], abs=1e-4)
    assert (found.level, found.unknown) == ((2,), 0)


def test_log_loss_stands_for_the_loss(tmp_path: Path) -> None:
    found = selection([trial(tmp_path, 0, slice(0, 20))], "loss")
    assert found is not None
    assert (found.metric, found.level) == ("log_loss", ())


def test_nothing_is_said_of_trials_without_an_evaluation(tmp_path: Path) -> None:
    assert selection([], "accuracy") is None
    assert selection([TrialRecord(0, "completed", {}, value=0.5, run=tmp_path / "none")], "accuracy") is None
    missing = TrialRecord(1, "completed", {}, value=0.9, run=tmp_path / "none")
    found = selection([trial(tmp_path, 0, slice(0, 20)), missing], "accuracy")
    assert found is not None
    assert (found.level, found.unknown) == ((), 1)
    assert "not known: how much worse the others are" in selection_lines(found)[1]


def test_too_few_samples_to_tell_are_not_a_clear_difference(tmp_path: Path) -> None:
    ranked = [trial(tmp_path, number, slice(0, 2), samples=6) for number in (0, 1)]
    found = selection(ranked, "loss")
    assert found is not None
    assert (found.metric, found.level, found.unknown) == ("log_loss", (), 1)
