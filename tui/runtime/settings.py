"""Settings that persist between sessions of the app: the theme and the last form."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.user_code.trust import config_folder

__all__ = ["Settings", "load_settings", "save_settings"]

THEME = "torchtui"
MAX_DEPTH = 20
"""Of the form: a configuration is nested a few levels deep."""


@dataclass
class Settings:
    """Remembered choices.

    Attributes:
        form: nested values as for `core.config.schema.from_dict`.
        columns: of the table of runs; empty for the usual ones. filters: of Runs, the latest first.
    """

    theme: str = THEME
    form: dict[str, Any] = field(default_factory=dict)
    run_in: str = "here"
    """Name of the host on which the form starts runs."""
    hosts: dict[str, Any] = field(default_factory=dict)
    """Settings of each host, as they were last."""
    all_fields: bool = False
    """Whether the form shows all fields rather than the basic ones."""
    columns: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)


def settings_file() -> Path:
    """``TUI_CONFIG``, or a file in the platform's configuration folder."""
    given = os.environ.get("TUI_CONFIG")
    return Path(given) if given else config_folder() / "settings.json"


def load_settings() -> tuple[Settings, str]:
    """Return the saved settings, and one line on what was damaged and so has its default; empty if nothing was."""
    settings, path = Settings(), settings_file()
    try:
        values = json.loads(read_bytes(path, follow_links=True))
    except FileNotFoundError:
        return settings, ""
    except OSError as error:
        return settings, f"{path} cannot be read, defaults are used: {error.strerror}"
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        return settings, f"{path} is damaged, defaults are used"
    damaged = []
    for key, default in asdict(settings).items():
        value = values.get(key, default)
        is_possible = _depth(value) <= MAX_DEPTH
        if key in ("columns", "filters"):
            is_possible = isinstance(value, list) and all(isinstance(text, str) for text in value)
        if isinstance(value, type(default)) and is_possible:
            setattr(settings, key, value)
        else:
            damaged.append(key)
    return settings, f"{path} is damaged, defaults are used for: {', '.join(damaged)}" if damaged else ""


def _depth(value: object) -> int:
    """Return how deeply lists and dicts are nested; 0 for a plain value."""
    depth, level = 0, [value]
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth += 1
    return depth


def save_settings(settings: Settings) -> str:
    """Save the settings; return an error message, empty on success."""
    text = json.dumps(asdict(settings), indent=2)
    try:
        with creating(settings_file()):
            settings_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(settings_file(), lambda file: file.write(text.encode()))
    except RunError as error:
        return error.message
    return ""
