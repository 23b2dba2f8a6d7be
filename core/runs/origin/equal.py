"""Comparison of a run with another that was made of the same, number by number and weight by weight."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.events import EpochFinished, EvaluationFinished, RunStarted
from core.runs.folder import Run
from core.runs.log import all_events

__all__ = ["Equality", "compare_results"]


@dataclass(frozen=True)
class Equality:
    """How far two runs are equal.

    Attributes:
        epochs: compared one by one. numbers: compared in all.
        differs_at: the first epoch with another number, 0 for one after the last epoch; None where all are equal.
        what: the first such number. first, second: its values. largest: the largest difference of any number.
        weights: whether the best weights are equal; None where one run has none.
    """

    epochs: int
    numbers: int
    differs_at: int | None = None
    what: str = ""
    first: float = math.nan
    second: float = math.nan
    largest: float = 0.0
    weights: bool | None = None

    @property
    def is_equal(self) -> bool:
        """Return whether nothing that was compared differs."""
        return self.differs_at is None and self.weights is not False


def compare_results(first: Run, second: Run) -> Equality:
    """Compare all numbers of all epochs and evaluations, and the best weights, bit for bit.

    A split on which only one of them was evaluated is left out: trials of a study never see the test split.

    Raises:
        RunDamaged: the weights of one cannot be read.
    """
    a, b = _numbers(first), _numbers(second)
    both = _evaluated(a) & _evaluated(b)
    a, b = ({key: value for key, value in found.items() if key[0] or _split(key) in both} for found in (a, b))
    differing = [key for key in {**a, **b} if not _same(a.get(key, math.nan), b.get(key, math.nan))]
    gaps = [abs(a[key] - b[key]) for key in differing if key in a and key in b]
    weights = _same_weights(first, second)
    epochs = len({epoch for epoch, _ in {**a, **b} if epoch})
    if not differing:
        return Equality(epochs, len(a), weights=weights)
    at = min(differing, key=lambda key: key[0] or math.inf)
    return Equality(
        epochs,
        len({**a, **b}),
        at[0],
        at[1],
        a.get(at, math.nan),
        b.get(at, math.nan),
        max((gap for gap in gaps if math.isfinite(gap)), default=math.nan),
        weights,
    )


def _numbers(run: Run) -> dict[tuple[int, str], float]:
    """Each number of a run by its epoch and name; of an evaluation the epoch is 0."""
    found: dict[tuple[int, str], float] = {}
    for event in all_events(run.log_file):
        if isinstance(event, RunStarted):
            found = {key: value for key, value in found.items() if 0 < key[0] <= event.epoch}
        elif isinstance(event, EpochFinished):
            for split, metrics in (("train", event.train), ("validation", event.validation)):
                found |= {(event.epoch, f"{split} {name}"): value for name, value in metrics.items()}
        elif isinstance(event, EvaluationFinished):
            found |= _known(event.split, event.metrics)
    return found


def _known(split: str, metrics: Mapping[str, float | None]) -> dict[tuple[int, str], float]:
    return {(0, f"{split} {name}"): value for name, value in metrics.items() if value is not None}


def _evaluated(numbers: Mapping[tuple[int, str], float]) -> set[str]:
    """Splits of evaluations."""
    return {_split(key) for key in numbers if not key[0]}


def _split(key: tuple[int, str]) -> str:
    return key[1].partition(" ")[0]


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _same_weights(first: Run, second: Run) -> bool | None:
    import torch

    from core.runs.checkpoints import load_weights

    if not all(run.checkpoint_file(run.checkpoint).is_file() for run in (first, second)):
        return None
    (a, _), (b, _) = load_weights(first), load_weights(second)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
