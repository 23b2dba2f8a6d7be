"""The names that a filter and a column of a table know, and how each is read from a run."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from typing import Any, Final, Literal, cast

from core.config.training import Training
from core.errors import InputError
from core.metrics import METRICS
from core.options import Options, choices
from core.runs.folder import SPLITS
from core.runs.labels import title_of
from core.runs.summary import RunSummary, began
from core.tasks.registry import TASKS

__all__ = ["NUMBERS", "SCORES", "TEXTS", "Field", "field_of", "names_like", "number_of", "score"]

Read = Callable[[RunSummary], Any]
FieldKind = Literal["text", "number", "age", "setting"]
SCORES: Final = tuple(dict.fromkeys(task.score for task in TASKS.values() if not task.own_step))
"""Scores of all tasks; a run has one of them."""
FREE: Final = ("settings", "script")
"""Sections that only scripts have: any field."""


@dataclass(frozen=True)
class Field:
    """One thing that runs have.

    Attributes:
        read: returns a number, a text, or several texts each of which counts; None where a run lacks it.
    """

    name: str
    kind: FieldKind
    read: Read


def _setting_at(section: str, key: str) -> Read:
    return lambda summary: summary.config.get(section, {}).get(key)


def _age(summary: RunSummary) -> float | None:
    start = began(summary)
    return None if start is None else time.time() - start


def _study(summary: RunSummary) -> tuple[str, str] | None:
    """Return how the folder of a trial's study is called, and what the user calls it."""
    if not summary.study:
        return None
    path = summary.run.path
    return summary.study, title_of(path if path.name == summary.study else path.parent.parent)


TEXTS: Final[dict[str, Read]] = {
    "id": lambda summary: summary.run.id,
    "run": lambda summary: (summary.run.id, summary.title),
    "name": lambda summary: summary.labels.name or None,
    "tag": lambda summary: summary.labels.tags or None,
    "tags": lambda summary: summary.labels.tags or None,
    "note": lambda summary: summary.labels.note or None,
    "status": lambda summary: summary.status,
    "data": lambda summary: (summary.data, summary.data_kind),
    "dataset": lambda summary: (summary.data, summary.data_kind),
    "model": lambda summary: summary.model,
    "optimizer": _setting_at("optimizer", "name"),
    "schedule": _setting_at("schedule", "name"),
    "loss_function": _setting_at("loss", "name"),
    "study": lambda summary: _study(summary),
    "tool": lambda summary: summary.tool or None,
    "agent": lambda summary: summary.agent or None,
}
NUMBERS: Final[dict[str, Read]] = {
    "epochs": lambda summary: summary.epoch,
    "best_epoch": lambda summary: summary.best_epoch,
    "lr": _setting_at("optimizer", "lr"),
    "batch": _setting_at("training", "batch_size"),
    "seed": _setting_at("training", "seed"),
    "test": lambda summary: (score(summary.shown_evaluation.get("test", {})) or ("", None))[1],
}
ALLOWED: Final = (
    f"Takes {', '.join((*TEXTS, *NUMBERS))}, age, a metric such as accuracy, or cfg. and a setting"
)


def field_of(name: str) -> Field:
    """Return what a name means, in any case.

    Raises:
        InputError: nothing; the message names the nearest one.
    """
    name = name.casefold()
    if name in TEXTS:
        return Field(name, "text", TEXTS[name])
    if name in NUMBERS:
        return Field(name, "number", NUMBERS[name])
    if name == "age":
        return Field(name, "age", _age)
    if name == "cfg" or name.startswith("cfg."):
        keys = _setting(name.removeprefix("cfg").removeprefix("."))
        return Field(name, "setting", partial(_read_setting, keys))
    metric = _metric(name)
    if metric is not None:
        return Field(name, "number", metric)
    hint = _nearest(name, [*TEXTS, *NUMBERS, "age", *METRICS]) or ALLOWED
    raise InputError(f"unknown name '{name}'", hint)


def names_like(start: str) -> Iterable[str]:
    """Yield the names that begin so, or that contain it: plain ones first, then settings."""
    start = start.casefold()
    settings = [f"cfg.{section}.{key}" for section, keys in _sections().items() for key in keys]
    known = list(dict.fromkeys((*TEXTS, *NUMBERS, "age", *METRICS, *settings)))
    yield from (name for name in known if name.startswith(start))
    yield from (name for name in known if start in name and not name.startswith(start))


def score(metrics: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return the score of the task, such as accuracy, with its value."""
    for name in SCORES:
        value = number_of(metrics.get(name))
        if value is not None:
            return name, value
    return None


def number_of(value: object) -> float | None:
    """Return a value from a file, which may contain anything, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _setting(path: str) -> tuple[str, ...]:
    """The keys of a setting; a section alone means its name, a field alone the one section that has it."""
    keys = tuple(path.split("."))
    sections = _sections()
    if keys[0] in FREE and len(keys) == 2:
        return keys
    if len(keys) == 1 and keys[0] in Training.model_fields:
        return ("training", *keys)
    if keys[0] not in sections:
        owners = [section for section, fields in sections.items() if path in fields and path != "name"]
        if len(owners) == 1:
            return (owners[0], path)
        raise InputError(f"unknown setting '{path}'", _nearest_setting(path))
    if len(keys) == 1 and "name" in sections[keys[0]]:
        return (keys[0], "name")
    if len(keys) == 1 or keys[1] not in sections[keys[0]]:
        raise InputError(f"unknown setting '{path}'", f"{keys[0]} has {', '.join(sections[keys[0]])}")
    return keys


def _nearest_setting(path: str) -> str:
    sections = _sections()
    full = [f"{section}.{field}" for section, fields in sections.items() for field in fields]
    same_field = [name for name in full if name.endswith(f".{path}")]
    if same_field:
        return f"Did you mean cfg.{same_field[0]}?"
    nearest = _nearest(path, [*sections, *Training.model_fields, *full])
    return nearest or f"Takes cfg. with {', '.join(sections)} and a field, such as cfg.optimizer.lr"


@cache
def _sections() -> dict[str, list[str]]:
    """Every section of a configuration with the fields that any of its choices has."""
    from core.config.schema import FAMILIES, TrainConfig  # slow to import: lists do without

    known = {}
    for section, field in TrainConfig.model_fields.items():
        family = FAMILIES.get(section)
        classes = [*choices(family).values()] if family else [cast("type[Options]", field.annotation)]
        known[section] = list(dict.fromkeys(name for options in classes for name in options.model_fields))
    return known


def _read_setting(keys: tuple[str, ...], summary: RunSummary) -> Any:
    value: Any = summary.config
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _metric(name: str) -> Read | None:
    split, dot, metric = name.rpartition(".")
    is_typo = metric not in METRICS and get_close_matches(metric, METRICS, n=1, cutoff=0.75)
    if (split not in SPLITS or not metric or is_typo) if dot else metric not in METRICS:
        return None
    return partial(_read_evaluation, split, metric) if dot else partial(_read_metric, metric)


def _read_metric(name: str, summary: RunSummary) -> float | None:
    value = summary.metrics.get(name)
    return value if value is not None else _named(summary.evaluation.get("validation", {}), name)


def _read_evaluation(split: str, name: str, summary: RunSummary) -> float | None:
    found = _named(summary.shown_evaluation.get(split, {}), name)
    return _named(summary.metrics, name) if found is None and split == "validation" else found


def _named(metrics: Mapping[str, float | None], name: str) -> float | None:
    """The metric of a name in lower case: those of a user's own may have capitals."""
    return next((value for key, value in metrics.items() if key.casefold() == name), None)


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else ""
