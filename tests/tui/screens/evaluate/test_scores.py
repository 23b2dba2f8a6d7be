"""Scores of single samples: rounding makes no certainty of what is not certain."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from core.evaluation import Predictions
from tui.screens.evaluate.facts import caption, score_bars
from tui.screens.evaluate.labels import facts as label_facts
from tui.screens.evaluate.tab import Subject


def made_up(scores: list[float], target: int | list[int]) -> Subject:
    """Return one sample with these scores of classes or labels."""
    predictions = Predictions(
        scores=np.array([scores], dtype=np.float32),
        targets=np.array([target], dtype=np.int64 if isinstance(target, int) else np.uint8),
        indices=np.array([0]),
        probabilities=True,
    )
    return cast(Subject, SimpleNamespace(predictions=predictions, class_names=["a", "b", "c"][: len(scores)]))


def test_what_is_nearly_certain_is_not_shown_as_certain() -> None:
    subject = made_up([0.99996, 0.00004, 0.0], 1)
    assert caption(subject, 0, 20) == "b→a 0.99"
    assert [line.split()[-1] for line in score_bars(subject, 0, 40).plain.splitlines()] == [
        "0.999",
        "4e-5",
        "0.000",
    ]


def test_what_is_certain_is_shown_as_certain() -> None:
    assert caption(made_up([1.0, 0.0], 0), 0, 20) == "a 1.00"


def test_a_label_that_nearly_holds_is_not_shown_as_certain() -> None:
    shown = label_facts.score_bars(made_up([0.99996, 0.2], [1, 0]), 0, 40).plain.splitlines()
    assert shown[0].endswith("0.999 of 0.500")
