"""The JSON schema of all that commands print with ``--json``."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from core.events import EVENT_TYPES
from core.events import VERSION as EVENT_VERSION
from tui.headless.documents import (
    acting,
    agents,
    comparing,
    evaluating,
    finding,
    lines,
    looking_up,
    profiling,
    runs,
)
from tui.headless.documents.envelope import VERSION, Document, FailureDocument

__all__ = ["documents", "schema_text"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ROOMS = (acting, agents, comparing, evaluating, finding, lines, looking_up, profiling, runs)
REFERENCE = "#/$defs/{model}"


def documents() -> dict[str, type[Document]]:
    """Return all documents by their kind."""
    found: list[Any] = [one for room in ROOMS for one in vars(room).values() if inspect.isclass(one)]
    kinds = [one for one in (FailureDocument, *found) if issubclass(one, Document) and "kind" in vars(one)]
    return {one.kind: one for one in kinds}


def schema_text() -> str:
    """Return the schema of one document, or one line, as JSON."""
    parts: dict[str, Any] = {}
    names = [name for name, _ in _all(parts)]
    whole = {
        "$schema": DIALECT,
        "title": "One document of tui ... --json, or one line of it",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in names],
        "$defs": parts,
    }
    return json.dumps(_with_unknown_numbers(whole), indent=1) + "\n"


def _all(parts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each kind with its schema, which is put among the parts with all that it refers to."""
    for name, document in documents().items():
        key = "event" if document.is_line else "document"
        yield name, _add(parts, name, document, {"v": VERSION, key: name})
    for name, event in EVENT_TYPES.items():
        yield name, _add(parts, name, event, {"v": EVENT_VERSION, "event": name}, ("run",))


def _add(
    parts: dict[str, Any], name: str, kind: type[Any], constants: dict[str, Any], texts: tuple[str, ...] = ()
) -> dict[str, Any]:
    found = TypeAdapter(kind).json_schema(ref_template=REFERENCE)
    parts |= found.pop("$defs", {})
    before = {key: {"const": value} for key, value in constants.items()} | {
        key: {"type": "string"} for key in texts
    }
    parts[name] = {
        "type": "object",
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "properties": {**before, **found["properties"]},
        "required": [*before, *(field.name for field in fields(kind))],
    }
    return found


def _with_unknown_numbers(part: Any) -> Any:
    """Return a part of a schema in which each number may be null, as those are that are not finite."""
    if isinstance(part, list):
        return [_with_unknown_numbers(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {key: _with_unknown_numbers(value) for key, value in part.items()}
    return {**part, "type": ["number", "null"]} if part.get("type") == "number" else part
