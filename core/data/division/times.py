"""Division by time: what is earlier is trained on, what is later is held out."""

import re
from collections.abc import Sequence

import numpy as np

from core.data.division.by import ColumnValues, is_absent
from core.data.tables.values.dates import EPOCH, ORDERS, moment
from core.data.tables.values.reading import quoted
from core.errors import DataError

__all__ = ["divide_times", "parse_gap", "parse_times", "shown_time", "time_fold"]

GAP = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)
DAYS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 86400),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 1 / 1440),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 24),
    **dict.fromkeys(("", "d", "day", "days"), 1.0),
    **dict.fromkeys(("w", "week", "weeks"), 7.0),
}
"""Days of each unit of a gap."""


def divide_times(times: np.ndarray, share: float, gap: float, *, field: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the earlier samples and of the latest ones; samples within the gap are in neither.

    Samples of one time are on one side.

    Args:
        times: (n,) finite.
        share: part held out, in (0, 1).

    Raises:
        DataError: all times are the same, or the gap leaves nothing to train on.
    """
    start = _cut(np.sort(times), 1 - share)
    if start is None:
        raise DataError(
            f"{field}: all {len(times)} samples that are left are of one time, of which no part is later",
            "Give a column with more times",
        )
    return _before(times, start, gap), np.flatnonzero(times >= start)


def time_fold(times: np.ndarray, fold: int, folds: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the samples before a fold, and of those in it; folds are one after the other in time.

    The times are cut into one part more than there are folds; a fold is held out, all parts before it are trained on.

    Raises:
        DataError: there are fewer times than parts, or the gap leaves nothing to train on.
    """
    ordered = np.sort(times)
    starts = [_cut(ordered, (place + 1) / (folds + 1)) for place in range(folds)]
    known = [start for start in starts if start is not None]
    if len(known) < folds or len(set(known)) < folds:
        raise DataError(
            f"data.folds: {folds} folds in time need {folds + 1} parts one after the other, and many samples are "
            "of the same time",
            "Give fewer folds",
        )
    start = known[fold - 1]
    end = known[fold] if fold < folds else np.inf
    return _before(times, start, gap), np.flatnonzero((times >= start) & (times < end))


def _cut(ordered: np.ndarray, share: float) -> float | None:
    """The time from which on samples are late, so that about `share` is earlier; None where all are of one time."""
    n = len(ordered)
    wanted = min(max(round(share * n), 1), n - 1) if n > 1 else 0
    if n < 2 or ordered[0] == ordered[-1]:
        return None
    value = ordered[wanted]
    first, after = np.searchsorted(ordered, value, "left"), np.searchsorted(ordered, value, "right")
    place = first if first > 0 and (after >= n or wanted - first <= after - wanted) else after
    return float(ordered[place])


def _before(times: np.ndarray, start: float, gap: float) -> np.ndarray:
    """Positions of the samples before a time, and before its gap."""
    kept = np.flatnonzero((times < start) & (times <= start - gap))
    if not len(kept):
        raise DataError(
            "data.gap: it leaves no sample to train on before the next split", "Give a shorter gap"
        )
    return kept


def parse_times(given: ColumnValues, name: str, rows: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return times, float64 (n,), and whether they are days since 1970.

    Args:
        rows: (n,) position of each in its source, for messages.

    Raises:
        DataError: a value is missing, or is neither a number nor a date.
    """
    values = np.asarray(given.values)
    if values.dtype.kind == "M":
        values = (values.astype("datetime64[us]") - np.datetime64(0, "us")) / np.timedelta64(1, "D")
        given = ColumnValues(values, dates=True)
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        _refuse_odd(np.isfinite(numbers), ["a missing one"] * len(numbers), name, rows)
        return numbers, given.dates
    texts = [str(value).strip() for value in values]
    absent = np.array([is_absent(value) for value in values], dtype=bool)
    _refuse_odd(~absent, ["a missing one"] * len(texts), name, rows)
    try:
        return np.array([float(text) for text in texts]), False
    except ValueError:
        read = [[moment(text, order) for text in texts] for order in ORDERS]
    best = min(read, key=lambda found: found.count(None))
    _refuse_odd(np.array([value is not None for value in best]), [quoted(text) for text in texts], name, rows)
    return np.array(best, dtype=np.float64), True


def _refuse_odd(read: np.ndarray, texts: Sequence[str], name: str, rows: np.ndarray) -> None:
    if read.all():
        return
    first = int(np.argmin(read))
    count = int((~read).sum())
    raise DataError(
        f"data.time: {count:,} of {len(read):,} values of {name} are neither dates nor numbers, the first is "
        f"{texts[first]} in row {rows[first] + 1:,}",
        "Correct or leave out these rows, or give another column",
    )


def parse_gap(text: str, dated: bool) -> float:
    """Return a gap such as ``7 days`` in days, or as it is where times are plain numbers.

    Raises:
        DataError: it is no length of time.
    """
    if not text:
        return 0.0
    match = GAP.fullmatch(text.strip())
    unit = match[2].lower() if match else ""
    if match is None or unit not in DAYS or (unit and not dated):
        takes = (
            "a number and a unit, such as 7 days or 12 h" if dated else "a number, as data.time holds numbers"
        )
        raise DataError(f"data.gap: got '{text}'", f"It takes {takes}")
    return float(match[1]) * (DAYS[unit] if dated else 1.0)


def shown_time(time: float, dated: bool) -> str:
    """Return a time as text: a date, with the time of day where it is not midnight, or the number."""
    if not dated:
        return f"{time:.10g}"
    try:
        moment_ = (np.datetime64(EPOCH, "ms") + np.timedelta64(round(time * 86_400_000), "ms")).astype(object)
    except (OverflowError, ValueError):
        return f"{time:.10g}"
    midnight = moment_.hour == moment_.minute == moment_.second == 0
    return f"{moment_:%Y-%m-%d}" if midnight else f"{moment_:%Y-%m-%d %H:%M}"
