"""The language that picks runs: ``cfg.optimizer.lr>=1e-2 status:running mnist``. All terms must hold.

    mnist  "two words"          text in the id, data set, model or status
    status:run  data=mnist      a part of id, status, data, model or optimizer; with = or != the whole
    epochs>=10  best_epoch<5    epochs done, the best epoch
    accuracy>0.9  loss<=0.2     of validation: at the best epoch, or else of its evaluation
    test.f1_macro>0.9           of the evaluation of a split; also one of the user's own: validation.f2>0.5
    cfg.optimizer.lr=0.1        a setting; one of the training section needs no ``training.``

The operators are ``= != < <= > >=``, and ``:`` for a part of a text. Case does not matter, and a quote left open
ends with the text. A run that lacks what a term asks for does not match, whatever the operator.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from typing import Any, Final, cast, get_args

from core.config.formatting import format_setting
from core.config.schema import FAMILIES, TrainConfig, Training
from core.errors import InputError
from core.metrics import METRICS
from core.options import Options, choices
from core.runs.folder import SPLITS
from core.runs.summary import RunSummary
from core.status import Status

__all__ = ["Query", "example", "parse"]

Read = Callable[[RunSummary], Any]
ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
COMPARE: Final = {"=": operator.eq, "!=": operator.ne, **ORDER}
TEXTS: Final[dict[str, Read]] = {
    "id": lambda summary: summary.run.id,
    "status": lambda summary: summary.status,
    "data": lambda summary: summary.data,
    "model": lambda summary: summary.model,
    "optimizer": lambda summary: summary.config.get("optimizer", {}).get("name"),
}
NUMBERS: Final[dict[str, Read]] = {
    "epochs": lambda summary: summary.epoch,
    "best_epoch": lambda summary: summary.best_epoch,
}
ALLOWED: Final = f"Takes {', '.join((*TEXTS, *NUMBERS))}, a metric such as accuracy, or cfg. and a setting"

TERM: Final = re.compile(
    r"""\s*(?:
      (?P<name>[^\s"=!<>:]*) (?: : | \s*(?P<op><=|>=|!=|==?|<|>)\s* ) (?P<value>"[^"]*"?|[^\s"]*)
    | (?P<word>"[^"]*"?|[^\s"]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Term:
    """One condition: what is read from a run compares with what is wanted.

    Attributes:
        wanted: canonical text. number: the same as a number, None if it is none.
    """

    read: Read
    operator: str
    wanted: str
    number: float | None = None

    def matches(self, summary: RunSummary) -> bool:
        """Return whether the run has the value and it compares as it should."""
        value = self.read(summary)
        if value is None:
            return False
        if self.operator == ":":
            return self.wanted in _canonical(value)
        if self.number is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return bool(COMPARE[self.operator](value, self.number))
        if self.operator in ORDER:
            return False
        return (_canonical(value) == self.wanted) == (self.operator == "=")


@dataclass(frozen=True)
class Word:
    """A text, in lower case, that is looked for in what names a run."""

    text: str

    def matches(self, summary: RunSummary) -> bool:
        """Return whether it is there."""
        names = f"{summary.run.id} {summary.data} {summary.model} {summary.status}"
        return self.text in names.casefold()


@dataclass(frozen=True)
class Query:
    """Parsed filter; without terms it matches every run."""

    terms: tuple[Term | Word, ...] = ()

    def matches(self, summary: RunSummary) -> bool:
        """Return whether all terms hold for a run."""
        return all(term.matches(summary) for term in self.terms)


def parse(text: str) -> Query:
    """The query that a text describes.

    Raises:
        InputError: a name is unknown or a value is missing or of the wrong kind; it says what is allowed.
    """
    terms: list[Term | Word] = []
    rest = text.strip()
    while rest:
        found = TERM.match(rest)
        assert found is not None  # the last alternative takes whatever is left
        rest = rest[found.end() :].lstrip()
        if found["word"] is not None:
            terms.append(_word(found["word"]))
        else:
            sign = (found["op"] or ":").replace("==", "=")
            terms.append(_comparison(found["name"], sign, _unquoted(found["value"])))
    return Query(tuple(terms))


def example(text: str) -> str:
    """Complete the last word of a text where it begins a name: ``accuracy>0.9`` for ``acc``; else nothing."""
    word = text.split(" ")[-1].casefold()
    examples = [f"{name}:" for name in TEXTS] + [f"{name}>10" for name in NUMBERS] + ["cfg.optimizer.lr>0.1"]
    examples += [f"{name}>0.9" for name in METRICS] + ["test.accuracy>0.9", "validation.accuracy>0.9"]
    return next((known for known in examples if word and known.startswith(word)), "")


def _word(word: str) -> Word:
    if word.casefold().startswith("cfg."):
        _setting(word.casefold().removeprefix("cfg."))
        raise InputError(f"{word} needs a value to compare with", f"As in {word}=value or {word}>0.1")
    return Word(_unquoted(word).casefold())


def _comparison(name: str, sign: str, value: str) -> Term:
    name = name.casefold()
    if not name:
        raise InputError(f"'{sign}' stands without a name", "As in accuracy>0.9 or status:running")
    if name in TEXTS:
        return _text_term(name, sign, value)
    if name == "cfg" or name.startswith("cfg."):
        return _setting_term(name, sign, value)
    read = NUMBERS.get(name) or _metric(name)
    if read is None:
        hint = _nearest(name, [*TEXTS, *NUMBERS, *METRICS]) or ALLOWED
        raise InputError(f"unknown name '{name}'", hint)
    return Term(read, sign, value, _number(name, sign, value))


def _text_term(name: str, sign: str, value: str) -> Term:
    if sign in ORDER:
        raise InputError(
            f"{name} is text and has no order", f"Takes {name}:part, {name}=whole or {name}!=whole"
        )
    wanted = _canonical(value)
    if name == "status":
        _check_status(sign, wanted)
    elif not value:
        raise InputError(f"{name}{sign} needs a text", f"As in {name}:part")
    return Term(TEXTS[name], sign, wanted)


def _check_status(sign: str, wanted: str) -> None:
    known = get_args(Status)
    if not wanted or not any(wanted == status or (sign == ":" and wanted in status) for status in known):
        raise InputError(f"unknown status '{wanted}'", f"Takes {', '.join(known)}")


def _setting_term(name: str, sign: str, value: str) -> Term:
    keys = _setting(name.removeprefix("cfg").removeprefix("."))
    if not value:
        example = "0.1" if sign in ORDER else "value"
        raise InputError(f"{name}{sign} needs a value", f"As in {name}{sign}{example}")
    number = _number(name, sign, value) if sign in ORDER else _finite(value)
    return Term(partial(_read_setting, keys), sign, _canonical(value), number)


def _setting(path: str) -> tuple[str, ...]:
    """The keys of a setting; a section alone means its name."""
    keys = tuple(path.split("."))
    sections = _sections()
    if len(keys) == 1 and keys[0] in Training.model_fields:
        return ("training", *keys)
    if keys[0] not in sections:
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
    found = _named(summary.evaluation.get(split, {}), name)
    return _named(summary.metrics, name) if found is None and split == "validation" else found


def _named(metrics: Mapping[str, float | None], name: str) -> float | None:
    """The metric of a name in lower case: those of a user's own may have capitals."""
    return next((value for key, value in metrics.items() if key.casefold() == name), None)


def _number(name: str, sign: str, value: str) -> float:
    number = _finite(value)
    as_in = f"As in {name}{sign if sign != ':' else '>'}{10 if name in NUMBERS else 0.9}"
    if not value:
        raise InputError(f"{name}{sign} needs a number", as_in)
    if number is None:
        raise InputError(f"'{value}' is not a number", as_in)
    if sign == ":":
        raise InputError(f"{name} is a number and cannot be searched by part", as_in)
    return number


def _finite(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _canonical(value: Any) -> str:
    """Return one text for all ways to write a value: ``[256, 128]`` is ``256, 128``, ``True`` is ``on``."""
    text = format_setting(value).strip("[]").replace(", ", ",").casefold()
    return {"true": "on", "false": "off"}.get(text, text)


def _unquoted(text: str) -> str:
    return text[1:].removesuffix('"') if text.startswith('"') else text


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else ""
