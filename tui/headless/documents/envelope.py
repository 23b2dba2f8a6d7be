"""The form that all documents share: a version, the name of their kind, and values that any reader of JSON takes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar

from tui.runtime.streams import print_result

__all__ = ["VERSION", "Document", "FailureDocument", "as_dict", "as_text", "print_document"]

VERSION = 1
"""Of all documents. Keys are only ever added; whatever changes the meaning of one makes a new version."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """Base of all documents; its fields are their keys.

    Attributes:
        kind: the value of the key ``document``, or of ``event`` in a line among others.
        is_line: whether it is a line of JSON lines, and not all of the output.
    """

    kind: ClassVar[str]
    is_line: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class FailureDocument(Document):
    """An error that ends a command, in place of its result.

    Attributes:
        error: its class, such as ``RunError``.
        message: one line: what was wrong, what was given. hint: what to do; empty where the message says it all.
        exit_code: of the process.
        choices: what was meant may be one of these, a line each.
    """

    kind = "error"
    error: str
    message: str
    hint: str = ""
    exit_code: int = 1
    choices: list[str] = field(default_factory=list)


def as_dict(document: Document) -> dict[str, Any]:
    """Return a document as plain values: numbers that are not finite are None, paths are texts."""
    values: dict[str, Any] = _plain(_raw(document))
    return values


def as_text(document: Document) -> str:
    """Return a document as JSON on one line."""
    values = _raw(document)
    try:
        return json.dumps(values, allow_nan=False, default=_of_other_type)
    except (ValueError, TypeError):  # a number is not finite, or a key is no text
        return json.dumps(_plain(values))


def print_document(document: Document) -> None:
    """Print a document to standard output, at once."""
    print_result(as_text(document))


def _raw(document: Document) -> dict[str, Any]:
    name = "event" if document.is_line else "document"
    return {"v": VERSION, name: document.kind, **_fields(document)}


def _fields(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _of_other_type(value: Any) -> Any:
    """Return what JSON has in place of a value that it does not know."""
    if is_dataclass(value):
        return _fields(value)
    if hasattr(value, "tolist"):  # an array, or a number, of NumPy
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return _plain(_of_other_type(value))
