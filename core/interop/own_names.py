"""Where the numbers of a script belong, by the names that it logs them under."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.interop.readers.names import SPLIT_NAMES, place_of
from core.metrics import METRICS

__all__ = ["Placed", "Placer", "of_split"]

WORDS = re.compile(r"[/_.\s-]+")
KNOWN = {"loss", *METRICS}
"""Names that are written in one way only, whatever the script writes."""


@dataclass(frozen=True)
class Placed:
    """Values of one call.

    Attributes:
        train: of the step. held: of validation and test, by split. lr: None where there is none.
    """

    train: Mapping[str, Any]
    held: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    lr: Any = None


class Placer:
    """Sorts values by their names; where names were seen before, without looking at them again."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], list[tuple[str, str]] | None] = {}

    def sort(self, values: Mapping[str, Any]) -> Placed:
        """Return the values of one call by split: a name without a split is of training, and keeps its spelling."""
        names = tuple(values)
        if names not in self._places:
            places = _places_of(names)
            as_they_are = all(place == ("train", name) for name, place in zip(names, places, strict=True))
            self._places[names] = None if as_they_are else places
        known = self._places[names]
        if known is None:
            return Placed(values)
        train, held, lr = {}, dict[str, dict[str, Any]](), None
        for (split, metric), value in zip(known, values.values(), strict=True):
            if split == "train":
                train[metric] = value
            elif split == "lr":
                lr = value
            elif split != "epoch":
                held.setdefault(split, {})[metric] = value
        return Placed(train, held, lr)


def of_split(values: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Values of one split by their metrics: of ``val_loss`` among those of validation, ``loss``."""
    places = {name: _place_of(str(name)) for name in values}
    metrics = [metric for _, metric in places.values()]
    return {
        metric if found == split and metrics.count(metric) == 1 else name: values[name]
        for name, (found, metric) in places.items()
    }


def _places_of(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The place of each name; two of one call never share one."""
    places = [_place_of(str(name)) for name in names]
    return [
        place if places.count(place) == 1 or place[0] == "epoch" else ("train", str(name))
        for name, place in zip(names, places, strict=True)
    ]


def _place_of(name: str) -> tuple[str, str]:
    split, metric = place_of(name)
    words = [word for word in WORDS.split(name.strip()) if word]
    of_a_split = [word for word in words if SPLIT_NAMES.get(word.lower()) == split]
    if split in ("lr", "epoch"):
        return split, metric
    if split == "system" or not of_a_split:
        return "train", name
    spelled = "_".join(word for word in words if word not in of_a_split)
    return split, metric if metric in KNOWN or not spelled else spelled
