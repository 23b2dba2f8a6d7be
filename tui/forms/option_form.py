"""The fields of one options class outside of a configuration, as texts of a form and as flags of a command."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from core.field_errors import problems
from core.options import Options
from core.remedies import worded
from tui.forms.form import value_of
from tui.forms.form_fields import Texts, show, specs_of
from tui.forms.remedies import app_words

__all__ = ["HOST", "errors_in", "flag_of", "flags_for", "texts_of", "values_in"]

HOST = "run_in"
"""Path of the field that chooses where a run trains, and section of the settings of that place."""


def texts_of(options: Options, start: str) -> Texts:
    """Return the text of each field, by its path."""
    texts: Texts = {}
    for spec in specs_of(type(options), start):
        value = getattr(options, spec.path.rpartition(".")[2])
        texts[spec.path] = "; ".join(value) if spec.lines else show(value)
    return texts


def values_in(kind: type[Options], texts: Mapping[str, str], start: str) -> dict[str, Any]:
    """Return the values, valid or not, of those fields that have a text."""
    return {
        spec.path.rpartition(".")[2]: value_of(spec, texts[spec.path])
        for spec in specs_of(kind, start)
        if spec.path in texts
    }


def errors_in(kind: type[Options], values: Mapping[str, Any], start: str) -> dict[str, str]:
    """Return what is wrong with values, by the path of the field, in the words of a form; empty if nothing is."""
    try:
        kind.model_validate(values)
    except ValidationError as error:
        return {
            f"{start}.{path.partition('.')[0]}": f"{message}. {worded(hint, app_words)}" if hint else message
            for path, message, hint in problems(error, kind)
        }
    return {}


def flag_of(key: str) -> str:
    """Return the flag of a field."""
    return f"--{key.replace('_', '-')}"


def flags_for(options: Options) -> list[str]:
    """Return the flags that give those fields that differ from their defaults; texts among several one by one."""
    words: list[str] = []
    usual = type(options)()
    for key in type(options).model_fields:
        value = getattr(options, key)
        if key == "name" or value == getattr(usual, key):
            continue
        if isinstance(value, bool):
            words.append(flag_of(key) if value else flag_of(f"no_{key}"))
        elif isinstance(value, tuple) and any(isinstance(part, str) for part in value):
            words += [word for part in value for word in (flag_of(key), str(part))]
        else:
            words += [flag_of(key), show(value).replace(" ", "") if isinstance(value, tuple) else show(value)]
    return words
