"""Evaluations of few samples, ties, one class, weights of zero and numbers at the ends of the range."""

import dataclasses
import json
import math
from collections.abc import Iterator

import numpy as np
import pytest

from core.evaluation.curve_sets import CurveKind, curves_of
from core.evaluation.paired.differences import paired_differences
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.two_classes.bands import band_of
from core.evaluation.two_classes.numbers import two_class_numbers
from core.evaluation.values import Undefined
from core.tasks.evaluation import evaluate

KINDS: tuple[CurveKind, ...] = ("roc", "pr")


def given(
    scores: np.ndarray, targets: np.ndarray, *, probabilities: bool = True, **more: np.ndarray
) -> Predictions:
    return Predictions(scores, targets, np.arange(len(targets)), probabilities, **more)


def two(second: np.ndarray) -> np.ndarray:
    return np.stack([1 - second, second], axis=1)


def small() -> Iterator[tuple[str, str, Predictions]]:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 5, 20):
        scores = rng.random((n, 4))
        yield f"binary {n}", "binary", given(two(rng.random(n)), rng.integers(0, 2, n))
        yield (
            f"classes {n}",
            "multiclass",
            given(scores / scores.sum(axis=1, keepdims=True), rng.integers(0, 4, n)),
        )
        yield f"labels {n}", "multilabel", given(scores, (rng.random((n, 4)) < 0.4).astype(np.uint8))
        yield f"numbers {n}", "regression", given(rng.normal(size=n), rng.normal(size=n), probabilities=False)


def strange() -> Iterator[tuple[str, str, Predictions]]:
    rng = np.random.default_rng(1)
    alternating = np.arange(40) % 2
    any_scores = two(rng.random(40))
    certain = two(alternating * 1.0)
    yield "equal scores", "binary", given(two(np.full(40, 0.5)), alternating)
    yield "one class", "binary", given(any_scores, np.zeros(40, dtype=np.int64))
    yield "the positive class alone", "binary", given(any_scores, np.ones(40, dtype=np.int64))
    yield "certain and right", "binary", given(certain, alternating)
    yield "certain and wrong", "binary", given(certain, 1 - alternating)
    rounded = two(np.array([1e-38, 1e-30, 1 - 1e-7, 0.5] * 10)).astype(np.float32)
    yield "rounded to 1", "binary", given(rounded, alternating)
    margins = np.array([[0, 3e38], [3e38, 0], [-3e38, 3e38], [1, 2]] * 10)
    for dtype in (np.float32, np.float64):
        yield f"margins {dtype}", "binary", given(margins.astype(dtype), alternating, probabilities=False)
    for name, weights in {
        "some zero": (np.arange(40) % 3 > 0) * 1.0,
        "zero for a class": alternating * 1.0,
        "one sample": np.eye(40)[0],
        "tiny": np.full(40, 1e-300),
        "huge": np.full(40, 1e300),
    }.items():
        yield f"weights {name}", "binary", given(any_scores, alternating, weights=weights)
    many = two(rng.random(120))
    tenth, first = (np.arange(120) // 10) % 2, (np.arange(120) < 10).astype(np.int64)
    groups = np.arange(120) // 10
    yield "groups of one class", "binary", given(many, tenth, groups=groups)
    yield "positives of one group", "binary", given(many, first, groups=groups)
    yield (
        "groups and weights",
        "binary",
        given(many, np.arange(120) % 2, groups=groups, weights=rng.random(120)),
    )
    yield "uneven groups", "binary", given(many, np.arange(120) % 2, groups=np.minimum(np.arange(120), 11))
    yield "one group", "binary", given(any_scores, alternating, groups=np.zeros(40, dtype=np.int64))
    numbers, others = rng.normal(size=(2, 50))
    for scale in (1e-300, 1e-30, 1e30, 1e300):
        yield f"numbers {scale}", "regression", given(scale * numbers, scale * others, probabilities=False)
    yield "equal targets", "regression", given(numbers, np.full(50, 7.0), probabilities=False)
    yield "no error", "regression", given(numbers, numbers, probabilities=False)
    yield "an offset", "regression", given(1e15 + numbers, 1e15 + others, probabilities=False)
    scores = rng.random((200, 300))
    seldom = given(scores / scores.sum(axis=1, keepdims=True), rng.integers(0, 5, 200))
    yield "classes that do not occur", "multiclass", seldom
    for name, labels in (("no", np.zeros((40, 3))), ("every", np.ones((40, 3)))):
        yield f"{name} label", "multilabel", given(rng.random((40, 3)), labels.astype(np.uint8))


CASES = [*small(), *strange()]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("task", "predictions"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_number_has_a_value_or_a_reason_and_lies_within_its_interval(
    task: str, predictions: Predictions
) -> None:
    columns = predictions.scores.shape[1] if predictions.scores.ndim > 1 else 0
    names = [f"c{number}" for number in range(columns)]
    report = evaluate(predictions, task=task, class_names=names, split="test")
    for name, value in report.metrics.items():
        assert value is not None or report.undefined[name], name
        if value is None:
            continue
        assert math.isfinite(value), name
        ends = report.intervals.get(name)
        if ends is None:
            assert report.no_interval[name], name
            continue
        assert ends[0] - 1e-9 * abs(value) <= value <= ends[1] + 1e-9 * abs(value), name
    for row, intervals in zip(report.per_class, report.class_intervals, strict=False):
        for name, ends in intervals.items():
            assert ends[0] - 1e-9 <= float(row[name] or 0) <= ends[1] + 1e-9, (row["name"], name)
    json.dumps(report.to_dict(), allow_nan=False)
    assert Report.from_dict(report.to_dict()) == report
    for curve, kind in (
        zip(curves_of(predictions, report)[-2:], KINDS, strict=True) if 1 < columns < 10 else []
    ):
        band = band_of(curve, kind)
        assert band.reason if isinstance(band, Undefined) else (band.low <= band.high + 1e-9).all()
    if report.positive:
        for number in two_class_numbers(predictions):
            assert number.reason or number.interval is not None, number.key


PAIRED = [
    case for case in CASES if case[0].startswith(("binary 1", "one", "certain", "no error", "numbers 1e+300"))
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("task", "predictions"), [case[1:] for case in PAIRED], ids=[case[0] for case in PAIRED]
)
def test_every_difference_lies_within_its_interval(task: str, predictions: Predictions) -> None:
    names = (
        [f"c{number}" for number in range(predictions.scores.shape[1])] if predictions.scores.ndim > 1 else []
    )
    other = dataclasses.replace(predictions, scores=predictions.scores[::-1].copy())
    reports = [
        evaluate(each, task=task, class_names=names, split="test", intervals=False).metrics
        for each in (predictions, other)
    ]
    values = {
        name: first - second
        for name, first in reports[0].items()
        if first is not None and (second := reports[1][name]) is not None
    }
    for model, wanted in ((other, values), (predictions, dict.fromkeys(values, 0.0))):
        for name, found in paired_differences(predictions, model, wanted, 3).items():
            low, high = found.interval
            rounding = 1e-9 * max(1, abs(found.value))
            assert low - rounding <= found.value <= high + rounding, name
            assert 0 <= found.p <= 1, name
