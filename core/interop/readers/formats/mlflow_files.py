"""Runs in a file store of MLflow, ``mlruns``: a folder a run, with a file for each metric and each parameter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from core.files.reading import read_text
from core.interop.readers.folders import Folder, folder_at
from core.interop.readers.formats.lines import GrowingLines
from core.interop.readers.rows import MAX_STEP, LogRow, LogRows
from core.status import Ending

__all__ = ["MlflowFiles", "find_mlflow_runs", "metric_files", "mlflow_title"]

META = "meta.yaml"
ENDINGS: dict[object, Ending] = {3: "completed", 4: "failed", 5: "stopped"}
"""By the status that MLflow writes."""
MAX_DEPTH = 4
"""Of folders that names of metrics with slashes make."""


def find_mlflow_runs(folder: Folder) -> Iterator[Path]:
    """Yield the folder, if it is that of a run; nobody looks into the folders in it then."""
    if META in folder.files and "metrics" in folder.folders and "run_id" in _meta(folder.path):
        folder.folders.clear()
        yield folder.path


def metric_files(path: Path) -> list[Path]:
    """Return the files of a run's metrics, and the one that says how it stands."""
    return [path / META, *_files_below(path / "metrics", MAX_DEPTH)]


def mlflow_title(path: Path) -> str:
    """Return the names of the experiment and the run."""
    return " ".join(filter(None, (_text(_meta(path.parent).get("name")), _text(_meta(path).get("run_name")))))


class MlflowFiles:
    """Reads the files of all metrics side by side, in the order of their times."""

    tool = "MLflow"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self.ending: Ending | None = None
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._files: dict[Path, GrowingLines] = {}

    def read(self) -> LogRows:
        """The rows since the last call."""
        self.ending = ENDINGS.get(_meta(self.path).get("status"))
        self.settings = {file.name: _value(file) for file in _files_below(self.path / "params", MAX_DEPTH)}
        folder = self.path / "metrics"
        found: list[tuple[float, int, str, float]] = []
        anew, problems = False, list[str]()
        for file in _files_below(folder, MAX_DEPTH):
            lines = self._files.setdefault(file, GrowingLines(file))
            is_known = bool(lines.offset)
            new = lines.read()
            anew = anew or (new.anew and is_known)
            problems += new.problems
            name = file.relative_to(folder).as_posix()
            found += [
                (*parsed[:2], name, parsed[2]) for line in new.lines if (parsed := _parsed(line)) is not None
            ]
        if anew:
            self.rewind()
            return LogRows(anew=True, problems=problems)
        rows = [
            LogRow(step, time / 1000, {name: value}) for time, step, name, value in sorted(found, key=_order)
        ]
        return LogRows(rows, problems=problems)


def _order(found: tuple[float, int, str, float]) -> tuple[float, int]:
    return found[:2]


def _parsed(line: str) -> tuple[float, int, float] | None:
    """Return the milliseconds since 1970, the step and the value of a line."""
    try:
        time, value, *step = line.split()[:3]
        found = float(time), int(step[0]) if step else 0, float(value)
    except ValueError:
        return None
    return found if 0 <= found[1] < MAX_STEP else None


def _files_below(folder: Path, depth: int) -> list[Path]:
    inside = folder_at(folder)
    files = [folder / name for name in inside.files]
    deeper = [file for name in inside.folders if depth for file in _files_below(folder / name, depth - 1)]
    return files + deeper


def _meta(folder: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(read_text(folder / META, limit=1 << 16))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _value(file: Path) -> Any:
    """Return a parameter: a number where its text is one."""
    try:
        text = read_text(file, errors="replace", limit=1 << 16).strip()
    except OSError:
        return ""
    return plain_value(text)


def plain_value(text: str) -> Any:
    """Return the number or the truth value that a text means, or the text."""
    if text in ("True", "False", "true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
