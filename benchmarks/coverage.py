"""Coverage of the 95 % intervals by simulation, and how often equal runs are told apart.

    python -m benchmarks.coverage [--quick] [--task TASK] [--json FILE]

Scores are binormal and calibrated, so that the true value of every metric is that of a very large sample. The first
table has of each metric the share of intervals that hold the true value, in per cent, and the median width; where there
is a reason in place of an interval, it does not count (`given` in the JSON file is how often there is an interval). The
second table has the same of differences between two models on the same samples, the third the share of comparisons of
eight equally good runs in which any run is called worse than the leader.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.paired_coverage import coverage_of_pairs, pairs
from core.evaluation import Predictions
from core.evaluation.paired import paired_differences
from core.metrics import lower_is_better
from core.tasks.evaluation import evaluate

DRAWS, QUICK_DRAWS = 400, 20
COMPARISONS, QUICK_COMPARISONS = 1000, 20
TRUE_SAMPLES, TRUE_ERRORS = 400_000, 4_000_000
SHOWN = {
    "binary": ("accuracy", "f1_macro", "mcc", "roc_auc", "average_precision", "log_loss", "brier"),
    "multiclass": ("accuracy", "f1_macro", "mcc", "roc_auc_macro", "average_precision_macro", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
}
STRENGTHS = {"AUC .80": 1.19, "AUC .95": 2.326, "AUC .999": 4.37}
RUNS = 8
COMPARED = ("accuracy", "f1_macro", "roc_auc", "average_precision", "log_loss")
SETTINGS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("n=100", 100, {}),
    ("n=1000", 1000, {}),
    ("n=240 in 24 groups", 240, {"clusters": 24}),
    ("n=200 with weights", 200, {"weighted": True}),
)

Draw = Callable[[np.random.Generator, int], Predictions]


def binary(rng: np.random.Generator, n: int, share: float, strength: float) -> Predictions:
    """Probabilities of a calibrated model; `share` of the samples are positive."""
    positives = max(1, round(n * share))
    targets = np.r_[np.ones(positives, dtype=np.int64), np.zeros(n - positives, dtype=np.int64)]
    x = rng.normal(size=n) + strength * targets
    odds = np.log(share / (1 - share)) + strength * x - strength**2 / 2
    second = (1 / (1 + np.exp(-odds))).clip(1e-12, 1 - 1e-12)
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(n), True)


def multiclass(rng: np.random.Generator, n: int, strength: float) -> Predictions:
    """Probabilities of a calibrated model of four classes of equal size."""
    targets = np.arange(n) % 4
    x = strength * rng.normal(size=(n, 4))
    x[np.arange(n), targets] += strength**2
    odds = np.exp(x - x.max(axis=1, keepdims=True))
    return Predictions(odds / odds.sum(axis=1, keepdims=True), targets, np.arange(n), True)


def contaminated(rng: np.random.Generator, n: int) -> np.ndarray:
    """Normal errors, of which one of a hundred is ten times as large."""
    return rng.normal(size=n) * np.where(rng.random(n) < 0.01, 10, 1) / np.sqrt(0.99 + 0.01 * 100)


ERRORS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal errors": lambda rng, n: rng.normal(size=n),
    "uniform errors": lambda rng, n: rng.uniform(-(3**0.5), 3**0.5, n),
    "Laplace errors": lambda rng, n: rng.laplace(size=n) / 2**0.5,
    "t errors, 5 degrees": lambda rng, n: rng.standard_t(5, n) / (5 / 3) ** 0.5,
    "t errors, 3 degrees": lambda rng, n: rng.standard_t(3, n) / 3**0.5,
    "log-normal errors": lambda rng, n: (rng.lognormal(size=n) - np.e**0.5) / (np.e**2 - np.e) ** 0.5,
    "one of 100 errors tenfold": contaminated,
}
"""Errors with the mean 0 and the variance 1."""


def regression(
    rng: np.random.Generator, n: int, errors: Callable[[np.random.Generator, int], np.ndarray]
) -> Predictions:
    """Predictions that explain half of the variance."""
    signal = rng.normal(size=n)
    return Predictions(signal, signal + errors(rng, n), np.arange(n), False)


def grouped(rng: np.random.Generator, n: int, regressed: bool) -> Predictions:
    """Predictions of groups of ten samples each, whose errors go together."""
    groups = np.repeat(np.arange(n // 10), 10)
    common = rng.normal(size=n // 10)[groups]
    if regressed:
        signal = rng.normal(size=n)
        error = 0.7 * common + 0.7 * rng.normal(size=n)
        return Predictions(signal, signal + error, np.arange(n), False, groups=groups)
    targets = rng.integers(0, 2, n)
    x = rng.normal(size=n) + 1.5 * targets + 0.8 * common * (2 * targets - 1)
    second = 1 / (1 + np.exp(-(1.5 * x - 1.1)))
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(n), True, groups=groups)


def scenarios() -> dict[str, tuple[str, int, Draw]]:
    """By name: the task, the samples, and what draws them."""
    found: dict[str, tuple[str, int, Draw]] = {}
    for n in (20, 50, 100, 1000):
        for ratio, share in (("1:1", 1 / 2), ("1:50", 1 / 51)):
            for name, strength in STRENGTHS.items():
                found[f"n={n}, {ratio}, {name}"] = (
                    "binary",
                    n,
                    lambda rng, n, share=share, strength=strength: binary(rng, n, share, strength),
                )
        for name, strength in (("moderate", 1.5), ("near-perfect", 4.5)):
            found[f"n={n}, 4 classes, {name}"] = (
                "multiclass",
                n,
                lambda rng, n, strength=strength: multiclass(rng, n, strength),
            )
    for n in (20, 50, 100, 200, 1000):
        for name, errors in ERRORS.items():
            found[f"n={n}, {name}"] = (
                "regression",
                n,
                lambda rng, n, errors=errors: regression(rng, n, errors),
            )
    for groups in (12, 30, 100):
        for task, regressed in (("binary", False), ("regression", True)):
            found[f"{groups} groups of 10, {task}"] = (
                task,
                10 * groups,
                lambda rng, n, regressed=regressed: grouped(rng, n, regressed),
            )
    return found


def report_of(
    predictions: Predictions, task: str, intervals: bool = True
) -> tuple[dict[str, float], Mapping[str, list[float]]]:
    """The metrics that are defined, and the intervals."""
    classes = [str(label) for label in range(predictions.scores.shape[1])] if task != "regression" else []
    report = evaluate(predictions, task=task, class_names=classes, split="test", intervals=intervals)
    return {name: value for name, value in report.metrics.items() if value is not None}, report.intervals


def coverage(task: str, n: int, draw: Draw, draws: int, seed: int) -> dict[str, dict[str, float]]:
    """Of each metric: the share of intervals that hold the true value, the median width, and how many there were."""
    rng = np.random.default_rng(seed)
    many = TRUE_ERRORS if task == "regression" else TRUE_SAMPLES
    true, _ = report_of(draw(rng, many), task, intervals=False)
    held: dict[str, list[bool]] = {name: [] for name in SHOWN[task]}
    widths: dict[str, list[float]] = {name: [] for name in SHOWN[task]}
    for _ in range(draws):
        _, intervals = report_of(draw(rng, n), task)
        for name in SHOWN[task]:
            if name in intervals:
                low, high = intervals[name]
                held[name].append(low <= true[name] <= high)
                widths[name].append(high - low)
    return {
        name: {
            "covers": float(np.mean(held[name])),
            "width": float(np.median(widths[name])),
            "given": len(held[name]) / draws,
        }
        for name in SHOWN[task]
        if held[name]
    }


def told_apart(
    n: int, repeats: int, seed: int, *, clusters: int = 0, weighted: bool = False
) -> dict[str, float]:
    """How often any of eight equally good runs is called worse than the leader, by metric.

    Args:
        clusters: groups of samples in which half of a run's errors go together; 0 for independent samples.
        weighted: samples have log-normal weights.
    """
    rng = np.random.default_rng(seed)
    worse = dict.fromkeys(COMPARED, 0)
    for _ in range(repeats):
        state = int(rng.integers(2**31))
        targets = np.arange(n) % 2
        hard = np.random.default_rng(state).normal(size=n)
        groups = np.sort(rng.integers(0, clusters, n)) if clusters else None
        weights = rng.lognormal(size=n) if weighted else None
        runs = [
            replace(_equal(rng, targets, hard, groups), groups=groups, weights=weights) for _ in range(RUNS)
        ]
        values = [report_of(run, "binary", intervals=False)[0] for run in runs]
        for metric in COMPARED:
            sign = -1 if lower_is_better(metric) else 1
            best = max(range(RUNS), key=lambda place: sign * values[place][metric])
            pairs = RUNS * (RUNS - 1) // 2
            worse[metric] += any(
                paired_differences(
                    runs[best], runs[place], {metric: values[best][metric] - values[place][metric]}, pairs
                )[metric].is_clear
                for place in range(RUNS)
                if place != best
            )
    return {metric: count / repeats for metric, count in worse.items()}


def _equal(
    rng: np.random.Generator, targets: np.ndarray, hard: np.ndarray, groups: np.ndarray | None = None
) -> Predictions:
    """A run whose errors have the correlation 0.5 with those of the others."""
    own = rng.normal(size=len(targets))
    if groups is not None:
        own = np.sqrt(0.5) * (own + rng.normal(size=groups.max() + 1)[groups])
    x = 1.3 * (2 * targets - 1) + np.sqrt(0.5) * (hard + own)
    second = 1 / (1 + np.exp(-2.6 * x))
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(len(targets)), True)


def _show(name: str, found: Mapping[str, Mapping[str, float]]) -> None:
    shown = "  ".join(
        f"{metric} {100 * row['covers']:.0f} ({row['width']:.3f})" for metric, row in found.items()
    )
    print(f"{name:28} {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage")
    parser.add_argument("--quick", action="store_true", help="few draws")
    parser.add_argument("--task", choices=SHOWN, help="only scenarios of this task, and no comparisons")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here")
    options = parser.parse_args()
    draws = QUICK_DRAWS if options.quick else DRAWS
    numbers: dict[str, object] = {}
    for place, (name, (task, n, draw)) in enumerate(scenarios().items()):
        if options.task not in (None, task):
            continue
        numbers[name] = found = coverage(task, n, draw, draws, place)
        _show(name, found)
    for place, (name, task, n, draw_pair) in enumerate(pairs()):
        if options.task in (None, task):
            numbers[f"difference, {name}"] = found = coverage_of_pairs(task, n, draw_pair, draws, place)
            _show(f"difference, {name}", found)
    repeats = QUICK_COMPARISONS if options.quick else COMPARISONS
    for name, n, options_of in SETTINGS if options.task is None else ():
        numbers[f"{RUNS} equal runs, {name}"] = apart = told_apart(n, repeats, n, **options_of)
        shown = "  ".join(f"{metric} {100 * share:.1f}" for metric, share in apart.items())
        print(f"{RUNS} equal runs, {name}: any called worse, % of {repeats}: {shown}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(numbers))


if __name__ == "__main__":
    main()
