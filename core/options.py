"""The one shape of everything pluggable.

A data set, model, loss, optimizer or schedule is an `Options` class: its fields are what a person may set, and
its method builds the thing. A family of them is a union discriminated by ``name``; the union is the registry. Forms,
flags, YAML, search spaces and documentation read these classes, so nothing is written twice.

No module that defines options imports torch at its top: the form must appear before torch has loaded.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

__all__ = [
    "Code",
    "Files",
    "Lines",
    "Options",
    "Unit",
    "are_lines",
    "choices",
    "code_fields",
    "default_of",
    "files_of",
    "unit_of",
]


class Options(BaseModel):
    """Frozen settings; unknown keys are errors; a field's docstring is its description."""

    FIRST: ClassVar[tuple[str, ...]] = ()
    """Fields that a form shows before all others, in this order."""
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        """The fields that `text`, given in place of a name, stands for; None when it is not meant for this choice.

        ``--data my.csv`` is short for the choice that has a field of `Files` with this ending, and for that field;
        ``--model mynet.py:Net`` for the one that has a field of `Code`.
        """
        for key, field in cls.model_fields.items():
            if text.lower().endswith(tuple(files_of(field))):
                return {key: text}
        return {key: text for key in code_fields(cls) if re.match(Code.PATTERN, text)} or None

    @classmethod
    def claims(cls, fields: Mapping[str, Any]) -> bool:
        """Return whether fields that name another choice are meant for this one, as they hold one only it has."""
        return False


class Unit(str):
    """Annotation that names the unit of a field, such as ``Annotated[float, Unit("seconds")]``."""


class Files(tuple[str, ...]):
    """Annotation of a text field that holds the path of a file with one of these endings; ``/`` for a folder.

    Such as ``Annotated[str, Files((".csv", ".tsv"))]``. Forms and shells complete it.
    """


class Lines:
    """Annotation of a field of several texts, each a line that may hold commas; a form separates them by ``;``."""


class Code:
    """Annotation of a text field that names a class or a function in a Python file, as FILE.py:NAME."""

    PATTERN = r"^.+\.py:[A-Za-z_]\w*$"


def choices(union: Any) -> Mapping[str, type[Options]]:
    """The option classes of a discriminated union by their ``name``, in the order of the union."""
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    members = get_args(inner) if get_origin(inner) in (Union, UnionType) else (inner,)
    return {member.model_fields["name"].default: member for member in members}


def unit_of(field: FieldInfo) -> str:
    """The unit of a field, or an empty string."""
    return next((str(item) for item in field.metadata if isinstance(item, Unit)), "")


def files_of(field: FieldInfo) -> Files:
    """The endings of the files that a field names; empty when it names none."""
    return next((item for item in field.metadata if isinstance(item, Files)), Files())


def are_lines(field: FieldInfo) -> bool:
    """Return whether a field holds several lines."""
    return any(isinstance(item, Lines) for item in field.metadata)


@cache
def code_fields(option: type[Options]) -> tuple[str, ...]:
    """The fields that name a class or a function in a Python file."""
    fields = option.model_fields.items()
    return tuple(key for key, field in fields if any(isinstance(item, Code) for item in field.metadata))


def default_of(field: FieldInfo) -> Any:
    """The default value of a field, calling its factory where it has one."""
    return field.get_default(call_default_factory=True)
