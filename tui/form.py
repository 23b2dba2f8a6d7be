"""The form without a screen: `TrainConfig` as fields with labels, hints and texts, and their texts as values again.

Everything here is read from the schema, so a new field, or a new class in a union, needs no change.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from core.config import FAMILIES, TrainConfig, in_full
from core.config_errors import problems
from core.options import Files, Options, choices, default_of, files_of, unit_of
from tui.text import clean

__all__ = [
    "DEVICE",
    "SECTIONS",
    "FieldSpec",
    "Texts",
    "check",
    "choose",
    "fields_of",
    "fill",
    "short",
    "show",
    "valid_part",
    "values_of",
]

SECTIONS = tuple(TrainConfig.model_fields)
LABELS = {"data.name": "dataset", "optimizer.lr": "learning rate"}
DEVICE, RATE = "training.device", "optimizer.lr"
DEVICES = ("auto", "cpu")
"""What can be chosen before the devices are known."""

Texts = dict[str, str]
"""Dotted path of each field, in the order of the form -> the text in it."""


@dataclass(frozen=True)
class FieldSpec:
    """One field of the form.

    Attributes:
        path: dotted, such as ``optimizer.lr``.
        default: its text at the start.
        hint: what it takes, in a few words: bounds and unit.
        about: its description, a sentence.
        kind: ``choice`` of `choices`, ``switch``, ``number`` or ``text``.
        many: several values with commas between them.
        files: endings of the files that a text names the path of.
        choices: what can be chosen.
        labels: how the choices are shown; by default as they are.
    """

    path: str
    label: str
    default: str
    hint: str
    about: str
    kind: Literal["choice", "switch", "number", "text"]
    many: bool = False
    files: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()

    def takes_as(self, other: "FieldSpec") -> bool:
        """Whether both take the same values."""
        alike = (self.kind, self.many, self.choices) == (other.kind, other.many, other.choices)
        return alike and (bool(self.choices) or self.hint == other.hint)


@cache
def fields_of(section: str, name: str = "") -> tuple[FieldSpec, ...]:
    """The fields of a section, ``name`` first.

    Args:
        name: what is chosen in a section that is a family, such as ``adam``.
    """
    option = _options(section, name)
    keys = sorted(
        option.model_fields, key=lambda key: (key != "name", not files_of(option.model_fields[key]))
    )
    specs = [_spec(f"{section}.{key}", option.model_fields[key]) for key in keys if key != "name"]
    return (_name_spec(section, name, option), *specs) if section in FAMILIES else tuple(specs)


def fill(values: Mapping[str, Any]) -> tuple[Texts, list[str]]:
    """The texts of all fields for nested values, and the paths of values that no field takes.

    What is missing gets its default. Values need not be valid.
    """
    texts: Texts = {}
    dropped = [str(key) for key in values if key not in SECTIONS]
    for section in SECTIONS:
        given = values.get(section, {})
        if section in FAMILIES:
            given = in_full(section, given)
        if not isinstance(given, Mapping):
            dropped.append(section)
            given = {}
        name = given.get("name", _default_name(section))
        if section in FAMILIES and name not in _names(section):
            dropped.append(f"{section}.name = {name}")
            given, name = {}, _default_name(section)
        specs = {spec.path: spec.default for spec in fields_of(section, name)}
        paths = {f"{section}.{key}": value for key, value in given.items()}
        texts |= {path: show(paths[path]) if path in paths else text for path, text in specs.items()}
        dropped += [path for path in paths if path not in specs]
    return texts, dropped


def choose(texts: Texts, section: str, name: str) -> Texts:
    """`texts` after another choice in one section.

    It starts from that choice's defaults. A field that was edited, and that both have with the same bounds, keeps
    its text; a learning rate does not, since that of one optimizer is not meant for another.
    """
    before = {spec.path: spec for spec in fields_of(section, texts[f"{section}.name"])}
    chosen: Texts = {}
    for spec in fields_of(section, name):
        old = before.get(spec.path, spec)
        kept = spec.takes_as(old) and spec.path != RATE and texts.get(spec.path, old.default) != old.default
        chosen[spec.path] = texts[spec.path] if kept else spec.default
    chosen[f"{section}.name"] = name
    sections = {key: _section_texts(texts, key) for key in SECTIONS} | {section: chosen}
    return {path: text for part in sections.values() for path, text in part.items()}


def values_of(texts: Texts) -> dict[str, Any]:
    """The nested values that the texts stand for, as `core.config.from_dict` takes them; maybe invalid."""
    return {
        section: {
            spec.path.partition(".")[2]: _read(spec, texts[spec.path])
            for spec in fields_of(section, texts.get(f"{section}.name", ""))
        }
        for section in SECTIONS
    }


def check(values: Mapping[str, Any]) -> tuple[TrainConfig | None, dict[str, str]]:
    """The configuration, or the path of each wrong field and what is wrong with it, as the command line says it."""
    try:
        return TrainConfig.model_validate(values), {}
    except ValidationError as error:
        found = problems(error, TrainConfig)
    return None, {
        ".".join(path.split(".")[:2]): f"{message}. {hint}" if hint else message
        for path, message, hint in found
    }


def valid_part(values: Mapping[str, Any], wrong: Collection[str]) -> dict[str, Any]:
    """Nested values without the fields at the given paths."""
    return {
        section: {key: value for key, value in fields.items() if f"{section}.{key}" not in wrong}
        for section, fields in values.items()
    }


def short(message: str) -> str:
    """A problem without the value it was found in, since that stands beside it."""
    _, takes, wanted = message.rpartition(", takes ")
    return f"takes {wanted}" if takes else message


def show(value: Any) -> str:
    """A value as the text of a field."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value))
    return clean("none" if value is None else str(value))


def _read(spec: FieldSpec, text: str) -> Any:
    """The value that a text stands for; the text itself where it stands for none."""
    if spec.kind == "switch":
        return text == "on"
    if spec.kind == "choice":
        return next((choice for choice in spec.choices if show(choice) == text), text)
    reader = _number_or_text if spec.kind == "number" else str
    if not spec.many:
        return reader(text.strip())
    parts = [part.strip() for part in text.strip(" []()").split(",")]
    return [reader(part) for part in (parts if parts[-1] else parts[:-1])]


def _number_or_text(text: str) -> int | float | str | None:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return None if text == "none" else text


def _options(section: str, name: str) -> type[Options]:
    if section in FAMILIES:
        return choices(FAMILIES[section])[name]
    return type(default_of(TrainConfig.model_fields[section]))


def _names(section: str) -> tuple[str, ...]:
    return tuple(choices(FAMILIES[section]))


def _default_name(section: str) -> str:
    return getattr(default_of(TrainConfig.model_fields[section]), "name", "")


def _section_texts(texts: Texts, section: str) -> Texts:
    return {path: text for path, text in texts.items() if path.partition(".")[0] == section}


def _name_spec(section: str, name: str, option: type[Options]) -> FieldSpec:
    about = " ".join((option.__doc__ or "").split())
    path = f"{section}.name"
    return FieldSpec(
        path=path,
        label=LABELS.get(path, section),
        default=_default_name(section),
        hint=about.rstrip("."),
        about=f"{name}: {about}",
        kind="choice",
        choices=_names(section),
    )


def _spec(path: str, field: FieldInfo) -> FieldSpec:
    annotation = field.annotation
    about = " ".join((field.description or "").split())
    listed = DEVICES if path == DEVICE else get_args(annotation) if get_origin(annotation) is Literal else ()
    plain = listed or annotation is bool
    types = _types(annotation)
    return FieldSpec(
        path=path,
        label=LABELS.get(path, path.partition(".")[2].replace("_", " ")),
        default="" if field.is_required() else show(default_of(field)),
        hint=about.rstrip(".") if plain else f"{_takes(annotation, field.metadata)} {unit_of(field)}".strip(),
        about=about,
        kind="choice" if listed else "switch" if plain else "number" if types & {int, float} else "text",
        many=tuple in types,
        files=files_of(field),
        choices=listed,
    )


def _types(annotation: Any) -> set[Any]:
    """All types that an annotation speaks of, those of its members included."""
    origin = get_origin(annotation)
    inner = () if origin is Literal else get_args(annotation)
    inner = inner[:1] if origin is Annotated else inner
    return {origin or annotation}.union(*map(_types, inner))


def _takes(annotation: Any, metadata: list[Any]) -> str:
    """What a type takes, in a few words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        constraints = [part for item in arguments[1:] for part in getattr(item, "metadata", [item])]
        return _takes(arguments[0], [*metadata, *constraints])
    if files := next((item for item in metadata if isinstance(item, Files)), None):
        return "a folder" if files == ("/",) else f"a file ending in {' '.join(files)}"
    if annotation is str and not metadata:
        return "text"
    if origin in (Union, UnionType):
        return " or ".join(filter(None, (_takes(member, metadata) for member in arguments)))
    if origin is Literal:
        return " or ".join(map(show, arguments))
    if origin is tuple:
        number = "a list" if Ellipsis in arguments else f"{len(arguments)} values"
        each = _takes(arguments[0], [])
        return f"{number}, each {each}" if each else number
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
