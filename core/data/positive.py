"""The positive class of two: the one that precision, recall, F1 and thresholds are of, which is class 1."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.data.dataset import Dataset, Split
from core.errors import DataError
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LATER", "as_class", "with_positive"]

LATER = "later"
"""The later class in order, whatever the names say; what runs had before it could be chosen."""
AUTO = "auto"
POSITIVE = frozenset(
    (
        *(
            "yes",
            "true",
            "positive",
            "pos",
            "fraud",
            "fraudulent",
            "malignant",
            "spam",
            "sick",
            "ill",
            "disease",
        ),
        *("diseased", "infected", "abnormal", "anomaly", "attack", "defect", "defective", "default", "churn"),
        *("churned", "died", "dead", "death", "event", "case", "cancer", "tumor", "tumour"),
    )
)
NEGATIVE = frozenset(
    (
        *(
            "no",
            "false",
            "negative",
            "neg",
            "legit",
            "legitimate",
            "genuine",
            "benign",
            "ham",
            "healthy",
            "well",
        ),
        *(
            "uninfected",
            "normal",
            "ok",
            "good",
            "paid",
            "stayed",
            "retained",
            "survived",
            "alive",
            "control",
            "none",
        ),
    )
)
"""Names of classes that say which of the two is looked for; both must be known."""
TRUE, FALSE = ("true", "yes", "y", "t", "1"), ("false", "no", "n", "f", "0")


def as_class(given: Any) -> Any:
    """Return the name of a class that YAML took for a truth value or a number."""
    if isinstance(given, bool):
        return "true" if given else "false"
    return f"{given:g}" if isinstance(given, int | float) else given


def with_positive(data: Dataset, asked: str) -> Dataset:
    """Return data whose class 1 is the positive one: as asked for, by its name, or else the later one of two.

    Raises:
        DataError: there is no such class, or there are not two.
    """
    names = data.class_names
    two = len(names) == 2 and data.task == task_for(2)
    if asked in (AUTO, LATER) and asked not in names:
        if not two or asked == LATER or not _is_clear(names):
            return data
        note = (
            f"positive class: {names[0]}, by its name (classes are in the order {names[1]}, {names[0]}); "
            "data.positive chooses"
        )
        return replace(_turned(data), notes=(*data.notes, note))
    if not two:
        what = f"{len(names):,} classes" if names else "no classes"
        raise DataError(f"data.positive: got {asked}, but the data has {what}, not two", "Leave it at auto")
    return _turned(data) if _place(asked, names) == 0 else data


def _is_clear(names: tuple[str, ...]) -> bool:
    first, second = (name.strip().lower() for name in names)
    return first in POSITIVE and second in NEGATIVE


def _place(asked: str, names: tuple[str, ...]) -> int:
    """The place of a class by its name, in any case; yes is the class true or 1."""
    for same in (str, str.lower, _truth):
        found = [place for place, name in enumerate(names) if same(name) == same(asked)]
        if len(found) == 1:
            return found[0]
    raise DataError(
        f"data.positive: no class is called {asked}", f"The classes are {names[0]} and {names[1]}"
    )


def _truth(name: str) -> str:
    lower = name.strip().lower()
    return TRUE[0] if lower in TRUE else FALSE[0] if lower in FALSE else lower


def _turned(data: Dataset) -> Dataset:
    """Return the data with its two classes in the other order."""
    return replace(
        data,
        class_names=data.class_names[::-1],
        train=_turned_split(data.train),
        validation=_turned_split(data.validation),
        test=_turned_split(data.test),
    )


def _turned_split(split: Split) -> Split:
    return replace(split, targets=_other(split.targets))


def _other(targets: "Tensor") -> "Tensor":
    """Return the other one of two classes: of class numbers (n,), those that are ignored aside, or of shares (n, 2)."""
    if targets.ndim == 2:
        return targets.flip(1)
    return targets.where(targets < 0, 1 - targets)
