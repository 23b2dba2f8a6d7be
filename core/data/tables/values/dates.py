"""Dates as people write them, as days since 1970.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import datetime
import re

__all__ = ["EPOCH", "ORDERS", "SHORT_YEARS", "moment", "order_of"]

DAY_SECONDS = 86400.0
ORDERS = ("ymd", "dmy", "mdy")
"""Orders of year, month and day."""
SHORT_YEARS = " yy"
"""Ends the order of columns whose years may have two digits."""
PIVOT = 69
"""Years of two digits from here on belong to the 1900s, as in POSIX."""
EPOCH = datetime.datetime(1970, 1, 1)

CLOCK = re.compile(
    r"(?:(?<=\d)[Tt]|[ ,]|(?<=\d):)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,:](?P<part>\d{1,9}))?)?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT)?"
    r"\s*(?P<offset>[+-]\d{2}:?(?:\d{2})?|(?<=UTC)[+-]\d|(?<=GMT)[+-]\d)?"
    r"(?:\s*\([^)]*\)|\s*\[[A-Z][\w/+-]*\]|\s[A-Z]{3,4}|\s[A-Z][a-z]+/[A-Z]\w+)?$"
)
DOTTED = re.compile(
    r"(?P<hour>[ ,]\d{1,2})(?:\.(?P<minute>\d{2})(?:\.(?P<second>\d{2}(?:\.\d{1,9})?))?|h(?P<past>\d{2}))"
    r"(?P<end>\s*[AaPp][Mm]|\s*Uhr)?$"
)
"""A time of day with points, or with an `h`, behind a date."""
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?Z?)?")
QUARTER = re.compile(r"(\d{4})[-/. ]?[Qq]([1-4])|[Qq]([1-4])[-/. ](\d{4})")
WEEK = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?")
YEAR_LAST = re.compile(r"(\w{3} \w{3} +\d{1,2}) (\d{2}:\d{2}:\d{2}) (?:(\S+) )?(\d{4})")
"""As `date` and logs write it: ``Mon Sep 16 10:11:12 UTC 2019``."""
TOKEN = re.compile(r"\d+|[^\W\d_]+")
BETWEEN = re.compile(r"[\s\-/.,'年月日년월일]*")
FILLERS = {"st", "nd", "rd", "th", "of", "de", "del", "er", "г", "年", "月", "日", "년", "월", "일"}

MONTHS = {
    name: at
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    )
    for at, name in enumerate(names.split(), start=1)
}
SHORT = {name[:length]: at for name, at in MONTHS.items() for length in (5, 4, 3)} | {
    "mrz": 3,
    "mrt": 3,
    "sept": 9,
}
SHORT |= {"mar": 3, "mai": 5, "jun": 6, "jul": 7, "juin": 6, "juil": 7, "juni": 6, "juli": 7}
WEEKDAYS = {
    *("mon", "tue", "wed", "thu", "fri", "sat", "sun", "tues", "wednes", "thurs", "satur"),
    *("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"),
    *("mo", "di", "mi", "do", "fr", "sa", "so", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"),
    *("dimanche", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    *("lun", "mer", "jeu", "ven", "sam", "dim", "mié", "jue", "vie", "sáb", "sab", "dom", "gio"),
    *("seg", "ter", "qua", "qui", "sex", "segunda", "terça", "quarta", "quinta", "sexta", "feira"),
    *("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    *("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    *("ma", "wo", "vr", "za", "zo", "пн", "вт", "ср", "чт", "пт", "сб", "вс"),
}


def order_of(format_: str) -> str:
    """Return the order that a `strptime` format stands for; a format of this module is returned as it is."""
    if "%" not in format_:
        return format_
    found = "".join(re.findall(r"%([Yymdb])", format_)).lower().replace("b", "m")
    return (found if found in ORDERS else "ymd") + (SHORT_YEARS if "%y" in format_ else "")


def moment(text: str, order: str) -> float | None:
    """Return days since 1970 of a date, in UTC where it has an offset; None when it is none.

    Args:
        order: of the numbers: ``ymd``, ``dmy`` or ``mdy``, with `SHORT_YEARS` where years may have two digits; or
            ``unix s`` and ``unix ms`` for seconds and milliseconds since 1970. A name of a month, or a year of four
            digits in front, stands for itself.
    """
    text = text.strip()
    if order.startswith("unix"):
        return _since_epoch(text, 1000.0 if order.endswith("ms") else 1.0)
    if (late := YEAR_LAST.fullmatch(text)) is not None:
        text = f"{late[1]} {late[4]} {late[2]} {late[3] or ''}".strip()
    seconds, day = 0.0, text
    if (clock := CLOCK.search(text)) is not None:
        time = _seconds(clock)
        if time is None:
            return None
        seconds, day = time, text[: clock.start()]
    found = _special(day) if clock is None else None
    found = found or _date(day, order)
    if found is None and clock is None and (dotted := DOTTED.search(text)) is not None:
        return moment(text[: dotted.start()] + _with_colons(dotted), order)
    return None if found is None else (found - EPOCH).total_seconds() / DAY_SECONDS + seconds / DAY_SECONDS


def _with_colons(clock: "re.Match[str]") -> str:
    half = (clock["end"] or "").strip()
    second = f":{clock['second']}" if clock["second"] else ""
    return (
        f"{clock['hour']}:{clock['minute'] or clock['past']}{second} {half if half != 'Uhr' else ''}".rstrip()
    )


def _since_epoch(text: str, scale: float) -> float | None:
    try:
        return float(text) / scale / DAY_SECONDS
    except ValueError:
        return None


def _seconds(clock: "re.Match[str]") -> float | None:
    """Seconds since midnight of a time of day."""
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock["half"][0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60:
        return None
    offset = 0
    if clock["offset"]:
        digits = clock["offset"][1:].replace(":", "").zfill(2).ljust(4, "0")
        offset = (3600 * int(digits[:2]) + 60 * int(digits[2:])) * (-1 if clock["offset"][0] == "-" else 1)
    return 3600 * hour + 60 * minute + second + float(f"0.{clock['part'] or 0}") - offset


def _special(text: str) -> datetime.datetime | None:
    """Dates without separators, quarters, and weeks."""
    try:
        if (found := COMPACT.fullmatch(text)) is not None:
            return datetime.datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type] # at most six
        if (found := QUARTER.fullmatch(text)) is not None:
            year, quarter = (found[1], found[2]) if found[1] else (found[4], found[3])
            return datetime.datetime(int(year), 3 * int(quarter) - 2, 1)
        if (found := WEEK.fullmatch(text)) is not None:
            return datetime.datetime.fromisocalendar(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        pass
    return None


def _date(text: str, order: str) -> datetime.datetime | None:
    """A date of two or three parts."""
    if not BETWEEN.fullmatch(TOKEN.sub("", text)) or text.lstrip().startswith("-"):
        return None
    numbers: list[str] = []
    month, before, tuesday = 0, False, False
    for token in TOKEN.findall(text):
        word = token.lower()
        if token.isdigit():
            numbers.append(token)
        elif word in FILLERS or word.removesuffix("day") in WEEKDAYS or word in WEEKDAYS:
            continue
        elif (not month or tuesday) and (word in MONTHS or word in SHORT):
            tuesday = word == "mar" and not numbers and not month  # or March; another month says which
            month, before = MONTHS.get(word, SHORT.get(word, 0)), bool(numbers)
        else:
            return None
    if month and len(numbers) in (1, 2):
        short = order.endswith(SHORT_YEARS) and not (before and len(numbers) == 1)  # the day of `15-Mar`
        parts = _with_named_month(numbers, month, short)
    elif not month and len(numbers) == 3:
        parts = _in_order(numbers, order)
    elif not month and len(numbers) == 2:
        parts = _year_and_month(numbers)
    else:
        return None
    try:
        return None if parts is None else datetime.datetime(*parts)
    except ValueError:
        return None


def _with_named_month(numbers: list[str], month: int, short: bool) -> tuple[int, int, int] | None:
    """``5 Jan 2021``, ``Jan 5, 2021``, ``2021 Jan 5``, ``Jan 2021``, ``05-Jan-21``."""
    if len(numbers) == 1:
        year = _year(numbers[0], short)
        return None if year is None else (year, month, 1)
    first, second = numbers
    year_text, day = (first, second) if len(first) == 4 else (second, first)
    year = _year(year_text, short)
    return None if year is None or len(day) > 2 else (year, month, int(day))


def _in_order(numbers: list[str], order: str) -> tuple[int, int, int] | None:
    """Three numbers; a year of four digits in front overrides the order."""
    letters = "ymd" if len(numbers[0]) == 4 else order[:3]
    parts = dict(zip(letters, numbers, strict=True))
    year = _year(parts["y"], order.endswith(SHORT_YEARS))
    if year is None or len(parts["m"]) > 2 or len(parts["d"]) > 2:
        return None
    return year, int(parts["m"]), int(parts["d"])


def _year_and_month(numbers: list[str]) -> tuple[int, int, int] | None:
    """``2021-01`` or ``01/2021``; a year needs four digits."""
    first, second = numbers
    if len(first) == 4 and len(second) == 2:
        return int(first), int(second), 1
    return (int(second), int(first), 1) if len(second) == 4 and len(first) <= 2 else None


def _year(text: str, short: bool) -> int | None:
    if len(text) == 4:
        return int(text)
    return int(text) + (1900 if int(text) >= PIVOT else 2000) if len(text) == 2 and short else None
