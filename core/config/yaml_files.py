"""Configurations as YAML text, whatever their sections are."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigError
from core.files.reading import read_text
from core.remedies import VALID_CONFIG

__all__ = ["NOT_YAML", "read_yaml", "sections_to_yaml"]

NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
"""Raised by reading YAML; ValueError for dates and numbers that only look right, such as 2020-13-45."""
QUICK_TEXT = 8192
"""Characters of a text that libyaml reads: it recurses without a limit, and so few cannot nest deep enough to hurt."""
MAX_VALUES = 10_000
"""In a file. A few lines of aliases of aliases stand for millions, on which checking and telling them would choke."""


def sections_to_yaml(sections: Mapping[str, Mapping[str, Any] | None]) -> str:
    """Sections of plain values as YAML, ``name`` first in each; null for one that is None."""
    named_first = {
        key: section and dict(sorted(section.items(), key=lambda item: item[0] != "name"))
        for key, section in sections.items()
    }
    # libyaml is several times as fast, but escapes some characters that readers would rather see.
    quick = json.dumps(named_first, ensure_ascii=False).isascii()
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if quick else yaml.SafeDumper
    return str(yaml.dump(named_first, Dumper=dumper, sort_keys=False, allow_unicode=True))


def read_yaml(path: Path, *, follow_links: bool = True) -> dict[str, Any]:
    """The nested values of a YAML (or JSON) file.

    Args:
        follow_links: whether it may be a link, as a user's file may, but not a run's.

    Raises:
        ConfigError: the file is missing, is not YAML, or is not a mapping.
    """
    try:
        values = _parsed(read_text(path, follow_links=follow_links))
        size = _written_out(values, {})
    except OSError as error:
        raise ConfigError(
            f"config: cannot read {path}: {error.strerror}", "Give the path of a YAML file"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"config: {path} is not a text file", (VALID_CONFIG,)) from None
    except NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"config: {path} is not YAML{where}", (VALID_CONFIG,)) from None
    if size > MAX_VALUES:
        raise ConfigError(f"config: {path} holds more than {MAX_VALUES:,} values", (VALID_CONFIG,))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"config: {path} has no sections such as `data:`", (VALID_CONFIG,))
    return values


def _parsed(text: str) -> Any:
    """Return the values of a YAML text; of a short one by libyaml, as PyYAML alone says well where a mistake is."""
    if yaml.__with_libyaml__ and len(text) <= QUICK_TEXT:
        with suppress(*NOT_YAML):
            return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)


def _written_out(value: Any, known: dict[int, float]) -> float:
    """Count nested values with all aliases written out; infinite where one contains itself."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_written_out(item, known) for item in inner)
    return known[id(value)]
