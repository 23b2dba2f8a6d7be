"""Configuration that a tool writes beside its log."""

import json
from pathlib import Path
from typing import Any

import yaml

from core.files.reading import read_bytes

__all__ = ["settings_beside"]

NAMES = ("hparams.yaml", "args.yaml", "config.yaml", "config.json")
MAX_BYTES = 1 << 20


def settings_beside(log: Path) -> dict[str, Any]:
    """Return the settings in a file beside a log, such as Lightning's ``hparams.yaml``; none if it cannot be read."""
    for name in NAMES:
        try:
            text = read_bytes(log.parent / name, follow_links=True, limit=MAX_BYTES)
            values = json.loads(text) if name.endswith("json") else yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            continue
        if isinstance(values, dict):
            return {str(key): value for key, value in values.items()}
    return {}
