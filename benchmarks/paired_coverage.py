"""Coverage of the 95 % intervals of differences between two models on the same samples, by simulation."""

from collections.abc import Callable, Iterator

import numpy as np

from core.evaluation import Predictions
from core.evaluation.paired import paired_differences
from core.tasks.evaluation import evaluate

TRUE_SAMPLES = 400_000
SHOWN = {
    "binary": ("accuracy", "f1_macro", "mcc", "roc_auc", "average_precision", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
}
STRENGTHS = (
    ("AUC .95, .95", (2.326, 2.326)),
    ("AUC .95, .999", (2.326, 4.37)),
    ("AUC .999, .999", (4.37, 4.37)),
)
ERRORS = (("normal", np.inf), ("t, 5 degrees", 5.0))

Pair = tuple[Predictions, Predictions]
Draw = Callable[[np.random.Generator, int], Pair]


def classified(
    rng: np.random.Generator, n: int, share: float, strengths: tuple[float, float], common: float
) -> Pair:
    """Probabilities of two calibrated models, of whose errors the share `common` is that of the samples."""
    positives = max(1, round(n * share))
    targets = np.r_[np.ones(positives, dtype=np.int64), np.zeros(n - positives, dtype=np.int64)]
    hard, found = rng.normal(size=n), []
    for strength in strengths:
        x = np.sqrt(common) * hard + np.sqrt(1 - common) * rng.normal(size=n) + strength * targets
        odds = np.log(share / (1 - share)) + strength * x - strength**2 / 2
        second = (1 / (1 + np.exp(-odds))).clip(1e-12, 1 - 1e-12)
        scores = np.stack([1 - second, second], axis=1)
        found.append(Predictions(scores, targets, np.arange(n), True))
    return found[0], found[1]


def regressed(rng: np.random.Generator, n: int, freedom: float, common: float) -> Pair:
    """Predictions of a normal target by two models with errors of Student's distribution, one a fifth larger."""

    def errors() -> np.ndarray:
        return rng.normal(size=n) if np.isinf(freedom) else rng.standard_t(freedom, n)

    targets, hard, found = 2 * rng.normal(size=n), errors(), []
    for size in (1.0, 1.2):
        error = size * (np.sqrt(common) * hard + np.sqrt(1 - common) * errors())
        found.append(Predictions(targets - error, targets, np.arange(n), False))
    return found[0], found[1]


def pairs() -> Iterator[tuple[str, str, int, Draw]]:
    """Yield the name, the task and the samples of each scenario, and what draws it."""
    for n in (20, 50, 100, 1000):
        for common in (0.5, 0.95):
            for ratio, share in (("1:1", 1 / 2), ("1:50", 1 / 51)):
                for name, strengths in STRENGTHS:
                    yield (
                        f"n={n}, {ratio}, {name}, {common:.0%} common",
                        "binary",
                        n,
                        lambda rng, n, share=share, strengths=strengths, common=common: classified(
                            rng, n, share, strengths, common
                        ),
                    )
            for name, freedom in ERRORS:
                yield (
                    f"n={n}, {name} errors, {common:.0%} common",
                    "regression",
                    n,
                    lambda rng, n, freedom=freedom, common=common: regressed(rng, n, freedom, common),
                )


def differences(pair: Pair, task: str) -> dict[str, float]:
    """Return the differences of all metrics that both models have, first minus second."""
    classes = ["0", "1"] if task == "binary" else []
    first, second = (
        evaluate(each, task=task, class_names=classes, split="test", intervals=False).metrics for each in pair
    )
    values = {name: (first.get(name), second.get(name)) for name in SHOWN[task]}
    return {name: a - b for name, (a, b) in values.items() if a is not None and b is not None}


def coverage_of_pairs(task: str, n: int, draw: Draw, draws: int, seed: int) -> dict[str, dict[str, float]]:
    """Return of each metric: the share of intervals that hold the true difference, their median width, and how often
    there is one."""
    rng = np.random.default_rng(seed)
    true = differences(draw(rng, TRUE_SAMPLES), task)
    held: dict[str, list[bool]] = {name: [] for name in SHOWN[task]}
    widths: dict[str, list[float]] = {name: [] for name in SHOWN[task]}
    for _ in range(draws):
        pair = draw(rng, n)
        for name, found in paired_differences(*pair, differences(pair, task)).items():
            low, high = found.interval
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
