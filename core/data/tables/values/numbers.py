"""Numbers as people write them: thousands separators, decimal commas, currencies, percent signs, units, times.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import re

__all__ = ["MULTIPLIERS", "NumberText", "duration", "number", "split_number", "unit_key"]

CURRENCIES = re.findall(
    r"\S+",
    "$ € £ ¥ ₹ ₽ ₩ ₺ ₪ ₫ ₴ ₦ ฿ US$ R$ A$ C$ S$ USD EUR GBP JPY CHF CNY INR RUB BRL AUD CAD SEK NOK DKK PLN CZK "
    "HUF TRY MXN KRW ZAR SFr. Fr. Rs. Rs kr kr. zł Kč Ft TL lei",
)
MULTIPLIERS = {
    "k": 1e3,
    "K": 1e3,
    "m": 1e6,
    "M": 1e6,
    "mn": 1e6,
    "Mio": 1e6,
    "Mio.": 1e6,
    "B": 1e9,
    "bn": 1e9,
}
MULTIPLIERS |= {"Mrd": 1e9, "Mrd.": 1e9, "万": 1e4, "亿": 1e8}
GROUP_MARKS = " '’_"
"""What may separate groups of digits beside the comma or the point that is not the decimal mark."""

CODES = str.maketrans(
    {
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full width
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\u2002\u2003\u3000", " "),
        **dict.fromkeys("\u200b\u200e\u200f\u202a\u202c\ufeff", ""),
        **dict.fromkeys("−–‒﹣", "-"),
        "٫": ".",
        "٬": ",",
        "٪": "%",
    }
)
MONEY = "|".join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True))
WORD = r"[^\W\d_]{1,8}"
PATTERN = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-]?)\s*(?P<before>{MONEY})?\s*(?P<sign2>[+-]?)\s*"
    rf"(?P<digits>\d[\d.,{GROUP_MARKS}]*(?<![{GROUP_MARKS}])|[.,]\d+)(?P<cents>(?<=[.,])-{{1,2}})?(?P<exponent>[eE][+-]?\d{{1,3}})?"
    rf"\s*(?:(?P<factor>{'|'.join(sorted(map(re.escape, MULTIPLIERS), key=len, reverse=True))})(?![^\W\d_]))?"
    rf"\s*(?P<after>{MONEY}|[%°‰′″\"]|°?{WORD}\.?[23²³]?(?:\s?/\s?{WORD}[23²³]?)?)?\s*(?P<end>-)?(?P<close>\))?"
)
HOURS = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+)\s*(?:d|days?|Tage?|jours?)[ ,]*)?"
    r"(?P<first>\d{1,4}):(?P<second>[0-5]\d)(?::(?P<third>[0-5]\d)(?:[.,](?P<part>\d+))?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
)
POINTS = re.compile(r"\d{1,2}\.[0-5]\d\.[0-5]\d\s*[AaPp][Mm]")
"""A time of day with points, as Oracle and spreadsheets of some countries write it."""
SPOKEN = re.compile(
    r"(?:P?(?P<days>\d+(?:\.\d+)?)\s*(?:D|d|days?))?\s*(?:P?T)?"
    r"(?:(?P<hours>\d+(?:\.\d+)?)\s*(?:h|H|hrs?\.?|hours?|Std\.?))?\s*"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)\s*(?:m|M|min\.?|mins?|minutes?))?\s*"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)\s*(?:s|S|secs?\.?|seconds?|Sek\.?))?"
)


class NumberText:
    """A number taken apart: its digits with their marks, and what stands around them."""

    __slots__ = ("digits", "exponent", "factor", "negative", "unit")

    def __init__(self, digits: str, exponent: str, factor: str, negative: bool, unit: str) -> None:
        self.digits, self.exponent, self.factor = digits, exponent, factor
        self.negative, self.unit = negative, unit


def split_number(text: str) -> NumberText | None:
    """Take a number apart; None when the text is none."""
    found = PATTERN.fullmatch(text.translate(CODES).strip())
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [sign for sign in (found["sign"], found["sign2"], found["end"]) if sign]
    if len(signs) + bool(found["open"]) > 1 or (found["before"] and found["after"]):
        return None
    negative = bool(found["open"]) or "-" in signs
    unit = found["before"] or found["after"] or ""
    digits = found["digits"] + ("00" if found["cents"] else "")  # `12.-` and `12,--` have no cents
    return NumberText(digits, found["exponent"] or "", found["factor"] or "", negative, unit)


def unit_key(unit: str) -> str:
    """Return a unit without what varies in its spelling: case, a final point, a plural."""
    return unit.replace(" ", "").rstrip(".").lower().removesuffix("s") if len(unit) > 2 else unit


def number(text: str, decimal: str = ".", unit: str = "", scaled: bool = False) -> float | None:
    """Return the value of a number; None when it is none, or has another unit.

    Args:
        decimal: the decimal mark, ``.`` or ``,``; the other one separates thousands.
        unit: what may stand before or after the digits, such as ``%``, ``€`` or ``kg``; ``12%`` is 12.
        scaled: read ``1.5k`` as 1500; else such a letter is a unit.
    """
    parts = split_number(text)
    if parts is None:
        return None
    factor, found = parts.factor, parts.unit
    if factor and not scaled:
        factor, found = "", factor + found
    if found and unit_key(found) != unit_key(unit):
        return None
    digits = plain_digits(parts.digits, decimal)
    if digits is None:
        return None
    value = float(digits + parts.exponent) * MULTIPLIERS.get(factor, 1.0)
    return -value if parts.negative else value


def plain_digits(digits: str, decimal: str) -> str | None:
    """Return digits with a decimal point alone; None when their marks do not fit the decimal mark."""
    whole, mark, part = digits.partition(decimal)
    if mark and not part.isdigit():
        return None if part else whole if whole.isdigit() else None
    if not whole or whole.isdigit():
        return f"{whole or 0}.{part or 0}" if mark else whole
    marks = {letter for letter in whole if not letter.isdigit()}
    groups = re.split(r"\D", whole)
    grouped = len(groups[-1]) == 3 and 1 <= len(groups[0]) <= 3 and groups[0] != "0"
    regular = {len(group) for group in groups[1:-1]} <= {3} or {len(group) for group in groups[1:-1]} == {2}
    if len(marks) != 1 or not grouped or not regular:  # 12,34,567 is how India groups digits
        return None
    return f"{''.join(groups)}.{part or 0}"


def duration(text: str) -> float | None:
    """Return a time of day or a duration in seconds, the first of two numbers being hours; None when it is none.

    ``16:40``, ``4:40 PM``, ``2:11:02.5``, ``1 days 02:00:00``, ``2h 30m`` and ISO 8601's ``PT2H30M`` are read.
    """
    text = text.translate(CODES).strip()
    if POINTS.fullmatch(text):
        text = text.replace(".", ":", 2)
    found = HOURS.fullmatch(text)
    if found is not None:
        hours, minutes = int(found["first"]), int(found["second"])
        seconds = int(found["third"] or 0) + float(f"0.{found['part'] or 0}")
        if found["half"]:
            if not 1 <= hours <= 12:
                return None
            hours = hours % 12 + (12 if found["half"][0] in "pP" else 0)
        total = 86400.0 * int(found["days"] or 0) + 3600 * hours + 60 * minutes + seconds
        return -total if found["sign"] else total
    found = SPOKEN.fullmatch(text)
    if found is None or sum(value is not None for value in found.groups()) < (
        1 if text.startswith("P") else 2
    ):
        return None
    sizes = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    return sum(float(found[name] or 0) * size for name, size in sizes.items())
