"""Runs that somebody's own script writes: their configuration, put into the sections that all runs have.

Flat settings are assigned to their sections, so that lists and queries such as ``cfg.optimizer.lr>0.01`` work
for such runs too. The section ``script`` marks them: its ``name`` is the script's file.

Logs of other tools are such runs as well: copied, with few of their steps, into a folder beside the user's settings,
since their own may be read-only. There ``script.log`` is the path of the log.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.events import RunStarted

__all__ = ["CHOSEN", "bare_start", "imported_dir", "is_imported", "log_of", "script_of", "script_sections"]

CHOSEN = ("data", "model", "loss", "optimizer", "schedule")
"""Sections whose fields depend on a chosen name: the keys of `core.config.schema.FAMILIES`."""
OTHER_NAMES: Mapping[str, tuple[str, str]] = {
    "dataset": ("data", "name"),
    "lr": ("optimizer", "lr"),
    "learning_rate": ("optimizer", "lr"),
}
"""Section and field of settings that are often called something else."""
MAX_BYTES = 8192
"""A larger array among settings is kept as the text that sums it up."""
SOURCE = "source.json"
"""File in a copy of a log, which says where the log is."""


def script_sections(config: Mapping[str, Any], script: str) -> dict[str, dict[str, Any]]:
    """Any configuration as plain values in sections.

    Args:
        config: nested or flat; numbers and small arrays of NumPy and torch become plain ones, other objects their text.
        script: name of the script's file.
    """
    sections: dict[str, dict[str, Any]] = {}
    plain = json.loads(json.dumps(dict(config), default=_plain, skipkeys=True))
    for key, value in plain.items():
        if isinstance(value, dict):
            sections.setdefault(key, {}).update(value)
        else:
            section, field = _place_of(key)
            sections.setdefault(section, {})[field] = value
    sections["script"] = {**sections.get("script", {}), "name": script}
    return sections


def bare_start(sections: dict[str, dict[str, Any]], **facts: Any) -> RunStarted:
    """Return the start of a run of which nothing but its settings is known.

    Args:
        facts: further fields.
    """
    unknown: dict[str, Any] = {"task": "", "samples": {}, "classes": [], "sample_shape": [], "device": ""}
    unknown |= dict.fromkeys(("parameters", "threads", "epochs", "steps_per_epoch"), 0)
    return RunStarted(config=sections, **{**unknown, **facts})


def _plain(value: Any) -> Any:
    """Return what JSON has in place of a value that it does not know."""
    to_list, size = getattr(value, "tolist", None), getattr(value, "nbytes", MAX_BYTES)
    return to_list() if callable(to_list) and size < MAX_BYTES else str(value)


def _place_of(setting: str) -> tuple[str, str]:
    """The section and the field of a flat setting."""
    from core.config.training import Training

    if setting in CHOSEN:
        return setting, "name"
    return OTHER_NAMES.get(setting, ("training" if setting in Training.model_fields else "settings", setting))


def script_of(config: Mapping[str, Any]) -> str:
    """The name of the script that wrote a run with this configuration; empty for a run of our own."""
    section = config.get("script")
    return str(section.get("name", "")) if isinstance(section, Mapping) else ""


def is_imported(folder: Path) -> bool:
    """Return whether the folder of a run is a copy of the log of another tool."""
    return os.path.isfile(folder / SOURCE)


def log_of(config: Mapping[str, Any]) -> str:
    """The path of the log of another tool that a run is a copy of; empty for other runs."""
    section = config.get("script")
    return str(section.get("log", "")) if isinstance(section, Mapping) else ""


def imported_dir(runs_dir: Path) -> Path:
    """The folder of copies of the logs that other tools wrote below a folder of runs."""
    from core.user_code.trust import config_folder  # which scripts that log do not wait for

    place = hashlib.sha256(os.path.realpath(runs_dir).encode(errors="surrogateescape")).hexdigest()[:16]
    return config_folder() / "logs" / place
