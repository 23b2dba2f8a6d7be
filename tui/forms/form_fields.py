"""The fields of a form, as the schema describes them: labels, hints, and what each takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from core.config.formatting import format_setting
from core.config.schema import FAMILIES, TrainConfig
from core.options import Code, Files, Options, are_lines, choices, code_fields, default_of, files_of, unit_of
from core.user_code.arguments import ARGUMENTS, known_arguments
from tui.forms.command_line import written
from tui.terminal.text import clean

__all__ = [
    "DEVICE",
    "RATE",
    "SECTIONS",
    "FieldSpec",
    "Texts",
    "default_name",
    "fields_in",
    "fields_of",
    "names",
    "show",
    "specs_of",
]

SECTIONS = tuple(TrainConfig.model_fields)
LABELS = {"data.name": "dataset", "optimizer.lr": "learning rate"}
SPELLED = {"gpus": "GPUs"}
"""Words of names that labels spell otherwise."""
DEVICE, RATE = "training.device", "optimizer.lr"
DEVICES = ("auto", "cpu")
"""Choices offered before the devices are known."""

KINDS: Mapping[Any, str] = {int: "whole number", float: "number", str: "a name"}
"""Hints of fields without bounds."""

Texts = dict[str, str]
"""Dotted path of each field, in the order of the form -> the text in it."""


@dataclass(frozen=True)
class FieldSpec:
    """One field of the form.

    Attributes:
        path: dotted, such as ``optimizer.lr``.
        default: its text at the start.
        hint: short description of valid values: bounds and unit.
        about: its description, a sentence.
        kind: ``choice`` of `choices`, ``switch``, ``number`` or ``text``.
        many: several values, comma-separated.
        lines: those are lines, between semicolons.
        mapping: values by name, as in YAML.
        words: texts that stand for themselves in a field of several values.
        files: suffixes of the files whose path the text is.
        choices: the available choices.
        labels: how the choices are shown; by default as they are.
        code: it names the user's code, whose arguments are fields too.
    """

    path: str
    label: str
    default: str
    hint: str
    about: str
    kind: Literal["choice", "switch", "number", "text"]
    many: bool = False
    lines: bool = False
    mapping: bool = False
    words: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()
    code: bool = False

    def takes_as(self, other: "FieldSpec") -> bool:
        """Return whether both take the same values."""
        alike = (self.kind, self.many, self.choices) == (other.kind, other.many, other.choices)
        return alike and (bool(self.choices) or self.hint == other.hint)


@cache
def fields_of(section: str, name: str = "") -> tuple[FieldSpec, ...]:
    """The fields of a section, ``name`` first.

    Args:
        name: what is chosen in a section that is a family, such as ``adam``.
    """
    option = _options(section, name)
    specs = specs_of(option, section)
    return (_name_spec(section, name, option), *specs) if section in FAMILIES else specs


def specs_of(option: type[Options], start: str) -> tuple[FieldSpec, ...]:
    """The fields of an options class but ``name``, at paths that start so."""
    fields = option.model_fields
    first = ("name", *option.FIRST, *(key for key, field in fields.items() if files_of(field)))
    keys = [*dict.fromkeys((*first, *fields))]
    if code_fields(option):
        keys = [key for key in keys if key != ARGUMENTS]  # they are fields of their own
    return tuple(_spec(f"{start}.{key}", fields[key]) for key in keys if key != "name")


def fields_in(section: str, texts: Texts) -> tuple[FieldSpec, ...]:
    """The fields of a section as the texts make them: also the arguments of the code that is named there.

    While the source cannot be read, the current arguments are kept.
    """
    name = texts.get(f"{section}.name", "")
    option, start = _options(section, name), f"{section}.{ARGUMENTS}."
    specs = fields_of(section, name)
    if not code_fields(option) or ARGUMENTS not in option.model_fields:
        return specs
    values = {spec.path.partition(".")[2]: texts.get(spec.path, "") for spec in specs}
    known = known_arguments(option, values)
    if known is None:
        kept = (path for path in texts if path.startswith(start))
        return (*specs, *(FieldSpec(path, path.removeprefix(start), "", "", "", "text") for path in kept))
    fields = ((key, field) for key, field in known.model_fields.items() if field.annotation is not Any)
    return (*specs, *(_spec(f"{start}{key}", field) for key, field in fields))


def names(section: str) -> tuple[str, ...]:
    """Return the choices of a family's section."""
    return tuple(choices(FAMILIES[section]))


def default_name(section: str) -> str:
    """Return the default choice; empty where there is none."""
    return getattr(default_of(TrainConfig.model_fields[section]), "name", "")


def show(value: Any) -> str:
    """Return a value as the text of a field, which is also what may be typed there."""
    if value is None:
        return "none"
    if value in ([], (), {}):
        return ""
    return clean(written(value) if isinstance(value, dict) else format_setting(value))


def _options(section: str, name: str) -> type[Options]:
    if section in FAMILIES:
        return choices(FAMILIES[section])[name]
    return type(default_of(TrainConfig.model_fields[section]))


def _name_spec(section: str, name: str, option: type[Options]) -> FieldSpec:
    about = " ".join((option.__doc__ or "").split())
    path = f"{section}.name"
    return FieldSpec(
        path=path,
        label=LABELS.get(path, section),
        default=default_name(section),
        hint=about.rstrip("."),
        about=f"{name}: {about}",
        kind="choice",
        choices=names(section),
    )


def _spec(path: str, field: FieldInfo) -> FieldSpec:
    annotation = field.annotation
    about = " ".join((field.description or "").split())
    listed = DEVICES if path == DEVICE else get_args(annotation) if get_origin(annotation) is Literal else ()
    plain = listed or annotation is bool
    types = _types(annotation)
    return FieldSpec(
        path=path,
        label=LABELS.get(path)
        or " ".join(SPELLED.get(word, word) for word in path.rpartition(".")[2].split("_")),
        default="" if field.is_required() else show(default_of(field)),
        hint=about.rstrip(".") if plain else _hint(field),
        about=about,
        kind="choice" if listed else "switch" if plain else "number" if types & {int, float} else "text",
        many=tuple in types,
        lines=are_lines(field),
        mapping=dict in types,
        words=tuple(part for part in _literals(annotation) if isinstance(part, str))
        if tuple in types
        else (),
        files=files_of(field),
        choices=listed,
        code=_is_code(field),
    )


def _is_code(field: FieldInfo) -> bool:
    return any(isinstance(item, Code) for item in field.metadata)


def _hint(field: FieldInfo) -> str:
    """Describe the values of a field: bounds and unit, or else the kind of value."""
    if are_lines(field):
        return "lines, ; between them"
    hint = f"{_takes(field.annotation, field.metadata)} {unit_of(field)}".strip()
    return hint or KINDS.get(field.annotation, "")


def _types(annotation: Any) -> set[Any]:
    """All types that an annotation speaks of, those of its members included."""
    origin = get_origin(annotation)
    inner = () if origin is Literal else get_args(annotation)
    inner = inner[:1] if origin is Annotated else inner
    return {origin or annotation}.union(*map(_types, inner))


def _literals(annotation: Any) -> tuple[Any, ...]:
    """All choices that an annotation speaks of, among other types."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return tuple(choice for member in members for choice in _literals(member))


def _takes(annotation: Any, metadata: list[Any]) -> str:
    """Describe the values of a type in a few words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        constraints = [part for item in arguments[1:] for part in getattr(item, "metadata", [item])]
        return _takes(arguments[0], [*metadata, *constraints])
    if files := next((item for item in metadata if isinstance(item, Files)), None):
        return "a folder" if files == ("/",) else f"a file ending in {' '.join(files)}"
    if any(isinstance(item, Code) for item in metadata):
        return "names or FILE.py:NAME, comma-separated" if origin is tuple else "FILE.py:NAME"
    if annotation is str and not metadata:
        return "text"
    if origin in (Union, UnionType):
        return " or ".join(filter(None, (_takes(member, metadata) for member in arguments)))
    if origin is Literal:
        return " or ".join(map(show, arguments))
    if origin is dict:
        return "METRIC: {ARGUMENT: VALUE}" if get_origin(arguments[1]) is dict else "PATTERN: {FIELD: VALUE}"
    if origin is tuple:
        each = "names" if arguments[0] is str else _takes(arguments[0], []) or "values"
        return (
            f"{each}, comma-separated" if Ellipsis in arguments else f"{len(arguments)} values, each {each}"
        )
    return "none" if annotation is NoneType else _bounds(metadata)


def _bounds(metadata: list[Any]) -> str:
    low: tuple[str, Any] | None
    high: tuple[str, Any] | None
    low = next((("", item.ge) for item in metadata if isinstance(item, Ge)), None)
    low = next((("> ", item.gt) for item in metadata if isinstance(item, Gt)), low)
    high = next((("", item.le) for item in metadata if isinstance(item, Le)), None)
    high = next((("< ", item.lt) for item in metadata if isinstance(item, Lt)), high)
    if low and high:
        return f"{_bound(low)} … {_bound(high)}"
    if low:
        return _bound((low[0] or "≥ ", low[1]))
    return _bound((high[0] or "≤ ", high[1])) if high else ""


def _bound(bound: tuple[str, Any]) -> str:
    sign, value = bound
    return f"{sign}{value:,}" if isinstance(value, int) else f"{sign}{value:g}"
