"""Which column of a table is the target: the one asked for, or one that stands out; else the user is asked."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import polars as pl

from core.data.tables.files.source import Source
from core.data.tables.targets.candidates import EMPTY, SAME, SAMPLE_ROWS, Candidate, candidates
from core.data.tables.targets.derived import derived_columns, follows
from core.data.tables.targets.names import CERTAIN, CLASS, POSSIBLE, target_name
from core.data.tables.targets.scores import scored
from core.data.tables.values.reading import Reading
from core.errors import DataError
from core.remedies import setting

__all__ = ["Candidate", "TargetUnclear", "choose_target", "named_column"]

MIN_SCORE, MIN_LEAD = 40, 10
"""A column stands out with this score, so much above all others."""
MIN_NAMELESS, NAMELESS_LEAD = 50, 25
"""The same for a column whose name says nothing."""
MAX_NAMES = 12


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
    head = frame.select(*readings).head(SAMPLE_ROWS)
    found = candidates(source, head, readings)
    certain = [each for each in found if target_name(each.name).score == CERTAIN]
    if certain and all(each.never in (EMPTY, SAME) for each in certain):
        return certain[0].name, "by its name"  # whatever is wrong with it is the next message
    able = [each for each in found if not each.never]
    nameless = source.text is not None and not source.text.header
    if not able:
        raise TargetUnclear(path, source.path.name, found)
    derived = derived_columns(head, [each.name for each in able])
    places = {name: at for at, name in enumerate(readings)}
    able = sorted(
        scored(able, derived, nameless=nameless), key=lambda each: (-each.score, -places[each.name])
    )
    if why := _stands_out(able, found, head):
        return able[0].name, why
    raise TargetUnclear(path, source.path.name, [*able, *(each for each in found if each.never)])


def _stands_out(able: Sequence[Candidate], found: Sequence[Candidate], head: pl.DataFrame) -> str:
    """Say why the first column stands out among those that may be the target; empty if it does not."""
    best, *others = able
    if not others and len(found) > 1:
        return "" if best.feature else "the only column that can be predicted"
    lead = best.score - max((other.score for other in others), default=0)
    texts = [each.name for each in others if each.kind == "texts"]
    groups = best.kind == "texts" and (best.named.most == CLASS or not best.named.score)
    if groups and follows(head, best.name, texts):
        return ""
    if best.named.score and not best.feature:
        rival = best.named.score <= POSSIBLE and any(
            other.named.generic and not other.named.most for other in others
        )
        return best.why if best.score >= MIN_SCORE and lead >= MIN_LEAD and not rival else ""
    return best.why if best.score >= MIN_NAMELESS and lead >= NAMELESS_LEAD and not best.feature else ""
