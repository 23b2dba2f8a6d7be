"""Importance of columns: by how much a network's score falls when the values of a column are shuffled.

Breiman, "Random Forests" (2001), section 10, on samples that the network was not trained on. Columns that say the same
share their importance: the network can do with either of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.data.dataset import Split
from core.evaluation.values import Array
from core.inference.predict import predict
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.data.dataset import Dataset, Progress
    from core.losses.base import Scorer

__all__ = ["MAX_SAMPLES", "Importance", "importances"]

REPEATS = 5
DECIMALS = 12
"""Of a mean fall: what is left where falls cancel is the rounding of their sum."""
MAX_SAMPLES = 2000
"""Samples that are looked at; of more a random part is taken."""


@dataclass(frozen=True)
class Importance:
    """Fall of the score without a column.

    Attributes:
        metric: the score that falls: ``accuracy`` or ``r2``.
        fall: mean over some shuffles, and `deviation` over them.
    """

    column: str
    metric: str
    fall: float
    deviation: float


def importances(
    model: torch.nn.Module,
    data: "Dataset",
    split: str,
    scorer: "Scorer",
    device: torch.device,
    progress: "Progress",
    thresholds: Array | None = None,
) -> list[Importance]:
    """Return the importance of each column of a table, the largest first; of other samples none.

    Deterministic: the shuffles depend on the split alone.

    Args:
        thresholds: as predictions have them, from which the answers follow.
    """
    columns = _columns(data)
    if not columns:
        return []
    rng = np.random.default_rng(0)
    samples = _some(data.splits[split], rng)
    score = task_of(data.task).score

    def scored(inputs: torch.Tensor) -> float:
        asked = replace(data, test=replace(samples, inputs=inputs))
        predictions = replace(predict(model, "test", asked, scorer, device), thresholds=thresholds)
        found = evaluate(
            predictions, task=data.task, class_names=data.class_names, split=split, intervals=False
        )
        return found.metrics[score] or 0.0

    whole = samples.inputs if isinstance(samples.inputs, torch.Tensor) else samples.inputs[:]
    before = scored(whole)
    found = []
    for done, (column, places) in enumerate(columns.items()):
        progress("shuffling columns", done, len(columns))
        falls = [before - scored(_shuffled(whole, places, rng.permutation)) for _ in range(REPEATS)]
        mean = round(float(np.mean(falls)), DECIMALS)
        found.append(Importance(column, score, mean, float(np.std(falls, ddof=1))))
    return sorted(found, key=lambda one: -one.fall)


def _columns(data: "Dataset") -> dict[str, list[int]]:
    """The places of the features that each column became."""
    if data.table is None:
        return {name: [place] for place, name in enumerate(data.feature_names)}
    return data.table.encoding.places


def _some(samples: Split, rng: np.random.Generator) -> Split:
    if len(samples) <= MAX_SAMPLES:
        return samples
    chosen = np.sort(rng.choice(len(samples), MAX_SAMPLES, replace=False))
    return samples.rows(torch.from_numpy(chosen))


def _shuffled(
    inputs: torch.Tensor, places: list[int], permutation: Callable[[int], np.ndarray]
) -> torch.Tensor:
    changed, order = inputs.clone(), torch.from_numpy(permutation(len(inputs)))
    changed[:, places] = inputs[order][:, places]
    return changed
