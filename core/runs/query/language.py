"""The language that picks runs: ``lr>=0.01 status:running or name:wide not tag:paper``.

    mnist  "two words"          text in the id, name, tags, data set, model or status
    status:run  data=mnist      a part of a text; with = or != the whole: id run name tag note status data model
                                optimizer schedule study loss tool agent
    epochs>=10  lr=0.1  seed=3  numbers: epochs best_epoch lr batch seed test
    accuracy>0.9  loss<=0.2     of validation: at the best epoch, or else of its evaluation
    test.f1_macro>0.9           of the evaluation of a split; also one of the user's own: validation.f2>0.5; a run whose
                                test split nobody has opened lacks those of test
    cfg.optimizer.lr=0.1        any setting; a field that one section has needs no section: cfg.lr
    age<1d                      since it was started: s min h d w
    a b  a or b  not a  (a b)   terms side by side must all hold; or binds less than that

The operators are ``= != < <= > >=``, and ``:`` for a part of a text. Case does not matter, and a quote left open
ends with the text. A run that lacks what a term asks for does not match, whatever the operator.
"""

import math
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from core.config.formatting import format_setting
from core.errors import InputError
from core.metrics import METRICS
from core.runs.query.fields import NUMBERS, TEXTS, Field, field_of
from core.runs.summary import RunSummary
from core.status import Status

__all__ = ["Query", "example", "parse", "whole_terms"]

ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
HIDDEN: Final = ("loss_function",)
"""Names that are not offered: the metric that begins so is meant more often."""
COMPARE: Final = {"=": operator.eq, "!=": operator.ne, **ORDER}
DAY: Final = 86_400.0
SECONDS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}
LOSS: Final = Field("loss", "text", lambda summary: summary.config.get("loss", {}).get("name"))
"""The function, where a text is compared with the name that the metric has, too."""

TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<parenthesis>[()])
    | (?P<name>[^\s"=!<>:()]*) (?: : | \s*(?P<op><=|>=|!=|==?|<|>)\s* ) (?P<value>"[^"]*"?|[^\s"()]*)
    | (?P<quoted>"[^"]*"?)
    | (?P<word>[^\s"()]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Term:
    """One condition: what is read from a run compares with what is wanted.

    Attributes:
        wanted: canonical text. number: the same as a number, None if it is none.
    """

    field: Field
    operator: str
    wanted: str
    number: float | None = None

    def matches(self, summary: RunSummary) -> bool:
        """Return whether the run has the value and it compares as it should."""
        value = self.field.read(summary)
        if value is None:
            return False
        if isinstance(value, tuple):
            return self._matches_text([_canonical(one) for one in value])
        if self.number is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return bool(COMPARE[self.operator](value, self.number))
        return self.operator not in ORDER and self._matches_text([_canonical(value)])

    def _matches_text(self, values: list[str]) -> bool:
        if self.operator == ":":
            return any(self.wanted in value for value in values)
        return (self.wanted in values) == (self.operator == "=")


@dataclass(frozen=True)
class Word:
    """A text, in lower case, that is looked for in what names a run."""

    text: str

    def matches(self, summary: RunSummary) -> bool:
        """Return whether it is there."""
        labels = summary.labels
        texts = (summary.run.id, labels.name, *labels.tags, summary.data, summary.data_kind, summary.model)
        return self.text in " ".join((*texts, summary.status)).casefold()


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    term: "Condition"

    def matches(self, summary: RunSummary) -> bool:
        """Return whether the condition does not hold."""
        return not self.term.matches(summary)


@dataclass(frozen=True)
class Either:
    """Several queries, one of which must hold."""

    queries: "tuple[Query, ...]"

    def matches(self, summary: RunSummary) -> bool:
        """Return whether one of them holds."""
        return any(query.matches(summary) for query in self.queries)


Condition = Term | Word | Not | Either


@dataclass(frozen=True)
class Query:
    """Parsed filter; without terms it matches every run."""

    terms: tuple[Condition, ...] = ()

    def matches(self, summary: RunSummary) -> bool:
        """Return whether all terms hold for a run."""
        return all(term.matches(summary) for term in self.terms)

    @property
    def names(self) -> Iterator[str]:
        """Yield the name of all that a term somewhere compares."""
        for term in self.terms:
            yield from _names(term)


def _names(term: Condition) -> Iterator[str]:
    match term:
        case Term():
            yield term.field.name
        case Not():
            yield from _names(term.term)
        case Either():
            for query in term.queries:
                yield from query.names


def parse(text: str) -> Query:
    """The query that a text describes.

    Raises:
        InputError: a name is unknown, a value is missing or of the wrong kind, or a part is missing beside ``or``,
            ``not`` or a parenthesis; it says what is allowed.
    """
    tokens = list(_tokens(text))
    query = _either(tokens) if tokens else Query()
    if tokens:
        raise InputError("')' closes nothing", "Put '(' before it, or quotes around the text")
    return query


def whole_terms(text: str) -> Query:
    """Return the query of all terms before the first one that is wrong, or the last one, which is being typed."""
    tokens = list(_tokens(text))
    for count in range(len(tokens) - 1, 0, -1):
        rest = tokens[:count]
        try:
            query = _either(rest)
        except InputError:
            continue
        if not rest:
            return query
    return Query()


def _tokens(text: str) -> Iterator[re.Match[str]]:
    rest = text.strip()
    while rest:
        found = TOKEN.match(rest)
        assert found is not None  # the last alternative takes whatever is left
        rest = rest[found.end() :].lstrip()
        yield found


def _either(tokens: list[re.Match[str]]) -> Query:
    """Take queries with ``or`` between them from the front of the tokens, as far as a parenthesis that closes."""
    queries = [_all_of(tokens)]
    while tokens and _is(tokens[0], "or"):
        tokens.pop(0)
        queries.append(_all_of(tokens))
    return queries[0] if len(queries) == 1 else Query((Either(tuple(queries)),))


def _all_of(tokens: list[re.Match[str]]) -> Query:
    terms = []
    while tokens and tokens[0]["parenthesis"] != ")" and not _is(tokens[0], "or"):
        if _is(tokens[0], "and"):
            tokens.pop(0)
        terms.append(_condition(tokens))
    if not terms:
        raise InputError("a term is missing", "As in status:failed or accuracy<0.5")
    return Query(tuple(terms))


def _condition(tokens: list[re.Match[str]]) -> Condition:
    if not tokens or tokens[0]["parenthesis"] == ")" or _is(tokens[0], "or"):
        raise InputError("a term is missing", "As in not status:failed")
    token = tokens.pop(0)
    if _is(token, "not"):
        return Not(_condition(tokens))
    if token["parenthesis"]:
        query = _either(tokens)
        if not tokens:
            raise InputError("'(' is not closed", "Put ')' behind the terms")
        tokens.pop(0)
        return Either((query,))
    if token["quoted"] or token["word"]:
        return _word(token["word"]) if token["word"] else Word(_unquoted(token["quoted"]).casefold())
    return _comparison(token["name"], (token["op"] or ":").replace("==", "="), _unquoted(token["value"]))


def _is(token: re.Match[str], word: str) -> bool:
    return bool(token["word"]) and token["word"].casefold() == word


def example(text: str) -> str:
    """Complete the last word of a text where it begins a name: ``accuracy>0.9`` for ``acc``; else nothing."""
    word = text.split(" ")[-1].lstrip("(").casefold()
    examples = [f"{name}:" for name in TEXTS if name not in HIDDEN] + [f"{name}>10" for name in NUMBERS]
    examples += ["age<1d", "cfg.optimizer.lr>0.1"]
    examples += [f"{name}>0.9" for name in METRICS] + ["test.accuracy>0.9", "validation.accuracy>0.9"]
    return next((known for known in examples if word and known.startswith(word)), "")


def _word(word: str) -> Word:
    if word.casefold().startswith("cfg."):
        field_of(word)
        raise InputError(f"{word} alone finds nothing", f"Add a comparison, such as {word}>0.1")
    return Word(word.casefold())


def _comparison(name: str, sign: str, value: str) -> Term:
    if not name:
        raise InputError(f"'{sign}' stands without a name", "Examples: accuracy>0.9, status:running")
    field = field_of(name)
    if field.name == "loss" and (sign == ":" or (sign in ("=", "!=") and value and _finite(value) is None)):
        field = LOSS
    if field.kind == "text":
        return _text_term(field, sign, value)
    if field.kind == "setting":
        return _setting_term(field, sign, value)
    number = _seconds(sign, value) if field.kind == "age" else _number(field.name, sign, value)
    return Term(field, sign, value, number)


def _text_term(field: Field, sign: str, value: str) -> Term:
    name = field.name
    if sign in ORDER:
        raise InputError(
            f"{name} is text and has no order", f"Takes {name}:part, {name}=whole or {name}!=whole"
        )
    wanted = _canonical(value)
    if name == "status":
        _check_status(sign, wanted)
    elif not value:
        raise InputError(f"{name}{sign} needs a text", f"Example: {name}:part")
    return Term(field, sign, wanted)


def _check_status(sign: str, wanted: str) -> None:
    known = get_args(Status)
    if not wanted or not any(wanted == status or (sign == ":" and wanted in status) for status in known):
        raise InputError(f"unknown status '{wanted}'", f"Takes {', '.join(known)}")


def _setting_term(field: Field, sign: str, value: str) -> Term:
    name = field.name
    if not value:
        example = "0.1" if sign in ORDER else "value"
        raise InputError(f"{name}{sign} needs a value", f"Example: {name}{sign}{example}")
    number = _number(name, sign, value) if sign in ORDER else _finite(value)
    return Term(field, sign, _canonical(value), number)


def _number(name: str, sign: str, value: str) -> float:
    number = _finite(value)
    usual = {"lr": 0.1, "test": 0.9}.get(name, 10 if name in NUMBERS else 0.9)
    as_in = f"Example: {name}{sign if sign != ':' else '>'}{usual}"
    if not value:
        raise InputError(f"{name}{sign} needs a number", as_in)
    if number is None:
        raise InputError(f"'{value}' is not a number", as_in)
    if sign == ":":
        raise InputError(f"{name} is a number and cannot be searched by part", as_in)
    return number


def _seconds(sign: str, value: str) -> float:
    """Return a time such as ``12h`` in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]+)", value.casefold())
    if found is None or found[2] not in SECONDS or sign not in ORDER:
        raise InputError(
            f"age{sign}{value} is not a time to compare with", "Examples: age<1d, age>12h, age>2w"
        )
    return float(found[1]) * SECONDS[found[2]]


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
