"""Text from data made safe to show, and numbers as the screens write them.

Class names, paths and messages may contain anything: escape sequences, bidirectional overrides, double-width or
combining characters. ``clean`` makes every character that acts on a terminal visible, ``fit`` makes a text
exactly as wide as its column. Widths are those Textual itself uses (``rich.cells``).
"""

import math
import re
import unicodedata
from textwrap import wrap

from rich.cells import cell_len, chop_cells, set_cell_size

from core.config.formatting import format_setting
from core.metrics import UNKNOWN, number

__all__ = [
    "UNKNOWN",
    "age",
    "amount",
    "bytes_",
    "clean",
    "count",
    "counted",
    "defined",
    "duration",
    "fit",
    "number",
    "of",
    "percent",
    "progress_line",
    "setting",
    "short_path",
    "si",
    "waiting",
    "wrapped",
]

SETTING_DIGITS = 6
MAX_UNSAID_WAITING = 0.1

_CONTROL_PICTURES = {chr(code): chr(0x2400 + code) for code in range(0x20)}
_PICTURES = _CONTROL_PICTURES | {"\t": "⇥", "\n": "⏎", "\x7f": "␡"}
# Control, format (bidirectional, zero-width, tags), surrogate, line and paragraph separator.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners of emojis, and of words in Persian or Hindi, where they join.
_JOINERS = re.compile(r"(?<=[^\x00-\xa0])[\u200c\u200d](?=[^\x00-\xa0])")
_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


def clean(text: str) -> str:
    """Return ``text`` with every character that would act on the terminal shown instead of sent.

    Escape becomes ``␛``, newline ``⏎``, tab ``⇥``; what has no picture becomes its escape, such as
    ``\\x9b`` or ``\\u202e``; a byte that a file name could not decode (a lone surrogate) becomes ``\\xff``.
    Variation selectors, and joiners between the characters that they join, are dropped, since terminals
    disagree about their width, and a combining mark without a letter to sit on gets a dotted circle.
    Cleaning twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(map(_visible, _JOINERS.sub("", text)))
    return "◌" + shown if shown and cell_len(shown[0]) == 0 else shown


def _visible(character: str) -> str:
    if character in _PICTURES:
        return _PICTURES[character]
    if character in _VARIATION_SELECTORS:
        return ""
    if unicodedata.category(character) not in _ACTING:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python stores the undecodable byte code - 0xDC00
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def fit(text: str, width: int, *, align: str = "<", empty: str = "") -> str:
    """Return ``text``, cleaned and cut or padded to exactly ``width`` terminal cells.

    Args:
        text: any text; what does not fit is cut and ends in ``…``.
        width: cells; 0 or less gives the empty string.
        align: ``<``, ``^`` or ``>``, as in format strings.
        empty: shown in place of a text that is empty or only spaces, for example ``∅``.
    """
    if width <= 0:
        return ""
    shown = clean(text) if text.strip() else empty or clean(text)
    if cell_len(shown) > width:
        # A double-width character that would be cut in half leaves a space: the ellipsis takes its place.
        shown = set_cell_size(shown, width - 1).rstrip() + "…"
    spare = width - cell_len(shown)
    left = {"<": 0, "^": spare // 2, ">": spare}[align]
    return " " * left + shown + " " * (spare - left)


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text``, cleaned, in lines of at most ``width`` terminal cells, broken between words where it can be."""
    lines = (wrap(clean(line), max(1, width)) for line in text.splitlines())
    return [piece for part in lines for line in part for piece in chop_cells(line, max(2, width))]


def defined(value: float | None) -> str:
    """Format a metric that may be undefined: ``–`` also for NaN."""
    return number(None if value is None or math.isnan(value) else value)


def percent(share: float | None, decimals: int = 1) -> str:
    """Format a share from 0 to 1 in per cent, without the sign; ``–`` for None and NaN.

    Rounding never turns some of it into none of it or all of it: 0.9999 is ``99.9``, 0.0001 ``<0.1``.
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    if share in (0, 1):
        return f"{100 * share:.0f}"
    smallest = 10.0**-decimals
    if 0 < share * 100 < smallest / 2:
        return f"<{smallest:.{decimals}f}"
    if 100 - smallest / 2 <= share * 100 < 100:
        return f"{100 - smallest:.{decimals}f}"
    return f"{100 * share:.{decimals}f}"


def setting(value: object) -> str:
    """Return a setting as short text that is safe to display, see `core.options.format_setting`."""
    return clean(format_setting(value, SETTING_DIGITS))


def duration(seconds: float | None) -> str:
    """Format seconds as a clock: ``0:42``, ``1:03:20``, ``3 d 4:00`` (4 hours); ``–`` if unknown."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def waiting(share: float) -> str:
    """Return what is said of the fraction of the time in which training waits for data; nothing up to a tenth."""
    return f"waiting for data {100 * share:.0f} %" if share > MAX_UNSAID_WAITING else ""


def age(seconds: float) -> str:
    """Return how long ago, in at most six characters: ``42 s``, ``12 min``, ``3 h``, ``12 d``, ``2 y``."""
    for unit, length in (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}" if seconds < 1000 * length else f">999 {unit}"
    return f"{max(0, seconds):.0f} s"


def progress_line(what: str, done: int, total: int) -> str:
    """Describe a task and its progress: ``downloading images 42 %``; without the share where it is unknown."""
    return f"{what} {100 * done // total} %" if total else what


def of(done: int, asked: int, join: str = "/") -> str:
    """Return how many are done of how many: ``7/20``; ``7`` where the total is unknown."""
    return f"{done}{join}{asked}" if asked else str(done)


def amount(n: float) -> str:
    """Format a number of samples, or a sum of their weights: ``54,000``, ``1,204.5``."""
    return count(n) if isinstance(n, int) else f"{n:,.6g}"


def count(n: int) -> str:
    """Format a whole number with thousands separators: ``54,000``."""
    return f"{n:,}"


def counted(n: int, noun: str) -> str:
    """Return a number of things: ``1 thread``, ``2 threads``."""
    return f"{count(n)} {noun}{'s' if n != 1 else ''}"


def si(n: float) -> str:
    """Format a number to three digits with a metric prefix: ``950``, ``12.1k``, ``168k``, ``1.23M``."""
    return _scaled(n, 1000, ("", "k", "M", "G", "T", "P"))


def bytes_(n: float) -> str:
    """Format memory in the binary units of PyTorch's own messages: ``512 B``, ``1.5 MiB``, ``79.6 GiB``."""
    return _scaled(n, 1024, (" B", " KiB", " MiB", " GiB", " TiB", " PiB"))


def _scaled(n: float, base: int, units: tuple[str, ...]) -> str:
    if not math.isfinite(n):
        return number(n)
    steps = 0
    # Round before comparing: 999.9 thousand is 1M, not 1000k.
    while abs(float(f"{n:.3g}")) >= 1000 and steps < len(units) - 1:
        n /= base
        steps += 1
    return f"{float(f'{n:.3g}'):g}{units[steps]}"


def short_path(path: str) -> str:
    """Return the distinctive part of a path: ``lr``, ``batch_size``, and ``optimizer`` for its name."""
    section, _, key = path.partition(".")
    return section if key == "name" else key
