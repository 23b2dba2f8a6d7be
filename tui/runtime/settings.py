"""Settings that the app keeps between two starts: the theme and the last form."""

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


@dataclass
class Settings:
    """Remembered choices. `form`: nested values as for `core.config.schema.from_dict`."""

    theme: str = THEME
    form: dict[str, Any] = field(default_factory=dict)
    run_in: str = "app"


def settings_file() -> Path:
    """``TUI_CONFIG``, or a file in the platform's configuration folder."""
    given = os.environ.get("TUI_CONFIG")
    return Path(given) if given else config_folder() / "settings.json"


def load_settings() -> Settings:
    """The saved settings; defaults for whatever is missing or damaged, since nothing of value is lost."""
    try:
        values = json.loads(read_bytes(settings_file(), follow_links=True))
    except (OSError, ValueError):
        return Settings()
    settings = Settings()
    if isinstance(values, dict):
        for key, default in asdict(settings).items():
            if isinstance(values.get(key), type(default)):
                setattr(settings, key, values[key])
    return settings


def save_settings(settings: Settings) -> str:
    """Save; gives an empty text, or why it could not be done."""
    text = json.dumps(asdict(settings), indent=2)
    try:
        with creating(settings_file()):
            settings_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(settings_file(), lambda file: file.write(text.encode()))
    except RunError as error:
        return error.message
    return ""
