"""In which style the texts of a column are written, found from all of them together."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.data.tables.values.dates import ORDERS, SHORT_YEARS, moment
from core.data.tables.values.numbers import NumberText, duration, number, plain_digits, split_number, unit_key
from core.data.tables.values.reading import TIME, Reading

__all__ = ["Style", "beside_percent", "date_style", "number_style", "time_style"]

MIN_FACTORS = 0.1
"""Part of the numbers that end in k, M and the like for these to be factors."""
GROUPS_OF_THREE = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")


@dataclass(frozen=True)
class Style:
    """A way to read a column.

    Attributes:
        share: part of the rows that can be read so, from 0 to 1.
        ambiguous: why another way would fit as well; empty when none does.
    """

    reading: Reading
    share: float
    ambiguous: str = ""


def number_style(texts: Sequence[str], counts: Sequence[int], *, decimal: str, semicolons: bool) -> Style:
    """Find how numbers are written.

    Args:
        texts, counts: the different texts of a column and how often each occurs.
        decimal: the decimal mark where it is known, else empty.
        semicolons: whether the file is separated by semicolons, as where commas are decimal marks.
    """
    parts = [
        (found, count) for text, count in zip(texts, counts, strict=True) if (found := split_number(text))
    ]
    total = sum(counts)
    if not parts:
        return Style(Reading("number"), 0.0)
    scaled = _has_factors(parts, total)
    unit = _unit(parts, scaled)
    mark, ambiguous = (decimal, "") if decimal else _decimal([found.digits for found, _ in parts], semicolons)
    read = sum(
        count
        for text, count in zip(texts, counts, strict=True)
        if number(text, mark, unit, scaled) is not None
    )
    return Style(Reading("number", "," if mark == "," else "", unit, scaled), read / total, ambiguous)


def beside_percent(texts: Sequence[str], reading: Reading) -> tuple[str, str] | None:
    """Return a number that may be a part of one, and one in percent: ``0.34`` beside ``34%``; None without such.

    That is so where all numbers without the sign are at most 1, and some with it are more.
    """
    if reading.unit != "%":
        return None
    plain, signed = dict[str, float](), dict[str, float]()
    for text in texts:
        parts, value = split_number(text), number(text, reading.format or ".", reading.unit)
        if parts is not None and value is not None:
            (signed if parts.unit else plain)[text] = abs(value)
    part = next((text for text, value in plain.items() if value % 1), "")
    percent = next((text for text, value in signed.items() if value > 1), "")
    return (part, percent) if part and percent and max(plain.values()) <= 1 else None


def time_style(texts: Sequence[str], counts: Sequence[int]) -> Style:
    """Find the share of times of day and durations."""
    read = sum(count for text, count in zip(texts, counts, strict=True) if duration(text) is not None)
    return Style(Reading("number", TIME), read / sum(counts))


def date_style(
    texts: Sequence[str], counts: Sequence[int], *, day_first: bool | None, semicolons: bool
) -> Style:
    """Find the one order of year, month and day of a column."""
    found = _date_style(texts, counts, ORDERS, day_first=day_first, semicolons=semicolons)
    if found.share == 1.0:
        return found
    short = tuple(order + SHORT_YEARS for order in ORDERS)
    with_short = _date_style(texts, counts, short, day_first=day_first, semicolons=semicolons)
    return with_short if with_short.share > found.share else found


def _date_style(
    texts: Sequence[str],
    counts: Sequence[int],
    orders: Sequence[str],
    *,
    day_first: bool | None,
    semicolons: bool,
) -> Style:
    total = sum(counts)
    read: dict[str, list[float | None]] = {order: [moment(text, order) for text in texts] for order in orders}
    shares = {
        order: sum(count for value, count in zip(values, counts, strict=True) if value is not None) / total
        for order, values in read.items()
    }
    best = max(shares.values())
    fitting = [order for order in orders if shares[order] >= best - 1e-12]
    if len(fitting) == 1 or read[fitting[0]] == read[fitting[1]]:
        return Style(Reading("date", fitting[0]), best)
    if day_first is not None:
        fitting = [order for order in fitting if order.startswith("dmy" if day_first else "mdy")] or fitting
        return Style(Reading("date", fitting[0]), best)
    rising = [order for order in fitting if _rises(read[order])]
    slashes = any("/" in text for text in texts[:20])
    usual = "mdy" if slashes and not semicolons else "dmy"
    likely = [order for order in fitting if order.startswith(usual)] or fitting
    chosen = rising[0] if len(rising) == 1 else likely[0]
    sample = texts[0]
    return Style(Reading("date", chosen), best, f"'{sample}' could be {' or '.join(map(_in_words, fitting))}")


def _has_factors(parts: Sequence[tuple[NumberText, int]], total: int) -> bool:
    factors = Counter[str]()
    for found, count in parts:
        if found.factor:
            factors[found.factor] += count
    money = any(found.factor and found.unit and not found.unit.isalpha() for found, _ in parts)
    if not factors or (set(factors) == {"m"} and not money):  # metres, minutes
        return False
    return money or factors.total() >= MIN_FACTORS * total


def _unit(parts: Sequence[tuple[NumberText, int]], scaled: bool) -> str:
    """The most frequent unit; a word only where at least half of the numbers have it."""
    units = Counter[str]()
    shown: dict[str, str] = {}
    for found, count in parts:
        unit = found.unit if scaled else found.factor + found.unit
        if unit:
            units[unit_key(unit)] += count
            shown.setdefault(unit_key(unit), unit)
    if not units:
        return ""
    key, count = units.most_common(1)[0]
    symbol = not any(letter.isalpha() for letter in key) or split_number(f"{shown[key]}1") is not None
    return shown[key] if symbol or 2 * count >= sum(count for _, count in parts) else ""


def _decimal(digits: Sequence[str], semicolons: bool) -> tuple[str, str]:
    """The decimal mark that fits most of the numbers, and why that is not certain."""
    fits = {mark: sum(plain_digits(text, mark) is not None for text in digits) for mark in ".,"}
    if fits["."] != fits[","]:
        return max(".,", key=lambda mark: fits[mark]), ""
    dots = [text for text in digits if "." in text]
    commas = [text for text in digits if "," in text]
    if commas and not dots:
        return ("," if semicolons else "."), f"'{commas[0]}' has one comma"
    if dots and not commas and semicolons and all(map(GROUPS_OF_THREE.fullmatch, dots)):
        return ",", f"'{dots[0]}' has three digits after each point"
    return ".", ""


def _rises(values: Sequence[float | None]) -> bool:
    """Return whether dates rise or fall from row to row."""
    known = [value for value in values if value is not None]
    steps = [after - before for before, after in pairwise(known)]
    return len(steps) > 1 and (all(step >= 0 for step in steps) or all(step <= 0 for step in steps))


def _in_words(order: str) -> str:
    return "/".join({"y": "year", "m": "month", "d": "day"}[letter] for letter in order[:3])
