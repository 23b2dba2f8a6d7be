"""Differences in what two runs were made of: settings, data, packages, machine, command and code."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.config.yaml_files import read_yaml
from core.errors import ConfigError
from core.files.reading import read_bytes
from core.runs.folder import Run
from core.runs.origin.together import TOGETHER

__all__ = ["CodeChange", "OriginDifference", "code_changes", "differences"]

MAX_LINES = 20_000
"""Of one file that is compared line by line."""
MAX_FILE = 4 * 2**20
APART = ("packages", "git_new_files", TOGETHER)
"""Parts of the environment that are compared on their own, or as code, or of which a run is not made."""


@dataclass(frozen=True)
class OriginDifference:
    """A value that is not the same in two runs; None where one has none.

    Attributes:
        part: ``settings``, ``data``, ``packages`` or ``machine``. name: of the value within it.
    """

    part: str
    name: str
    first: Any
    second: Any


@dataclass(frozen=True)
class CodeChange:
    """A file of code that is not the same in two runs.

    Attributes:
        file: its path within the run's folder. lines: of a unified diff.
    """

    file: str
    lines: list[str]


def differences(first: Run, second: Run) -> list[OriginDifference]:
    """Return all values in which what is kept of two runs differs, settings first."""
    found = []
    for part, read in (
        ("settings", _settings),
        ("data", _data),
        ("packages", _packages),
        ("machine", _machine),
    ):
        a, b = read(first), read(second)
        for name in dict.fromkeys([*a, *b]):
            if a.get(name) != b.get(name):
                found.append(OriginDifference(part, name, a.get(name), b.get(name)))
    return found


def code_changes(first: Run, second: Run) -> list[CodeChange]:
    """Return the files of code in which two runs differ: the user's own, and the changes since their commits."""
    a, b = dict(_code(first)), dict(_code(second))
    return [
        CodeChange(file, _diff(file, a.get(file), b.get(file)))
        for file in sorted({*a, *b})
        if a.get(file) != b.get(file)
    ]


def _settings(run: Run) -> dict[str, Any]:
    try:
        sections = read_yaml(run.config_file, follow_links=False)
    except ConfigError:
        return {}
    return {
        f"{section}.{field}": value
        for section, fields in sections.items()
        for field, value in (fields.items() if isinstance(fields, Mapping) else [("", fields)])
    }


def _data(run: Run) -> dict[str, Any]:
    return _flat(_json(run.data_file.name, run))


def _packages(run: Run) -> dict[str, Any]:
    packages = _json(run.environment_file.name, run).get("packages")
    return dict(packages) if isinstance(packages, dict) else {}


def _machine(run: Run) -> dict[str, Any]:
    values = _json(run.environment_file.name, run)
    if isinstance(command := values.get("command"), list):
        values["command"] = " ".join(map(str, command))
    return {name: value for name, value in values.items() if name not in APART}


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return found


def _json(name: str, run: Run) -> dict[str, Any]:
    """The values of a file; none where it is missing or damaged."""
    try:
        values = json.loads(read_bytes(run.path / name, limit=MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _code(run: Run) -> Iterator[tuple[str, bytes]]:
    paths = sorted(run.code_folder.rglob("*.py")) if run.code_folder.is_dir() else []
    for path in (*paths, run.diff_file):
        try:
            yield str(path.relative_to(run.path)), read_bytes(path, limit=MAX_FILE)
        except OSError:
            continue


def _diff(file: str, first: bytes | None, second: bytes | None) -> list[str]:
    a, b = (_lines(content) for content in (first, second))
    if max(len(a), len(b)) > MAX_LINES:
        return [f"{file}: more than {MAX_LINES:,} lines differ somewhere"]
    return list(difflib.unified_diff(a, b, f"a/{file}", f"b/{file}", lineterm=""))


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()
