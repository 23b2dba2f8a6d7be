"""How much speaks for each column as the target: its name, its place, and what it holds beside the others."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace

from core.data.tables.targets.candidates import Candidate
from core.data.tables.targets.names import CLASS, LIKELY, numbered_stem

__all__ = ["scored"]

LAST, FIRST, LAST_BY_CUSTOM = 25, 10, 60
"""What speaks for a column beside its name, which counts up to 100: its place; in files without names the last one."""
ALONE, ONLY_NUMBERS, ONLY_CLASSES = 50, 60, 35
"""The only column beside numbered ones, the only numbers beside classes, the last column where no other has classes."""
TWO_TEXTS, TWO_NUMBERS, TEXTS = 25, 10, 5
"""The only column of two texts, of two numbers; texts."""
FEATURE, DERIVED, NUMBERED = -20, -40, -15
"""Names of features, logarithms and squares of other columns, names with a number at the end."""
MAX_FACTORS, MAX_NUMBERED = 7, 12
"""Columns of an experiment; letters of names that are counted by the number at their end."""


def scored(able: Sequence[Candidate], derived: Set[str], *, nameless: bool) -> list[Candidate]:
    """Return the columns that may be the target with their scores.

    Args:
        derived: columns that are computed from one other column.
        nameless: whether the file names no columns.
    """
    table = _Table(able, derived, nameless)
    able = [
        replace(each, feature=True) if each.named.generic and not table.by_name(each) else each
        for each in able
    ]
    table = _Table(able, derived, nameless)
    return [_scored(each, table, each.name in derived) for each in able]


def _scored(each: Candidate, table: "_Table", derived: bool) -> Candidate:
    points = {
        "by its name": table.by_name(each),
        "the last column": table.by_place(each) + table.by_kind(each),
        "the only column beside numbered ones": ALONE * (table.beside_numbered == [each]),
        "the only numbers beside classes": ONLY_NUMBERS * table.only_numbers(each),
    }
    less = FEATURE * each.feature + DERIVED * derived + NUMBERED * (each.name in table.numbered)
    why = max(points, key=lambda why: points[why])
    return replace(each, score=sum(points.values()) + less, why=why)


class _Table:
    """The columns that may be the target, seen together; each list is made once, as there may be thousands."""

    def __init__(self, able: Sequence[Candidate], derived: Set[str], nameless: bool) -> None:
        self.able, self.nameless = able, nameless
        self.first, self.last = able[0], able[-1]
        self.named = [each for each in able if each.named.score]
        self.likely = [each for each in able if each.named.score >= LIKELY]
        self.texts = [each for each in able if each.kind == "texts"]
        self.classes = [each for each in able if each.classes]
        self.varied = [each for each in able if each.varied and not each.time]
        self.plain = [each for each in able if not each.feature and each.name not in derived]
        self.two = [each for each in self.plain if each.different == 2]
        self.two_texts = [each for each in self.two if each.kind == "texts"]
        stems = Counter("" if nameless else numbered_stem(each.name) for each in able)
        several = {stem for stem, count in stems.items() if stem and count > 1}
        self.numbered = {each.name for each in able if numbered_stem(each.name) in several}
        family = self.numbered | several
        self.beside_numbered = [
            each for each in able if several and each.name not in family and each.name.lower() not in family
        ]

    def by_name(self, each: Candidate) -> int:
        """Return how much a name counts; general ones count in the last column where nothing else is likely."""
        if not each.named.generic:
            return each.named.score
        if each is not self.last or _others(self.likely, each):
            return 0
        if each.named.most != CLASS:
            alone = self.plain == [each] or self.beside_numbered == [each]
            fits = alone or each.different == 2 or self.only_numbers(each)
        else:
            fits = each.different == 2 or not (_others(self.texts, each) or _others(self.named, each))
        return each.named.score * fits

    def by_place(self, each: Candidate) -> int:
        """Return how much the place of a column counts."""
        if each is self.last:
            return LAST_BY_CUSTOM if self.nameless and self._last_by_custom() else LAST
        return FIRST * (each is self.first and len(self.able) > 2)

    def _last_by_custom(self) -> bool:
        """Return whether the last of columns without names is the target, as usual; the first may look more like it."""
        first, last = self.first, self.last
        if last.different == 2:
            return first.different != 2 or first.feature or first is last
        if last.kind == "texts":
            return first.kind != "texts" or first.different != 2
        classes = [each for each in self.classes if not each.feature]
        texts = [each for each in classes if each.kind == "texts"]
        return len(texts) != 1 and (last.kind == "few" or classes != [first])

    def by_kind(self, each: Candidate) -> int:
        """Return how much speaks for what a column holds: two classes, or classes where no other column has some."""
        if each.kind != "texts":
            points = TWO_NUMBERS * (self.two == [each])
        else:
            ends = each is self.last and each.different == 2 and not _others(self.named, each)
            points = TWO_TEXTS if ends or self.two_texts == [each] else TEXTS
        return points + ONLY_CLASSES * self._only_classes(each)

    def _only_classes(self, each: Candidate) -> bool:
        """Return whether the last column is the only one of classes, and no name speaks against it."""
        numbered = numbered_stem(each.name) and len(each.name) <= MAX_NUMBERED and not self.nameless
        only = each is self.last and self.classes == [each] and len(self.able) > 2
        return only and not numbered and not _others(self.named, each)

    def only_numbers(self, each: Candidate) -> bool:
        """Return whether a column, the first or the last, alone holds varied numbers beside classes and times."""
        only = self.varied == [each] and 1 < len(self.able) <= MAX_FACTORS and not _others(self.named, each)
        two_last = self.two_texts[-1:] == [self.last]
        ends = each is self.last or (each is self.first and not two_last)
        return only and ends and not self.nameless


def _others(columns: Sequence[Candidate], each: Candidate) -> bool:
    """Return whether there are others than this one."""
    return any(other is not each for other in columns[:2])
