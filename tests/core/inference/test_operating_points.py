"""Thresholds and curves for other programs."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.inference.operating_points import operating_points, write_operating_points
from core.inference.stored import load_evaluation

if TYPE_CHECKING:
    from tests.conftest import Trained


def test_each_point_is_what_its_threshold_gives(train_run: Callable[..., "Trained"], tmp_path: Path) -> None:
    evaluation = load_evaluation(train_run({"data": "moons", "training": {"epochs": 1}}).run, "test")
    assert evaluation.report.positive == "lower"
    assert evaluation.report.title_of("recall") == "recall of lower"
    points = [point for point in operating_points(evaluation) if point["curve"] == "lower"]
    assert points[0]["threshold"] is None
    scores, is_lower = evaluation.predictions.scores[:, 1], evaluation.predictions.targets == 1
    for point in points[1:]:
        found = scores >= point["threshold"]
        assert point["tp"] == np.count_nonzero(found & is_lower)
        assert point["fp"] == np.count_nonzero(found & ~is_lower)
    beside = write_operating_points(evaluation, tmp_path / "answers.csv")
    assert beside.name == "answers.thresholds.csv"
    with beside.open() as file:
        assert len(list(csv.DictReader(file))) == len(operating_points(evaluation))
