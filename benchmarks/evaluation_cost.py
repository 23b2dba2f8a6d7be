"""Cost of a full evaluation, beside scikit-learn's own functions called one by one.

    python -m benchmarks.evaluation_cost [--quick] [--json FILE]

Both sides get the same float32 probabilities (rows, 10) in the same process, in turns; medians of processor time are
compared. The report has an interval of every metric but the calibration error, and of five of each class. The second
table measures fresh processes: seconds, and peak memory beyond the predictions, by their size. "Certain" predictions
hold probabilities that were rounded to 1; they are ranked by their log-odds in float64.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn import metrics as reference

from benchmarks.harness import peak
from core.evaluation import Predictions, Report
from core.tasks.evaluation import evaluate

CLASSES = 10
REPEATS = 5
BUDGET, MEMORY_BUDGET, CERTAIN_BUDGET = 0.1, 1.5, 4.0
"""Largest ratio to scikit-learn with intervals; largest memory added, as a multiple of the predictions."""


def made_up(rows: int, *, certain: bool = False) -> Predictions:
    """Float32 probabilities of a model that is right half of the time, or of one that is certain of some samples."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, CLASSES, rows)
    scores = rng.standard_normal((rows, CLASSES), dtype=np.float32)
    for start in range(0, rows, 100_000):
        block, true = scores[start : start + 100_000], targets[start : start + 100_000]
        block[np.arange(len(block)), true] += 1.5
        np.exp(block, out=block)
        block /= block.sum(axis=1, keepdims=True)
        if certain:
            block[::7] = np.eye(CLASSES)[block[::7].argmax(axis=1)]
    return Predictions(scores, targets, np.arange(rows), probabilities=True)


def ours(predictions: Predictions, intervals: bool) -> Report:
    """The whole report, from predictions that have not been looked at."""
    fresh = Predictions(
        predictions.scores, predictions.targets, predictions.indices, predictions.probabilities
    )
    names = [str(label) for label in range(CLASSES)]
    return evaluate(fresh, task="multiclass", class_names=names, split="test", intervals=intervals)


def scikit_learn(predictions: Predictions) -> dict[str, float]:
    """The metrics of the report that scikit-learn has, each by its own function and none twice."""
    scores, true = predictions.scores, predictions.targets
    labels = np.arange(CLASSES)
    predicted = scores.argmax(axis=1)
    one_hot = true[:, None] == labels
    values = {
        "accuracy": reference.accuracy_score(true, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(true, predicted),
        "mcc": reference.matthews_corrcoef(true, predicted),
        "cohen_kappa": reference.cohen_kappa_score(true, predicted),
        "log_loss": reference.log_loss(true, scores, labels=labels),
        "top_5_accuracy": reference.top_k_accuracy_score(true, scores, k=5, labels=labels),
        "roc_auc_macro": np.mean(reference.roc_auc_score(one_hot, scores, average=None)),
        "roc_auc_micro": reference.roc_auc_score(one_hot, scores, average="micro"),
        "average_precision_macro": np.mean(reference.average_precision_score(one_hot, scores, average=None)),
        "average_precision_micro": reference.average_precision_score(one_hot, scores, average="micro"),
    }
    for average in ("macro", "micro", "weighted"):
        three = reference.precision_recall_fscore_support(true, predicted, average=average)[:3]
        for name, value in zip(("precision", "recall", "f1"), three, strict=True):
            values[f"{name}_{average}"] = value
    reference.precision_recall_fscore_support(true, predicted, labels=labels)
    reference.confusion_matrix(true, predicted, labels=labels)
    return {name: float(value) for name, value in values.items()}


def seconds(function: Callable[[], object]) -> float:
    """Seconds of processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def compare(rows: int, repeats: int) -> dict[str, float]:
    """Median seconds of each side, taken in turns, their ratios, and the largest difference of a value."""
    predictions = made_up(rows)
    report, values = ours(predictions, intervals=True), scikit_learn(predictions)
    assert {*report.intervals} == {*report.metrics} - {"ece"}, "an interval is missing"
    assert all(len(row) == 5 for row in report.class_intervals), "an interval of a class is missing"
    # scikit-learn takes logarithms of float32 as float32: that one value differs by more.
    differences = {name: abs(report.metrics[name] - value) for name, value in values.items()}
    log_loss = differences.pop("log_loss")
    times: dict[str, list[float]] = {"scikit_learn": [], "report": [], "report_with_intervals": []}
    for _ in range(repeats):
        times["scikit_learn"].append(seconds(lambda: scikit_learn(predictions)))
        times["report"].append(seconds(lambda: ours(predictions, intervals=False)))
        times["report_with_intervals"].append(seconds(lambda: ours(predictions, intervals=True)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        **{f"{name}_seconds": value for name, value in medians.items()},
        "ratio": medians["report"] / medians["scikit_learn"],
        "ratio_with_intervals": medians["report_with_intervals"] / medians["scikit_learn"],
        "largest_difference": max(differences.values()),
        "log_loss_difference": log_loss,
    }


def measure(rows: int, certain: bool) -> dict[str, float]:
    """Seconds of one evaluation with intervals, and MiB of this process at its peak beyond those before it."""
    predictions = made_up(rows, certain=certain)
    ours(predictions.rows(np.arange(1000)), intervals=True)  # imports
    before = peak()
    took = seconds(lambda: ours(predictions, intervals=True))
    added = peak() - before
    held = (predictions.scores.nbytes + predictions.targets.nbytes + predictions.indices.nbytes) / 2**20
    return {"rows": rows, "certain": certain, "seconds": took, "predictions_mib": held, "added_mib": added}


def measure_afresh(rows: int, certain: bool) -> dict[str, float]:
    """``measure`` in a process of its own, so that no memory is warm."""
    command = [sys.executable, "-m", "benchmarks.evaluation_cost", "--measure", str(rows)]
    command += ["--certain"] * certain
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Print both tables; write them to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tenth of the rows, fewer repeats, no budgets",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    parser.add_argument("--measure", type=int, metavar="ROWS", help=argparse.SUPPRESS)
    parser.add_argument("--certain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.certain)))
        return
    scale = 10 if options.quick else 1
    rows = 1_000_000 // scale
    compared = compare(rows, 3 if options.quick else REPEATS)
    print(f"full evaluation of {rows:,} x {CLASSES}, medians of processor time")
    print(f"  scikit-learn one by one   {compared['scikit_learn_seconds']:7.3f} s   1.00")
    print(f"  report                    {compared['report_seconds']:7.3f} s   {compared['ratio']:.2f}")
    budget = "" if options.quick else f"   budget {BUDGET:.2f}"
    print(
        f"  report with intervals     {compared['report_with_intervals_seconds']:7.3f} s   "
        f"{compared['ratio_with_intervals']:.3f}{budget}"
    )
    print(f"  largest difference of a metric {compared['largest_difference']:.1e}")
    print(f"  of log loss (float32 there) {compared['log_loss_difference']:.1e}")
    print("       rows  certain   seconds   predictions MiB   added MiB at the peak   ratio   budget")
    growth = []
    for size, certain in ((rows, False), (10_000_000 // scale, False), (10_000_000 // scale, True)):
        found = measure_afresh(size, certain)
        growth.append(found)
        ratio = found["added_mib"] / found["predictions_mib"]
        allowed = "" if options.quick else f"{CERTAIN_BUDGET if certain else MEMORY_BUDGET:9.2f}"
        print(
            f"{size:>11,} {'yes' if certain else 'no':>8} {found['seconds']:9.3f} {found['predictions_mib']:17.0f} "
            f"{found['added_mib']:23.0f} {ratio:7.2f}{allowed}"
        )
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "compared": compared, "growth": growth}, indent=2))


if __name__ == "__main__":
    main()
