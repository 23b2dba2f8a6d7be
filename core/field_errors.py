"""Errors found by pydantic, as one line that names the field, the value it got, and the values it takes."""

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from core.counting import counted
from core.errors import ConfigError
from core.options import choices
from core.remedies import VALID_CONFIG, Hint, parts

__all__ = ["as_config_error", "problems"]

BY_NAME = "values by name, such as {NAME: {FIELD: VALUE}}"


def as_config_error(error: ValidationError, schema: type[BaseModel]) -> ConfigError:
    """One `ConfigError` for all that `error` found; its field is the first one."""
    found = problems(error, schema)
    path, message, hint = found[0]
    if len(found) > 1:
        more = "; ".join(f"{path}: {message}" for path, message, _ in found[1:])
        hint = (*parts(hint), f". Also {more}") if hint else f"Also {more}"
    return ConfigError(f"{path}: {message}", hint, field=path)


def problems(error: ValidationError, schema: type[BaseModel]) -> list[tuple[str, str, Hint]]:
    """(dotted path, what is wrong, what to do) of every problem, one a field."""
    found: dict[str, tuple[str, str, Hint]] = {}
    for detail in error.errors():
        path, section, others = _path(detail["loc"], schema)
        if detail["type"].startswith("union_tag_"):
            path += ".name"
        message, hint = _explain(detail, path, section, others)
        if path in found and ", takes " in message:  # a field of several types fails once for each of them
            message = f"{found[path][1]} or {message.partition(', takes ')[2]}"
        found[path] = (path, message, hint)
    inner = {path.rpartition(".")[0] for path in found if path.rpartition(".")[2].isdigit()}
    return [problem for path, problem in found.items() if path not in inner]


def _path(
    loc: tuple[int | str, ...], schema: type[BaseModel]
) -> tuple[str, type[BaseModel], Mapping[str, type[BaseModel]]]:
    """Return the dotted path of a location, without pydantic's union tags.

    With it the model that holds its last key, and the choices that could stand in place of that model, by name.
    """
    keys: list[str] = []
    section: type[BaseModel] = schema
    others: Mapping[str, type[BaseModel]] = {}
    parts = list(loc)
    while parts:
        key = str(parts.pop(0))
        keys.append(key)
        field = section.model_fields.get(key)
        if field is None or not parts:
            break
        if field.discriminator:
            others = choices(field.annotation)
            section = others.get(str(parts.pop(0)), section)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            section, others = field.annotation, {}
        else:
            keys += [str(part) for part in parts if isinstance(part, int)]
            break
    return ".".join(keys), section, others


def _explain(
    detail: Any, path: str, section: type[BaseModel], others: Mapping[str, type[BaseModel]]
) -> tuple[str, Hint]:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        key = path.rpartition(".")[2]
        hint = _nearest(key, [*section.model_fields])
        if having := [name for name, other in others.items() if key in other.model_fields]:
            hint += (
                f". It is a setting of {', '.join(having[:5])}: choose one as {path.rpartition('.')[0]}.name"
            )
        return "unknown key", hint
    if kind == "union_tag_invalid":
        known = [name.strip(" '") for name in context["expected_tags"].split(",")]
        return f"no such name '{context['tag']}'", _nearest(context["tag"], known)
    if kind == "model_type" and "." in path:  # of a mapping in a section, such as `optimizer.groups`
        return f"got {_show(given)}, takes {BY_NAME}", ""
    if kind in ("union_tag_not_found", "model_type", "model_attributes_type"):
        return (
            f"got {_show(given)}, takes a section of fields such as `name`",
            (VALID_CONFIG,),
        )
    if kind == "value_error":  # a field's own check, which says what was wrong; what to do
        wrong, _, hint = str(context["error"]).partition("; ")
        return wrong, hint
    return f"got {_show(given)}, takes {_wanted(detail, section, path)}", ""


def _wanted(detail: Any, section: type[BaseModel], path: str) -> str:
    """Describe the values that a field takes, from the kind of the problem."""
    kind, context = detail["type"], detail.get("ctx", {})
    bounds = {
        "greater_than": "a number > {gt:,.10g}",
        "greater_than_equal": "a number >= {ge:,.10g}",
        "less_than": "a number < {lt:,.10g}",
        "less_than_equal": "a number <= {le:,.10g}",
        "literal_error": "{expected}",
        "too_short": f"at least {counted(context.get('min_length', 0), 'value')}",
        "too_long": f"at most {counted(context.get('max_length', 0), 'value')}",
        "missing": "one more value",
    }
    if kind in bounds:
        return bounds[kind].format(**context)
    kinds = {
        "int": "a whole number",
        "float": "a number",
        "finite": "a finite number",
        "bool": "true or false",
        "string": "text",
        "tuple": "a list such as [a, b]" if _holds_text(section, path) else "a list such as [256, 128]",
        "list": "a list such as [256, 128]",
        "dict": BY_NAME,
    }
    field = section.model_fields.get(path.rpartition(".")[2])
    if kind == "string_pattern_mismatch" and field is not None and field.description:
        return field.description.partition(":")[2].strip(" .") or "another value"
    return next((words for start, words in kinds.items() if kind.startswith(start)), str(detail["msg"]))


def _holds_text(section: type[BaseModel], path: str) -> bool:
    """Return whether a field takes a list of names."""
    field = section.model_fields.get(path.rpartition(".")[2])
    return field is not None and str in get_args(field.annotation)


def _nearest(given: str, known: list[str]) -> str:
    close = get_close_matches(str(given), known, n=1, cutoff=0.5)
    suggestion = f"Did you mean '{close[0]}'? " if close else ""
    return f"{suggestion}Known: {', '.join(known)}"


def _show(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        text = repr(value)
    except ValueError:  # Python writes out no numbers of more than some thousand digits
        return "a number too long to show"
    return text if len(text) <= 60 else text[:57] + "..."
