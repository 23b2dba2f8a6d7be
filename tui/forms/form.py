"""The form without a screen: `TrainConfig` as fields with labels, hints and texts, and their texts as values again.

Everything here is read from the schema, so a new field, or a new class in a union, needs no change.
"""

from collections.abc import Collection, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from core.config.schema import FAMILIES, TrainConfig, from_dict, in_full, to_dict, with_suggestions
from core.errors import ConfigError
from core.field_errors import problems
from core.remedies import worded
from core.user_code.arguments import ARGUMENTS, wrong_arguments
from tui.forms.form_fields import (
    RATE,
    SECTIONS,
    FieldSpec,
    Texts,
    default_name,
    fields_in,
    fields_of,
    names,
    show,
)
from tui.forms.remedies import app_words

__all__ = [
    "STEPS",
    "check",
    "choose",
    "fill",
    "refit",
    "short",
    "typed",
    "valid_part",
    "value_of",
    "values_of",
]

STEPS = "training.min_steps"


def refit(texts: Texts) -> Texts:
    """`texts` with one for each argument of the code that is named, and for no others."""
    return {
        spec.path: texts.get(spec.path, spec.default)
        for section in SECTIONS
        for spec in fields_in(section, texts)
    }


def fill(values: Mapping[str, Any]) -> tuple[Texts, list[str]]:
    """The texts of all fields for nested values, and the paths of values that no field takes.

    Missing values get what goes with the data and the model, or else their default. Values need not be valid.
    """
    values = with_suggestions(values)
    texts: Texts = {}
    dropped = [str(key) for key in values if key not in SECTIONS]
    for section in SECTIONS:
        given = values.get(section, {})
        if section in FAMILIES:
            given = in_full(section, given)
        if not isinstance(given, Mapping):
            dropped.append(section)
            given = {}
        name = given.get("name", default_name(section))
        if section in FAMILIES and name not in names(section):
            dropped.append(f"{section}.name = {name}")
            given, name = {}, default_name(section)
        paths = {f"{section}.{key}": value for key, value in given.items()}
        arguments = paths.pop(f"{section}.{ARGUMENTS}", {})
        if isinstance(arguments, Mapping):
            paths |= {f"{section}.{ARGUMENTS}.{key}": value for key, value in arguments.items()}
        shown = {path: show(value) for path, value in paths.items()} | {f"{section}.name": show(name)}
        specs = {spec.path: spec.default for spec in fields_in(section, shown)}
        texts |= {path: show(paths[path]) if path in paths else text for path, text in specs.items()}
        dropped += [path for path in paths if path not in specs]
    return texts, dropped


def choose(texts: Texts, section: str, name: str) -> Texts:
    """`texts` after another choice in one section.

    It starts from that choice's defaults. A field that was edited, and that both have with the same bounds, keeps
    its text; a learning rate does not, since that of one optimizer is not meant for another. Other sections that were
    not edited follow what goes with the choice, as the model that goes with tables.
    """
    chosen = _chosen(texts, section, name)
    if section == "data" and _is_usual(texts, "model"):
        chosen = _chosen(chosen, "model", _usual({"data": {"name": name}})["model.name"])
    if chosen["model.name"] == texts["model.name"]:
        return chosen
    usual = _usual({key: {"name": chosen[f"{key}.name"]} for key in ("data", "model")})
    follow = [other for other in ("optimizer", "schedule", "training") if _is_usual(texts, other)]
    kept = {path: text for path, text in chosen.items() if path.partition(".")[0] not in follow}
    return refit(kept | {path: text for path, text in usual.items() if path.partition(".")[0] in follow})


def typed(texts: Texts, path: str, text: str) -> Texts:
    """`texts` after a text was typed into a field.

    Epochs that are given have no smallest number of steps beside them, unless that was given, too.
    """
    after = {**texts, path: text}
    if path == "training.epochs":
        usual = _usual({key: {"name": texts[f"{key}.name"]} for key in ("data", "model")})
        if texts[STEPS] == usual[STEPS]:
            after[STEPS] = show(0)
    return after


def _usual(choices: Mapping[str, Any]) -> Texts:
    """The texts of a configuration in which nothing but some choices is given."""
    try:
        return fill(to_dict(from_dict(choices)))[0]
    except ConfigError:  # a choice that cannot do without a file
        return fill({})[0]


def _is_usual(texts: Texts, section: str) -> bool:
    """Return whether a section is as it goes with data and model, so that it was not edited."""
    given = ("data",) if section == "model" else ("data", "model")
    usual = _usual({key: {"name": texts[f"{key}.name"]} for key in given})
    return _section_texts(texts, section) == _section_texts(usual, section)


def _chosen(texts: Texts, section: str, name: str) -> Texts:
    before = {spec.path: spec for spec in fields_of(section, texts[f"{section}.name"])}
    chosen: Texts = {}
    for spec in fields_of(section, name):
        old = before.get(spec.path, spec)
        kept = spec.takes_as(old) and spec.path != RATE and texts.get(spec.path, old.default) != old.default
        chosen[spec.path] = texts[spec.path] if kept else spec.default
    chosen[f"{section}.name"] = name
    sections = {key: _section_texts(texts, key) for key in SECTIONS} | {section: chosen}
    return refit({path: text for part in sections.values() for path, text in part.items()})


def values_of(texts: Texts) -> dict[str, Any]:
    """The nested values that the texts stand for, as `core.config.schema.from_dict` takes them; maybe invalid."""
    return {section: _section_values(section, texts) for section in SECTIONS}


def _section_values(section: str, texts: Texts) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for spec in fields_in(section, texts):
        _, key, *argument = spec.path.split(".")
        if not argument:
            values[key] = value_of(spec, texts[spec.path])
        elif texts[spec.path] != spec.default:  # the others are the function's own
            values.setdefault(key, {})[argument[0]] = value_of(spec, texts[spec.path])
    return values


def check(values: Mapping[str, Any]) -> tuple[TrainConfig | None, dict[str, str]]:
    """Return the configuration, or the error of each invalid field by path, worded as on the command line."""
    try:
        config = TrainConfig.model_validate(values)
    except ValidationError as error:
        found = problems(error, TrainConfig)
        return None, {
            ".".join(path.split(".")[:2]): f"{message}. {worded(hint, app_words)}" if hint else message
            for path, message, hint in found
        }
    sections = {section: getattr(config, section) for section in FAMILIES}
    wrong = {
        f"{section}.{ARGUMENTS}.{key}": message
        for section, options in sections.items()
        for key, message in wrong_arguments(type(options), dict(options)).items()
    }
    return (None, wrong) if wrong else (config, {})


def valid_part(values: Mapping[str, Any], wrong: Collection[str]) -> dict[str, Any]:
    """Nested values without the fields at the given paths."""

    def rest(path: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            key: rest(f"{path}.{key}", part) for key, part in value.items() if f"{path}.{key}" not in wrong
        }

    return {section: rest(section, fields) for section, fields in values.items()}


def short(message: str) -> str:
    """Shorten an error by the value, which is displayed beside it."""
    _, takes, wanted = message.rpartition(", takes ")
    return f"takes {wanted}" if takes else message


def value_of(spec: FieldSpec, text: str) -> Any:
    """Return the value of the text in a field; the text itself if it is not valid."""
    if spec.kind == "switch":
        return text == "on"
    if spec.kind == "choice":
        return next((choice for choice in spec.choices if show(choice) == text), text)
    if spec.mapping:
        return _mapping(text)
    if spec.lines:
        return [line.strip() for line in text.split(";") if line.strip()]
    if text.strip() in spec.words:
        return text.strip()
    reader = _number_or_text if spec.kind == "number" else str
    if not spec.many:
        return reader(text.strip())
    parts = [part.strip() for part in _without_brackets(text.strip()).split(",")]
    return [reader(part) for part in (parts if parts[-1] else parts[:-1])]


def _without_brackets(text: str) -> str:
    first, inside, last = text[:1], text[1:-1], text[-1:]
    return inside if first + last in ("[]", "()") and first not in inside else text


def _mapping(text: str) -> Any:
    """Values by name, written as in YAML with or without the outer braces; the text itself if it is neither."""
    try:
        values = yaml.safe_load(text if text.strip().startswith("{") else f"{{{text}}}")
    except (yaml.YAMLError, ValueError):
        return text
    return values if isinstance(values, dict) else text


def _number_or_text(text: str) -> int | float | str | None:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return None if text == "none" else text


def _section_texts(texts: Texts, section: str) -> Texts:
    return {path: text for path, text in texts.items() if path.partition(".")[0] == section}
