"""Which column of a table is the target: the one asked for, or one that stands out; else the user is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from core.data.tables.files.source import Source
from core.data.tables.targets.names import (
    CERTAIN,
    coordinate,
    feature_name,
    id_name,
    name_score,
    numbered_stem,
)
from core.data.tables.values.missing import CLASS_WORDS
from core.data.tables.values.reading import Reading
from core.errors import DataError
from core.remedies import setting

__all__ = ["Candidate", "TargetUnclear", "candidates", "choose_target", "named_column"]

SAMPLE_ROWS = 10_000
LAST, FIRST, TWO_TEXTS, TWO_NUMBERS, TEXTS, ONLY_FEW, ALONE = 25, 10, 25, 10, 10, 35, 50
"""What speaks for a column beside its name; names count up to 100."""
FEW, ROWS_A_VALUE = 20, 8
"""Different values up to which a column is one of few values, if so many rows have each on average."""
MIN_SCORE, MIN_LEAD = 40, 10
"""A column stands out with this score, so much above all others."""
MIN_NAMELESS, NAMELESS_LEAD = 50, 25
"""The same for a column whose name says nothing."""
LONG_TEXT = 60
NOTHING = ("it is empty", "it is the same in all rows")
MAX_NAMES = 12


@dataclass(frozen=True)
class Candidate:
    """A column that may be the target.

    Attributes:
        holds: such as ``2 classes`` or ``numbers``.
        score: how much speaks for it.
        never: why it is not taken unless asked for; empty if it may be.
    """

    name: str
    holds: str
    different: int
    score: int
    never: str = ""


class TargetUnclear(DataError):
    """No column stands out as the target: the user has to choose.

    Attributes:
        path: of the table.
        candidates: its columns, the likeliest first.
    """

    def __init__(self, path: str, name: str, found: Sequence[Candidate]) -> None:
        likely = [candidate.name for candidate in found if not candidate.never][:3] or [found[0].name]
        super().__init__(
            f"data.target: no column of {name} stands out as the one to predict",
            (
                "Choose one, such as ",
                setting("data.target", likely[0]),
                f"; likely are {', '.join(likely)}" if len(likely) > 1 else "",
            ),
        )
        self.path, self.candidates = path, tuple(found)


def named_column(asked: str, names: Sequence[str], path_name: str, field: str = "data.target") -> str:
    """Return the column of a name.

    Raises:
        DataError: there is none.
    """
    if asked in names:
        return asked
    close = get_close_matches(asked, names, n=1, cutoff=0.5)
    lower = {name.lower(): name for name in names}
    close = [lower[asked.lower()]] if asked.lower() in lower else close
    listed = ", ".join(names[:MAX_NAMES]) + (
        f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    )
    suggestion = f"Did you mean '{close[0]}'? " if close else ""
    raise DataError(f"{field}: {path_name} has no column '{asked}'", f"{suggestion}Its columns: {listed}")


def choose_target(
    source: Source, frame: pl.DataFrame, readings: Mapping[str, Reading], path: str
) -> tuple[str, str]:
    """Return the column that stands out as the target, and why.

    Args:
        frame: columns as `readings` has them read.
        path: of the file, as the user gave it.

    Raises:
        TargetUnclear: none does.
    """
    found = candidates(source, frame, readings)
    certain = [each for each in found if each.never in NOTHING and name_score(each.name) == CERTAIN]
    if certain and not any(name_score(each.name) == CERTAIN for each in found if not each.never):
        return certain[0].name, "by its name"  # whatever is wrong with it is the next message
    able = [candidate for candidate in found if not candidate.never]
    if not able:
        raise TargetUnclear(path, source.path.name, found)
    best, lead = able[0], able[0].score - (able[1].score if len(able) > 1 else 0)
    named = name_score(best.name)
    if len(able) == 1 and len(found) > 1:
        return best.name, "the only column that can be predicted" if not named else "by its name"
    possible = {candidate.name for candidate in able}
    last = [name for name in readings if name in possible][-1]
    if feature_name(best.name) and best.name != last:
        raise TargetUnclear(path, source.path.name, found)
    if named and best.score >= MIN_SCORE and lead >= MIN_LEAD:
        return best.name, "by its name"
    if best.score >= MIN_NAMELESS and lead >= NAMELESS_LEAD:
        return best.name, "the last column"
    raise TargetUnclear(path, source.path.name, found)


def candidates(source: Source, frame: pl.DataFrame, readings: Mapping[str, Reading]) -> list[Candidate]:
    """Return all columns, those that are likelier targets first."""
    head = frame.select(*readings).head(SAMPLE_ROWS)
    if not len(head):
        return [Candidate(name, how.kind, 0, 0, "no values") for name, how in readings.items()]
    different = dict(zip(head.columns, head.select(pl.all().drop_nulls().n_unique()).row(0), strict=True))
    filled = dict(zip(head.columns, head.select(pl.all().count()).row(0), strict=True))
    lacking = [name for name, how in readings.items() if how.kind == "text" and filled[name] < len(head)]
    for name, words in _missing_words(source, lacking).items():
        different[name] += len(words)
    lower = {name.lower() for name in readings}
    never = {
        name: _never(head[name], how, different[name], filled[name], lower) for name, how in readings.items()
    }
    able = [name for name in readings if not never[name]]
    stems = Counter(filter(None, map(numbered_stem, able)))
    numbered = {stem for stem, count in stems.items() if count > 1}
    plain = [name for name in able if numbered_stem(name) not in numbered]
    few = [name for name in able if different[name] <= FEW and filled[name] >= ROWS_A_VALUE * different[name]]
    named = any(map(name_score, able))
    found = []
    for name, how in readings.items():
        score = name_score(name)
        if name in able:
            score += LAST * (name == able[-1]) + FIRST * (name == able[0] and len(able) > 2)
            score += _kind_score(how, different[name])
            score += ONLY_FEW * (few == [name] and name == able[-1] and len(able) > 2 and not named)
            score += ALONE * (len(plain) == 1 and plain == [name])
        found.append(
            Candidate(name, _holds(how, different[name], filled[name]), different[name], score, never[name])
        )
    places = {name: at for at, name in enumerate(readings)}
    return sorted(found, key=lambda each: (bool(each.never), -each.score, -places[each.name]))


def _never(values: pl.Series, how: Reading, different: int, filled: int, names: set[str]) -> str:
    """Why a column is never the target unless asked for."""
    if not filled:
        return "it is empty"
    if different == 1:
        return "it is the same in all rows"
    if how.kind == "date":
        return "it is a date"
    if (
        id_name(values.name)
        and (name_score(values.name) < CERTAIN)
        and (different > 0.5 * filled or different > 20)
    ):
        return "it is an id"
    if how.kind == "text":
        lengths = values.drop_nulls().str.len_chars().mean()
        if isinstance(lengths, float) and lengths > LONG_TEXT:
            return "it is free text"
        if different > 20 and 2 * different > filled:
            return "nearly every row has another text"
        return ""
    if coordinate(values.name, names) and len(names - {"x", "y", "z", "id", ""}) > 0:
        return "it is a coordinate"
    counts_rows = different == filled == len(values) and filled > 20
    if counts_rows and _counts_rows(values):
        return "it counts the rows"
    return ""


def _missing_words(source: Source, names: Sequence[str]) -> dict[str, set[str]]:
    """Texts such as None among the first rows of columns, which count as missing but may be a class."""
    if not names:
        return {}
    head = source.head(names, SAMPLE_ROWS).select(pl.col(names).cast(pl.String).str.strip_chars())
    found = {}
    for name in names:
        texts = head[name].filter(head[name].str.to_lowercase().is_in(sorted(CLASS_WORDS)))
        found[name] = {*texts.unique().to_list()}
    return found


def _counts_rows(values: pl.Series) -> bool:
    first, last = float(values[0]), float(values[-1])
    return (
        first in (0.0, 1.0)
        and last - first == len(values) - 1
        and bool((values.diff().drop_nulls() == 1).all())
    )


def _kind_score(how: Reading, different: int) -> int:
    if how.kind == "text":
        return TWO_TEXTS if different == 2 else TEXTS
    return TWO_NUMBERS if different == 2 else 0


def _holds(how: Reading, different: int, filled: int) -> str:
    if how.kind == "date":
        return "dates"
    if how.kind == "text":
        return f"{different:,} texts"
    return f"{different:,} numbers" if different < filled or different <= FEW else "numbers"
