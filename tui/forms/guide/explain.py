"""Explanations of the fields of a form, for a user who asks what one is."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.config.schema import FAMILIES
from core.options import choices
from tui.forms.flags import FLAGS
from tui.forms.form_fields import FieldSpec, show
from tui.forms.option_form import HOST, flag_of

__all__ = ["Explanation", "of_field"]


@dataclass(frozen=True)
class Explanation:
    """An answer to "what is this?".

    Attributes:
        title: what is explained.
        about: some sentences.
        facts: label and value of each fact.
        choices: what can be chosen, and what each is.
    """

    title: str
    about: str
    facts: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)


def of_field(spec: FieldSpec, text: str) -> Explanation:
    """Explain a field of a configuration with its present text."""
    section, _, key = spec.path.partition(".")
    listed = {}
    if key == "name" and section in FAMILIES:
        listed = {name: _about(option.__doc__) for name, option in choices(FAMILIES[section]).items()}
    elif spec.choices:
        listed = dict.fromkeys(spec.labels or map(show, spec.choices), "")
    facts = {"now": text or "empty"}
    if not listed:
        facts["takes"] = "on or off" if spec.kind == "switch" else spec.hint
    facts |= {"default": spec.default or "empty"}
    if section in FAMILIES or key or section == HOST:
        facts["command"] = _option(spec, text)
    about = "" if key == "name" else spec.about
    return Explanation(spec.label, about, facts, listed)


def _option(spec: FieldSpec, text: str) -> str:
    """Return the option of the command line that sets a field."""
    value = text or "VALUE"
    section, _, key = spec.path.partition(".")
    if section == HOST:
        return shlex.join([flag_of(key or section), value])
    flag = next((flag for flag, path in FLAGS.items() if path == spec.path), "")
    if spec.many and text:
        value = f"[{','.join(part.strip() for part in text.split(','))}]"
    return shlex.join([flag, value] if flag else ["--set", f"{spec.path}={value}"])


def _about(doc: str | None) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join((doc or "").strip().partition("\n\n")[0].split())
