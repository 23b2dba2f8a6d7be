"""Verdicts on a network beside simple models, where samples have weights or come in few groups."""

from pathlib import Path

import numpy as np
import pytest

from core.evaluation.predictions import Predictions
from core.inference.baselines import (
    BOOSTING,
    Baseline,
    Baselines,
    as_dict,
    compared,
    not_better_than_boosting,
    save_baselines,
)
from core.inference.stored import Evaluation
from core.runs.folder import Run
from core.tasks.evaluation import evaluate


def predicted(right: int, weights: np.ndarray | None, groups: np.ndarray | None) -> Predictions:
    """Answers for 80 samples, the first ones of which are right."""
    targets = np.arange(80) % 2
    scores = np.where((np.arange(80) < right) == (targets == 1), 0.9, 0.1)
    return Predictions(
        np.stack([1 - scores, scores], axis=1),
        targets,
        np.arange(80),
        probabilities=True,
        weights=weights,
        groups=groups,
    )


def beside(
    folder: Path, network: int, boosting: int, *, weights: bool = False, groups: int = 0
) -> tuple[str, str]:
    """The verdict, and the line, on a network and on boosting with so many right answers of 80."""
    run = Run(folder)
    run.path.mkdir(exist_ok=True)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 80) if weights else None
    group = np.arange(80) % groups if groups else None
    mine, theirs = (predicted(right, weight, group) for right in (network, boosting))
    reports = [
        evaluate(each, task="binary", class_names=["no", "yes"], split="test", intervals=False)
        for each in (mine, theirs)
    ]
    model = Baseline(BOOSTING, "gradient boosting", "", 80, 0.0, {"test": reports[1]}, {"test": theirs})
    save_baselines(run, Baselines((model,)))
    evaluation = Evaluation(run, "test", mine, reports[0], 0)
    rows = compared(evaluation)
    return str(as_dict(rows[0])["verdict"]), not_better_than_boosting(evaluation, rows)


def test_weighted_samples_are_compared_as_those_of_two_runs_are(tmp_path: Path) -> None:
    assert beside(tmp_path / "better", 78, 40, weights=True) == ("network better", "")
    verdict, line = beside(tmp_path / "worse", 40, 78, weights=True)
    assert verdict == "network worse"
    assert line.startswith("the network is worse than gradient boosting on test: accuracy 0.")
    verdict, line = beside(tmp_path / "level", 70, 71, weights=True)
    assert (verdict, "not clearly better" in line) == ("not clearly different", True)


@pytest.mark.parametrize(
    ("network", "boosting", "line"),
    [
        (78, 40, ""),
        (
            40,
            78,
            "the network is not better than gradient boosting on test: accuracy 0.5000 against 0.9750, not tested",
        ),
    ],
)
def test_nothing_is_called_clear_or_not_without_a_test(
    network: int, boosting: int, line: str, tmp_path: Path
) -> None:
    assert beside(tmp_path / "few", network, boosting, groups=4) == ("not tested", line)
