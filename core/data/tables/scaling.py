"""The scale of a number, learnt from training rows: heavy tails are clipped, then mean and deviation taken out."""

from dataclasses import dataclass

import polars as pl

from core.data.targets import LOST
from core.errors import DataError
from core.options import Options

__all__ = ["Limits", "Scale", "fit_scale", "limits", "no_scale", "scaled"]

NORMAL_DEVIATION = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""
SUSPICIOUS, MIN_ROWS = 6.0, 50
"""Deviations from the mean up to which no tail is heavy, in columns with more than so many rows."""
HEAVY, KEPT = 30.0, 20.0
"""Deviations, taken from the quartiles, from which a tail is heavy, and to which it is clipped."""


class Scale(Options):
    """How a number is made ready: filled with the median, clipped, then mean and deviation of train taken out."""

    fill: float
    mean: float
    std: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Limits:
    """Values to which heavy tails are clipped, and how many training values lie beyond."""

    low: float
    high: float
    beyond: int


def fit_scale(values: pl.Series) -> tuple[Scale, Limits | None]:
    """Learn a scale from the values of the training rows, null where they are missing."""
    fill = float(values.median() or 0)  # type: ignore[arg-type] # of numbers
    found = limits(values)
    filled = values.fill_null(fill) if values.null_count() else values
    if found is not None:
        filled = filled.clip(found.low, found.high)
    mean, std = float(filled.mean() or 0), float(filled.std(ddof=0) or 0)  # type: ignore[arg-type] # of numbers
    low, high = (found.low, found.high) if found is not None else (None, None)
    return Scale(fill=fill, mean=mean, std=std or 1.0, low=low, high=high), found


def no_scale(values: pl.Series, name: str) -> Scale:
    """Return the scale that leaves numbers as they are, those missing filled with the median of train.

    Args:
        name: of the column, for messages.

    Raises:
        DataError: float32 would not tell the numbers apart.
    """
    scale, _ = fit_scale(values)
    known = values.drop_nulls().cast(pl.Float64)
    lost = (known - known.cast(pl.Float32).cast(pl.Float64)).abs().max() if len(known) else 0.0
    if float(lost or 0) > LOST * scale.std:  # type: ignore[arg-type] # of numbers
        raise DataError(
            f"data.scaling: none, but {name} has values that differ by less than float32 can hold",
            "Set it to standardise, or leave the column out with data.drop",
        )
    return Scale(fill=scale.fill, mean=0.0, std=1.0)


def scaled(value: pl.Expr, scale: Scale) -> pl.Expr:
    """Return the scaled number, in float64: what float32 would lose is centred before it is cast."""
    filled = value.fill_null(scale.fill)
    if scale.low is not None and scale.high is not None:
        filled = filled.clip(scale.low, scale.high)
    return (filled - scale.mean) / scale.std


def limits(values: pl.Series) -> Limits | None:
    """Return where heavy tails are clipped; None where there are none.

    Deviations are measured by the distance of the quartiles, which a single wrong value does not change; where half of
    the values are equal, by the median distance of the others from these.
    """
    known = values.drop_nulls() if values.null_count() else values
    if not len(known):
        return None
    lowest, highest = float(known.min()), float(known.max())  # type: ignore[arg-type] # of numbers
    mean, std = float(known.mean()), float(known.std(ddof=0) or 0)  # type: ignore[arg-type] # of numbers
    if len(known) > MIN_ROWS and max(highest - mean, mean - lowest) <= SUSPICIOUS * std:
        return None
    middle = float(known.median())  # type: ignore[arg-type] # of numbers
    first, third = float(known.quantile(0.25)), float(known.quantile(0.75))  # type: ignore[arg-type] # of numbers
    deviation = (third - first) / NORMAL_DEVIATION
    if not deviation:
        others = (known.filter(known != middle) - middle).abs()
        deviation = float(others.median()) if len(others) > 2 else 0.0  # type: ignore[arg-type] # of numbers
    if not deviation or max(highest - middle, middle - lowest) <= HEAVY * deviation:
        return None
    low, high = max(lowest, middle - KEPT * deviation), min(highest, middle + KEPT * deviation)
    return Limits(low, high, int(((known < low) | (known > high)).sum()))
