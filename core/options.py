"""The one shape of everything pluggable.

A data set, model, loss, optimizer or schedule is an `Options` class: its fields are what a person may set, and
its method builds the thing. A family of them is a union discriminated by ``name``; the union is the registry. Forms,
flags, YAML, search spaces and documentation read these classes, so nothing is written twice.

No module that defines options imports torch at its top: the form must appear before torch has loaded.
"""

import ast
import inspect
import linecache
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
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
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **settings: Any) -> None:
        """Describe the fields, which the JSON schema takes over, then build what checks them."""
        docs = _field_docs(cls)
        for name, field in cls.model_fields.items():
            field.description = field.description or docs.get(name)
        cls.model_rebuild()

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


def _field_docs(kind: type) -> dict[str, str]:
    """Return the docstrings of the fields of a class by their names, while its statement is executed.

    Pydantic finds them too, but token by token in Python: a quarter of the time of importing the schema.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == kind.__module__:
            lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
            found = _class_at(lines, frame.f_lineno - 1, kind.__name__)
            if found is not None:
                return dict(_documented(found))
        frame = frame.f_back
    return {}


def _class_at(lines: Sequence[str], first: int, name: str) -> ast.ClassDef | None:
    """Return the class of this name whose statement begins in a line; None where there is none."""
    if not lines[first : first + 1] or not lines[first].lstrip().startswith("class "):
        return None
    try:
        nodes: Sequence[ast.AST] = ast.parse(_block(lines, first)).body
    except SyntaxError:  # a text in it is not indented
        nodes = [
            node for node in ast.walk(ast.parse("".join(lines))) if getattr(node, "lineno", 0) == first + 1
        ]
    return next((node for node in nodes if isinstance(node, ast.ClassDef) and node.name == name), None)


def _block(lines: Sequence[str], first: int) -> str:
    """Return a statement and the lines below it that are indented further, or are comments."""
    margin = len(lines[first]) - len(lines[first].lstrip())
    end = first + 1
    while end < len(lines):
        text = lines[end].lstrip()
        if text and not text.startswith("#") and len(lines[end]) - len(text) <= margin:
            break
        end += 1
    return textwrap.dedent("".join(lines[first:end]))


def _documented(kind: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, after in pairwise(kind.body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if (
            isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found.append((field.target.id, inspect.cleandoc(after.value.value)))
    return found
