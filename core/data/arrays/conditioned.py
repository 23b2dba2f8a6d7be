"""Arrays of numbers as tables from files have them: heavy tails clipped, and centred before float32 loses digits."""

from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.conditioning import Conditioning

if TYPE_CHECKING:
    from core.data.arrays.held_sequences import JoinedSteps
    from core.data.tables.scaling import Limits

__all__ = ["MAX_LOSS", "clipped_targets", "conditioning_of", "fits_float32", "target_limits"]

MAX_LOSS = 1e-4
"""Part of a column's standard deviation that rounding to float32 may lose before the column is centred."""
SUSPICIOUS, MIN_ROWS = 6.0, 50
"""Deviations from the mean up to which no tail is heavy, in columns with more than so many rows."""
MAX_NAMES = 8
NUMBERS_AT_ONCE = 2**20
"""That are looked at together, as float64."""
COLUMNS_AT_ONCE = 8
"""At least, of which copies are made; NumPy sums up a single one in another order."""


def fits_float32(values: "np.ndarray | JoinedSteps") -> np.ndarray:
    """Return whether float32 holds what tells the values of each column, (n, ..., columns), apart; (columns,) bool."""
    columns = values.shape[-1]
    if values.dtype == np.float32 or not len(values):
        return np.ones(columns, dtype=bool)
    size = max(1, NUMBERS_AT_ONCE // max(1, int(np.prod(values.shape[1:]))))
    pieces = [slice(start, start + size) for start in range(0, len(values), size)]
    lost, total = np.zeros(columns), np.zeros(columns)
    for rows in pieces:
        exact = values[rows].astype(np.float64, copy=False).reshape(-1, columns)
        lost = np.maximum(lost, np.abs(exact - exact.astype(np.float32)).max(axis=0))
        total += exact.sum(axis=0)
    if not lost.any():
        return np.ones(columns, dtype=bool)
    count = values.size // max(1, columns)
    mean, squares = total / count, np.zeros(columns)
    for rows in pieces:
        exact = values[rows].astype(np.float64, copy=False).reshape(-1, columns)
        squares += np.square(exact - mean).sum(axis=0)
    return np.asarray(lost <= MAX_LOSS * np.sqrt(squares / count))


def conditioning_of(
    inputs: np.ndarray, train: np.ndarray, names: tuple[str, ...], notes: list[str]
) -> Conditioning | None:
    """Return what training rows say of each column; None where no column needs anything.

    Args:
        inputs: (n, features) float32, or float64 where float32 loses digits of some column.
        train: positions of the training rows.
        names: of the features.
        notes: takes a line for the columns that are clipped, and one for those that are centred.
    """
    from core.data.tables.notes import clipped

    columns = ((name, _limits(inputs[train, at])) for at, name in enumerate(names))
    limits = {name: found for name, found in columns if found is not None}
    if not limits and inputs.dtype == np.float32:
        return None
    low = np.array([limits[name].low if name in limits else -np.inf for name in names])
    high = np.array([limits[name].high if name in limits else np.inf for name in names])
    far, means = np.zeros(len(names), bool), np.zeros(len(names))
    for some in np.array_split(np.arange(len(names)), max(1, len(names) // COLUMNS_AT_ONCE)):
        kept = inputs[:, some][train]
        kept = kept.clip(low[some], high[some]) if limits else kept
        far[some] = ~fits_float32(kept)
        means[some] = kept.mean(axis=0, dtype=np.float64)
    if not limits and not far.any():
        return None
    offset = np.where(far, means, 0.0)
    notes += clipped(limits, ())
    if far.any():
        named = [name for name, is_far in zip(names, far, strict=True) if is_far]
        more = f" and {len(named) - MAX_NAMES:,} more" if len(named) > MAX_NAMES else ""
        notes.append(
            "columns far from 0 are centred before they become float32, in predictions as well: "
            f"{', '.join(named[:MAX_NAMES])}{more}"
        )
    return Conditioning(low, high, offset)


def clipped_targets(targets: np.ndarray, train: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """Return numbers, (n, k), with the heavy tails of the training rows clipped; others keep their values.

    Args:
        name: of the targets.
        notes: takes a line where some are clipped.
    """
    limits = target_limits(targets, train, name, notes)
    if limits is None:
        return targets
    kept = targets.copy()
    kept[train] = kept[train].clip(*limits)
    return kept


def target_limits(
    targets: np.ndarray, train: np.ndarray, name: str, notes: list[str]
) -> tuple[Any, Any] | None:
    """Return where the heavy tails of the numbers, (n, k), of training rows are clipped; None where they are not.

    Args:
        name, notes: as for `clipped_targets`.
    """
    from core.data.tables.notes import clipped

    several = targets.shape[1] > 1
    found = [_limits(targets[train, place]) for place in range(targets.shape[1])]
    for place, each in enumerate(found):
        if each is not None:
            column = f"{name}, column {place}" if several else name
            notes += clipped({column: each}, (column,))
    if not any(found):
        return None
    low = [-np.inf if each is None else each.low for each in found]
    high = [np.inf if each is None else each.high for each in found]
    return (np.array(low, targets.dtype), np.array(high, targets.dtype)) if several else (low[0], high[0])


def _limits(values: np.ndarray) -> "Limits | None":
    """Where the heavy tails of a column are clipped; the usual case is seen without polars."""
    if len(values) > MIN_ROWS:
        mean, std = values.mean(dtype=np.float64), values.std(dtype=np.float64)
        if max(values.max() - mean, mean - values.min()) <= SUSPICIOUS * std:
            return None
    import polars as pl

    from core.data.tables.scaling import limits

    return limits(pl.Series(values.astype(np.float64)))
