"""Histograms: counts in bins of one width, made when they are logged; what is not finite is counted apart."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import as_array
from core.errors import DataError, RunDamaged

__all__ = ["Counts", "counted_values", "fitting_counts", "from_text", "given_counts", "to_text"]

MAX_BINS = 1024
TAKEN = "Give numbers: a tensor, an array or a list"


@dataclass(frozen=True)
class Counts:
    """A histogram.

    Attributes:
        edges: one more than there are bins, rising. counts: by bin.
        not_finite: how many values were left out, as they are NaN or infinite.
        mean, deviation: of the finite values; None where only bins were given.
    """

    edges: list[float]
    counts: list[float]
    not_finite: int = 0
    mean: float | None = None
    deviation: float | None = None

    @property
    def total(self) -> float:
        """Number of values in the bins."""
        return sum(self.counts)


def counted_values(values: Any, bins: int) -> Counts:
    """Return the histogram of the finite values among some.

    Raises:
        DataError: there are none, or they are not numbers, or the number of bins is not one.
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= MAX_BINS:
        raise DataError(f"bins: got {bins!r:.40}", f"It takes a whole number from 1 to {MAX_BINS}")
    try:
        given = as_array(values).ravel()
    except Exception as error:  # any object can be asked for an array, and can fail
        reason = str(error).partition("\n")[0]
        raise DataError(f"no histogram of a {type(values).__name__}: {reason}", TAKEN) from None
    if given.dtype.kind not in "fiub" or not given.size:
        raise DataError(f"no histogram of {given.size} values of the type {given.dtype}", TAKEN)
    finite = given[np.isfinite(given)].astype(np.float64)
    if not finite.size:
        raise DataError("no histogram: none of the values is finite", TAKEN)
    low, high = float(finite.min()), float(finite.max())
    scale = max(abs(low), abs(high)) if not math.isfinite(2 * high - 2 * low) else 1.0
    try:
        counts, edges = np.histogram(finite / scale, bins=bins)
    except ValueError:  # they are closer together than so many edges can be told apart
        counts, edges = np.array([finite.size]), np.array([low, np.nextafter(high, np.inf)])
    with np.errstate(over="ignore"):
        moments = float(finite.mean()), float(finite.std())
    mean, deviation = (each if math.isfinite(each) else None for each in moments)
    return Counts((edges * scale).tolist(), counts.tolist(), int(given.size - finite.size), mean, deviation)


def given_counts(given: Any) -> Counts:
    """Return a histogram as ``numpy.histogram`` gives it.

    Raises:
        DataError: it is none.
    """
    try:
        counts, edges = (as_array(part).astype(np.float64) for part in given)
    except Exception:  # anything may be given
        raise DataError("np_histogram takes counts and edges", "Give what numpy.histogram returns") from None
    if not _are_counts(counts, edges):
        raise DataError(
            f"np_histogram: {counts.shape} counts and {edges.shape} edges are not a histogram",
            "Give finite counts from 0, and edges that rise, one more than counts",
        )
    return Counts(edges.tolist(), counts.tolist())


def fitting_counts(
    edges: NDArray[np.float64],
    counts: NDArray[np.float64],
    mean: float | None = None,
    deviation: float | None = None,
) -> Counts:
    """Return a histogram of another tool: bins without width are left out, and neighbours joined where there are many.

    Raises:
        DataError: it is none.
    """
    if not 0 < len(counts) == len(edges) - 1:
        raise DataError("it is not a histogram", TAKEN)
    below = np.append(0.0, np.cumsum(counts))
    kept = np.append(np.diff(edges) > 0, True)  # of edges at one place the last
    edges, below = edges[kept], below[kept]
    if len(edges) == 1:  # all values are one
        edges, below = np.array([edges[0], np.nextafter(edges[0], np.inf)]), np.array([0.0, below[0]])
    below[0] = 0.0
    step = -(-(len(edges) - 1) // MAX_BINS)
    places = np.unique(np.append(np.arange(0, len(edges), step), len(edges) - 1))
    edges, counts = edges[places], np.diff(below[places])
    if not _are_counts(counts, edges):
        raise DataError("it is not a histogram", TAKEN)
    return Counts(edges.tolist(), counts.tolist(), 0, _number(mean), _number(deviation))


def to_text(counts: Counts) -> str:
    """Return a histogram as the content of its file."""
    return json.dumps(asdict(counts))


def from_text(text: str) -> Counts:
    """Return the histogram of a file.

    Raises:
        RunDamaged: it is none.
    """
    try:
        values = json.loads(text)
        edges, counts = np.array(values["edges"], np.float64), np.array(values["counts"], np.float64)
        mean, deviation = (_number(values.get(name)) for name in ("mean", "deviation"))
        not_finite = int(values.get("not_finite", 0))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise RunDamaged("the histogram is damaged") from None
    if not _are_counts(counts, edges):
        raise RunDamaged("the histogram is damaged")
    return Counts(edges.tolist(), counts.tolist(), not_finite, mean, deviation)


def _are_counts(counts: NDArray[np.float64], edges: NDArray[np.float64]) -> bool:
    return bool(
        counts.ndim == edges.ndim == 1
        and 1 <= len(counts) <= MAX_BINS
        and len(edges) == len(counts) + 1
        and np.isfinite(counts).all()
        and np.isfinite(edges).all()
        and (counts >= 0).all()
        and (np.diff(edges) > 0).all()
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
