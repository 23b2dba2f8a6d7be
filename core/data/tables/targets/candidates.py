"""The columns of a table as candidates for its target: what each holds, and why some are never taken unasked."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import polars as pl

from core.data.tables.files.source import Source
from core.data.tables.targets.names import (
    CERTAIN,
    CLASS,
    NO_NAME,
    TargetName,
    coordinate,
    feature_name,
    id_name,
    target_name,
    time_name,
)
from core.data.tables.values.missing import CLASS_WORDS
from core.data.tables.values.reading import Reading

__all__ = ["EMPTY", "SAME", "SAMPLE_ROWS", "Candidate", "candidates"]

SAMPLE_ROWS = 10_000
FEW, ROWS_A_VALUE = 20, 8
"""Different numbers up to which a column is one of few numbers, if so many rows have each on average."""
MAX_TEXTS, LONG_TEXT = 30, 60
"""Different texts up to which a column may hold classes; letters of free text."""
EMPTY, SAME = "it is empty", "it is the same in all rows"
SEXES = ["m", "f", "male", "female", "man", "woman", "boy", "girl", "i", "u", "w", "d", "other", "unknown"]


@dataclass(frozen=True)
class Candidate:
    """A column that may be the target.

    Attributes:
        holds: such as ``2 texts`` or ``numbers``.
        kind: ``texts``, ``few`` different numbers, or ``many``; `varied`: numbers that are not those of a few groups.
        named: what its name says of a target that holds this.
        feature: whether it describes rows, as a sex does; `time`: whether it says when they were.
        never: why it is not taken unless asked for; empty if it may be.
        score: how much speaks for it, and `why`: what most of all.
    """

    name: str
    holds: str
    kind: str = "many"
    different: int = 0
    varied: bool = False
    named: TargetName = NO_NAME
    feature: bool = False
    time: bool = False
    never: str = ""
    score: int = 0
    why: str = ""

    @property
    def classes(self) -> bool:
        """Return whether it may hold classes."""
        return self.kind == "few" or (self.kind == "texts" and self.different <= MAX_TEXTS)


def candidates(source: Source, head: pl.DataFrame, readings: Mapping[str, Reading]) -> list[Candidate]:
    """Return all columns in their order.

    Args:
        head: the first rows, as `readings` has them read.
    """
    different = dict(zip(head.columns, head.select(pl.all().drop_nulls().n_unique()).row(0), strict=True))
    filled = dict(zip(head.columns, head.select(pl.all().count()).row(0), strict=True))
    lacking = [name for name, how in readings.items() if how.kind == "text" and filled[name] < len(head)]
    for name, words in _missing_words(source, lacking).items():
        different[name] += len(words)
    lower = {name.lower() for name in readings}
    texts = [name for name, how in readings.items() if how.kind == "text" and filled[name]]
    long, sexes = _long_texts(head, texts), _sexes(head, texts)
    return [
        _candidate(
            name,
            how,
            different[name],
            filled[name],
            feature=feature_name(name) or name in sexes,
            never="it is free text"
            if name in long
            else _never(head[name], how, different[name], filled[name], lower),
        )
        for name, how in readings.items()
    ]


def _candidate(
    name: str, how: Reading, different: int, filled: int, *, feature: bool, never: str
) -> Candidate:
    text = how.kind == "text"
    few = different <= FEW and filled >= ROWS_A_VALUE * different
    named = target_name(name)
    fits = not named.most or different <= named.most or (text and named.most == CLASS)
    return Candidate(
        name,
        _holds(how, different, filled),
        "texts" if text else "few" if few else "many",
        different,
        not text and (different > FEW or 2 * different > filled),
        named if fits else NO_NAME,
        feature,
        time_name(name),
        never,
    )


def _never(values: pl.Series, how: Reading, different: int, filled: int, names: Set[str]) -> str:
    """Why a column is never the target unless asked for."""
    if not filled:
        return EMPTY
    if different == 1:
        return SAME
    if how.kind == "date":
        return "it is a date"
    many = different > FEW or 2 * different > filled
    if many and id_name(values.name) and target_name(values.name).score < CERTAIN and _whole(values):
        return "it is an id"
    if how.kind == "text":
        return "nearly every row has another text" if different > FEW and 2 * different > filled else ""
    if coordinate(values.name, names) and names - {"x", "y", "z", "id", ""}:
        return "it is a coordinate"
    counts = different == filled == len(values) and filled > FEW and _counts_rows(values)
    return "it counts the rows" if counts else ""


def _whole(values: pl.Series) -> bool:
    """Return whether a column holds texts or whole numbers, as ids do."""
    return not values.dtype.is_numeric() or bool((values.drop_nulls() % 1 == 0).all())


def _counts_rows(values: pl.Series) -> bool:
    first, last = float(values[0]), float(values[-1])
    return (
        first in (0.0, 1.0)
        and last - first == len(values) - 1
        and bool((values.diff().drop_nulls() == 1).all())
    )


def _long_texts(head: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the columns of free text."""
    lengths = head.select(pl.col(names).str.len_chars().mean()).row(0) if names else ()
    return {name for name, length in zip(names, lengths, strict=True) if length > LONG_TEXT}


def _sexes(head: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the columns that hold the sex of people or animals, whatever they are called."""
    if not names:
        return set()
    lowered = pl.col(names).str.to_lowercase()
    only = lowered.is_in(SEXES).all().name.suffix(" only")
    both = [
        lowered.is_in(words).any().name.suffix(f" {words[0]}") for words in (["m", "male"], ["f", "female"])
    ]
    answers = np.array(head.select(only, *both).row(0)).reshape(3, len(names))
    return {name for name, all_hold in zip(names, answers.T, strict=True) if all_hold.all()}


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


def _holds(how: Reading, different: int, filled: int) -> str:
    if how.kind == "date":
        return "dates"
    if how.kind == "text":
        return f"{different:,} texts"
    return f"{different:,} numbers" if different < filled or different <= FEW else "numbers"
