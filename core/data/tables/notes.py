"""Notes on what was found in a table and done to it, in a line each."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from core.counting import counted
from core.data.tables.encoding import Encoding, TextColumn
from core.data.tables.scaling import Limits
from core.data.tables.values.dates import order_of
from core.data.tables.values.reading import Reading

__all__ = ["absent_classes", "chosen", "clipped", "codes", "columns", "filled"]

MAX_NAMES = 8
NINES = {sign * value for sign in (1, -1) for value in (99, 999, 9999, 99999, 999999, 99.9, 999.9, 9999.99)}
CODES = frozenset(NINES | {-9.0, -1e4, -1e5, -32768.0, 8888.0, 888.0, -888.0, -8888.0})
MIN_CODES = 0.02
"""Part of the rows from which a number far from all others may stand for a missing value."""


def chosen(name: str, why: str, class_names: Sequence[str], several: str = "") -> str:
    """Report which column is predicted, why that one, and what it holds; `several`: the task of several targets."""
    if several:
        labels = f"{len(class_names):,} labels, " if class_names else ""
        return f"target: {name} ({why}), {labels}{several}"
    holds = f"{len(class_names):,} classes" if class_names else "numbers, regression"
    return f"target: {name} ({why}), {holds}"


def columns(encoding: Encoding, readings: Mapping[str, Reading], texts: Sequence[str] = ()) -> str:
    """Report how many columns of each kind make how many features, and how dates are read."""
    kinds = [column.kind for column in encoding.columns]
    words = {"number": "of numbers", "text": "of categories", "date": "of dates"}
    parts = [f"{kinds.count(kind):,} {word}" for kind, word in words.items() if kind in kinds]
    parts += [f"{len(texts):,} of texts ({', '.join(texts[:MAX_NAMES])})"] if texts else []
    used = [readings[column.name] for column in encoding.columns if column.kind == "date"]
    orders = sorted({_order(how.format) for how in used})
    dates = f"; dates are read as {', '.join(orders)}" if orders else ""
    return f"columns: {', '.join(parts)}; {counted(len(encoding.features), 'feature')}{dates}"


def filled(encoding: Encoding, frame: pl.DataFrame) -> Iterator[str]:
    """Report how many values are imputed, and how many texts share a feature."""
    imputed = encoding.imputed(frame)
    if imputed:
        total = sum(imputed.values())
        yield f"imputed {total:,} missing values with the median of train: {_list(imputed)}"
    texts = [column for column in encoding.columns if isinstance(column, TextColumn)]
    absent = {column.name: frame[column.name].null_count() for column in texts}
    absent = {name: count for name, count in absent.items() if count}
    if absent:
        yield f"missing categories, a feature of their own: {_list(absent)}"
    grouped = {column.name: len(column.texts) for column in texts if column.others}
    if grouped:
        yield f"the most frequent texts have a feature each, all others share one: {_list(grouped)}"


def clipped(limits: Mapping[str, Limits], targets: Sequence[str]) -> Iterator[str]:
    """Report columns whose heavy tails are clipped."""
    features = {name: found for name, found in limits.items() if name not in targets}
    if features:
        listed = [
            f"{name} to {found.low:.6g} … {found.high:.6g} ({found.beyond:,} of train)"
            for name, found in features.items()
        ]
        more = f" and {counted(len(listed) - MAX_NAMES, 'column')} more" if len(listed) > MAX_NAMES else ""
        yield f"heavy tails are clipped, in predictions as well: {', '.join(listed[:MAX_NAMES])}{more}"
    for target in (name for name in targets if name in limits):
        found = limits[target]
        yield (
            f"the heavy tails of {target} are clipped in train alone, to {found.low:.6g} … {found.high:.6g} "
            f"({counted(found.beyond, 'row')}); validation and test keep their values"
        )


def codes(frame: pl.DataFrame, readings: Mapping[str, Reading], missing: Sequence[str]) -> Iterator[str]:
    """Report numbers such as -999 that lie far from all others and recur: they may stand for a missing value."""
    names = [name for name, how in readings.items() if how.kind == "number"]
    if not names or not len(frame):
        return
    lows, highs = frame.select(pl.col(names).min()).row(0), frame.select(pl.col(names).max()).row(0)
    for name, low, high in zip(names, lows, highs, strict=True):
        for code, sign in ((low, 1.0), (high, -1.0)):
            if code not in CODES:
                continue
            others = frame[name].filter(frame[name] != code).drop_nulls()
            count = len(frame) - len(others) - frame[name].null_count()
            if count < max(3, MIN_CODES * len(frame)) or len(others) < 3:
                continue
            low_, high_ = float(others.min()), float(others.max())  # type: ignore[arg-type] # of numbers
            nearest, furthest = (low_, high_) if sign > 0 else (high_, low_)
            far = sign * (nearest - code) > sign * (furthest - nearest) or (code < 0 <= nearest)
            if far:
                marks = ", ".join(f'"{text}"' for text in (*missing, f"{code:g}"))
                yield (
                    f"{name} is {code:g} in {counted(count, 'row')}, far from its other values: a missing one? "
                    f"data.missing=[{marks}] reads it so"
                )


def absent_classes(
    class_names: Sequence[str], values: np.ndarray, parts: Mapping[str, np.ndarray]
) -> Iterator[str]:
    """Report classes that validation or test lack, as small ones of small tables do."""
    for name in ("validation", "test"):
        at = parts.get(name)
        if at is None or not len(at) or not class_names:
            continue
        part = values[at]
        lacking = len(class_names) - (
            np.count_nonzero(part.any(axis=0)) if part.ndim == 2 else len(np.unique(part))
        )
        if lacking:
            yield (
                f"{name} has no row of {lacking:,} of {len(class_names):,} classes: there are {len(values):,} rows; "
                f"a larger data.{name}, or data.task=regression where classes are numbers, may fit better"
            )


def _order(format_: str) -> str:
    """An order of dates in words."""
    if format_.startswith("unix"):
        return {"unix s": "seconds since 1970", "unix ms": "milliseconds since 1970"}[format_]
    words = {"y": "year", "m": "month", "d": "day"}
    return "-".join(words[letter] for letter in order_of(format_)[:3])


def _list(counts: Mapping[str, int]) -> str:
    named = [f"{name} {count:,}" for name, count in counts.items()]
    more = f" and {counted(len(named) - MAX_NAMES, 'column')} more" if len(named) > MAX_NAMES else ""
    return ", ".join(named[:MAX_NAMES]) + more
