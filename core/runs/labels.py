"""Names, tags and notes that users give to runs and studies: ``labels.json`` in the folder, never the folder's name."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import InputError, RunError
from core.files.atomic import write_atomically
from core.files.json_lines import read_line
from core.files.reading import read_bytes

__all__ = [
    "AGENT",
    "LABELS",
    "MAX_NAME",
    "MAX_TAG",
    "NONE",
    "RunLabels",
    "checked_name",
    "checked_tags",
    "read_labels",
    "title_of",
    "write_labels",
]

LABELS: Final = "labels.json"
AGENT: Final = "agent:"
"""Begins the tag of what an agent has started; the name of its program follows."""
MAX_NAME, MAX_TAG, MAX_TAGS, MAX_NOTE = 80, 40, 50, 10_000
MAX_BYTES = 1 << 17
JOINERS = str.maketrans("", "", "\u200c\u200d")
"""They act on no terminal: parts of emojis, and of words in Persian or Hindi."""
ID = re.compile(r"(?:study_)?\d{4}-\d\d-\d\d_\d{4}_(.+)")


@dataclass(frozen=True)
class RunLabels:
    """Names, tags and notes that a user gives to a run or a study. All of it is text for
    people; nothing is looked up by it alone.

    Attributes:
        name: one line. tags: without spaces, in the order in which they were given. note: any text.
    """

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""


NONE: Final = RunLabels()


def read_labels(folder: Path) -> RunLabels:
    """Return the labels of a run's or study's folder; none where there are none or their file is damaged."""
    path = f"{folder}/{LABELS}"
    if not os.path.exists(path):  # as with most of thousands: an exception costs more than this question
        return NONE
    try:
        values = read_line(read_bytes(path, limit=MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return NONE
    if not isinstance(values, dict):
        return NONE
    name, tags, note = values.get("name"), values.get("tags"), values.get("note")
    return RunLabels(
        name if isinstance(name, str) else "",
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        note if isinstance(note, str) else "",
    )


def write_labels(
    folder: Path, *, name: str | None = None, tags: Sequence[str] | None = None, note: str | None = None
) -> RunLabels:
    """Change labels of a run or a study, and return all of them; None keeps what there is.

    Raises:
        InputError: the name or a tag does not fit.
        RunError: they cannot be written, such as when the folder is gone.
    """
    given: dict[str, Any] = {}
    if name is not None:
        given["name"] = checked_name(name)
    if tags is not None:
        given["tags"] = checked_tags(tags)
    if note is not None:
        given["note"] = _checked_note(note)
    labels = replace(read_labels(folder), **given)
    if not os.path.isdir(folder) or os.path.islink(folder):
        raise RunError(f"cannot write {folder}: it is no longer a folder", "Bring it back")
    text = json.dumps({"name": labels.name, "tags": labels.tags, "note": labels.note}, indent=1)
    write_atomically(folder / LABELS, lambda file: file.write(text.encode()))
    return labels


def checked_name(name: str) -> str:
    """Return a name without the spaces around it.

    Raises:
        InputError: it is too long, or has characters that cannot be shown in a line.
    """
    name = name.strip()
    if len(name) > MAX_NAME or not name.translate(JOINERS).isprintable():
        raise InputError(f"name: got {name[:MAX_NAME]!r}", f"It is one line of at most {MAX_NAME} characters")
    return name


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags, each once.

    Raises:
        InputError: one is empty or too long, or has spaces or signs that a filter reads otherwise.
    """
    for tag in tags:
        if not tag or len(tag) > MAX_TAG or not tag.isprintable() or re.search(r'[\s",()]', tag):
            raise InputError(
                f"tag: got '{tag[:MAX_TAG]}'",
                f"A tag has at most {MAX_TAG} characters, without spaces, quotes, commas and parentheses",
            )
    unique = tuple(dict.fromkeys(tags))
    if len(unique) > MAX_TAGS:
        raise InputError(f"tags: got {len(unique)}", f"A run has at most {MAX_TAGS}")
    return unique


def _checked_note(note: str) -> str:
    if len(note) > MAX_NOTE:
        raise InputError(f"note: got {len(note):,} characters", f"It has at most {MAX_NOTE:,}")
    return note.strip()


def title_of(folder: Path, labels: RunLabels | None = None) -> str:
    """Return what a run or a study is called where people read it: its name, else its folder's without the date."""
    name = (read_labels(folder) if labels is None else labels).name
    if name:
        return name
    undated = ID.fullmatch(folder.name)
    return undated[1] if undated else folder.name
