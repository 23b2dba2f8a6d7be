"""Copies of the logs of other tools among the runs of a folder, so that lists, comparisons and reports show them.

A copy is a run folder beside the user's settings (see `core.runs.script`): the events of the log with few of its steps,
and ``source.json`` with the log's path and a stamp. It is made when the log is first seen and grows with it.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import TorchtuiError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    MediaLogged,
    RunFinished,
    RunStarted,
    StepLogged,
    to_json,
)
from core.files.atomic import write_atomically
from core.files.lock import FileLock
from core.files.reading import open_plain, read_bytes
from core.files.syncing import never_synced
from core.interop.readers.following import ForeignLog
from core.interop.readers.logs import FORMATS, MAX_FOLDERS, Found, find_logs
from core.runs.creating import write_sections
from core.runs.folder import Run
from core.runs.history.outline import Thinning
from core.runs.script import SOURCE, imported_dir

__all__ = ["ALIVE_SECONDS", "Importer", "import_logs", "original_of"]

ALIVE_SECONDS = 120.0
"""Seconds without new entries after which a tool counts as finished."""
USUAL = frozenset(("metrics", "results", "progress", "summary", "history", "log", "scalars"))
"""Names of files that say less than those of their folders."""
MAX_NAME = 80
VERSION = 5
"""Of the copies: those of an earlier one are made again."""


@dataclass
class _Copy:
    """A log that is being copied: its reader, and what was written of it.

    Attributes:
        started: its last start. epoch, step: those that are done.
        given_up: it was ended here, since nobody wrote to the log.
    """

    found: Found
    run: Run
    reader: ForeignLog
    stamp: str = ""
    steps: Thinning = field(default_factory=Thinning)
    media: dict[str, Thinning] = field(default_factory=dict)
    last_train: dict[str, float] = field(default_factory=dict)
    started: RunStarted | None = None
    epoch: int = 0
    step: int = 0
    has_epochs: bool = False
    has_ended: bool = False
    given_up: bool = False
    updated: float = 0.0


class Importer:
    """Looks for logs below a folder of runs again and again, and keeps their copies up to date.

    Attributes:
        problems: logs that cannot be read, and folders that are not looked into, by path: a sentence each.
    """

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self.problems: dict[Path, str] = {}
        self._folder = imported_dir(runs_dir)
        self._copies: dict[Path, _Copy] = {}
        self._records: dict[str, dict[str, Any]] = {}

    def look(self) -> Iterator[None]:
        """Bring the copies up to date; yield now and then, so that what is new can be shown.

        Where there are copies, the last time is at the end. Another process that does the same is left to it.
        """
        self.problems.pop(self.runs_dir, None)
        found = [*find_logs(self.runs_dir, self._report_limit)]
        if not found and not os.path.isdir(self._folder):  # false also where it may not be looked at
            return
        with suppress(OSError, TorchtuiError):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                lock = FileLock(open_plain(self._folder / ".lock", os.O_RDWR | os.O_CREAT))
            except BlockingIOError:
                yield
                return
            with lock, never_synced(self._folder):  # all of it can be made again
                names: dict[str, Found] = {}
                for each in found:
                    names[self._name(each, names)] = each
                self._remove_all_but(names)
                for name, each in names.items():
                    yield from self._update(name, each)
        yield

    def _report_limit(self) -> None:
        text = f"only the first {MAX_FOLDERS:,} folders were searched for logs of other tools; choose one below it"
        self.problems[self.runs_dir] = text

    def _update(self, name: str, found: Found) -> Iterator[None]:
        """Copy what is new in a log."""
        modified = found.modified()
        is_alive = time.time() - modified < ALIVE_SECONDS
        stamp, record = _digest(found), self._record(name)
        if record.get("stamp") == stamp and record.get("ended") == (not is_alive):
            self._copies.pop(found.path, None)
            return
        copy = self._copies.get(found.path)
        try:
            if copy is None:
                copy = self._begin(name, found)
            yield from _copy_on(copy)
        except (TorchtuiError, OSError) as error:
            self.problems[found.path] = str(error)
            return
        if not is_alive and not copy.has_ended:
            _end(copy, modified)
        self._note(name, found, stamp, ended=not is_alive)
        self._copies[found.path] = copy

    def _begin(self, name: str, found: Found) -> _Copy:
        run = Run(self._folder / name)
        reader = found.reader()
        run.path.mkdir(exist_ok=True)
        self._note(name, found, "", ended=False)
        with suppress(OSError):
            run.log_file.unlink()
        environment = json.dumps({"tool": reader.tool, "log": str(found.path)})
        write_atomically(run.environment_file, lambda file: file.write(environment.encode()))
        return _Copy(found, run, reader)

    def _record(self, name: str) -> dict[str, Any]:
        if name not in self._records:
            self._records[name] = _read_record(self._folder / name)
        return self._records[name]

    def _note(self, name: str, found: Found, stamp: str, *, ended: bool) -> None:
        record = {
            "path": os.path.abspath(found.path),
            "format": found.format.name,
            "stamp": stamp,
            "ended": ended,
        }
        self._records[name] = record
        text = json.dumps(record).encode()
        write_atomically(self._folder / name / SOURCE, lambda file: file.write(text))

    def _name(self, found: Found, taken: Container[str]) -> str:
        """Return the name of a copy: the log's place below the runs, with letters of a hash where it is taken."""
        path = os.path.abspath(found.path)
        place = Path(os.path.relpath(path, os.path.abspath(self.runs_dir)))
        if found.path.is_file():
            stem = place.name.partition(".")[0]
            place = place.parent if stem.lower() in USUAL and place.parent.name else place.with_name(stem)
        title = found.format.title(found.path) or place.as_posix()
        plain = re.sub(r"[^\w.+=-]+", "_", title).strip("._-") or Path(path).stem
        name = plain[-MAX_NAME:]
        other = self._record(name).get("path", path) != path
        if name in taken or other:
            return f"{name}_{hashlib.sha256(path.encode(errors='surrogateescape')).hexdigest()[:4]}"
        return name

    def _remove_all_but(self, names: dict[str, Found]) -> None:
        """Remove the copies of logs that are gone."""
        for entry in self._folder.iterdir():
            record = self._record(entry.name) if entry.name not in names else {}
            if record and not os.path.lexists(record["path"]):
                shutil.rmtree(entry, ignore_errors=True)
                self._records.pop(entry.name, None)


def import_logs(runs_dir: Path) -> dict[Path, str]:
    """Bring the copies of the logs below a folder of runs up to date; return those that cannot be read, and why."""
    importer = Importer(runs_dir)
    for _ in importer.look():
        pass
    return importer.problems


def original_of(run: Run) -> ForeignLog | None:
    """Return the log that a run is a copy of, with all of its steps; None for other runs.

    Raises:
        DependencyError: it needs a package that is not installed.
    """
    record = _read_record(run.path)
    format = next((each for each in FORMATS if each.name == record.get("format")), None)
    return None if format is None else Found(Path(record["path"]), format).reader()


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads(read_bytes(folder / SOURCE))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) and isinstance(record.get("path"), str) else {}


def _digest(found: Found) -> str:
    return hashlib.sha256(repr((VERSION, found.stamp())).encode(errors="surrogateescape")).hexdigest()


def _copy_on(copy: _Copy) -> Iterator[None]:
    """Write the new events of a log, until nothing more comes."""
    idle = 0
    while idle < 2:
        events = copy.reader.read()
        if events and copy.given_up and copy.started is not None:  # its tool writes on
            events.insert(0, replace(copy.started, time=events[0].time, epoch=copy.epoch, step=copy.step))
        idle = 0 if events else idle + 1
        _write(copy, [event for event in events if _is_kept(copy, event)])
        if events:
            yield


def _is_kept(copy: _Copy, event: Event) -> bool:
    copy.updated = max(copy.updated, event.time)
    match event:
        case RunStarted():
            if not event.step:
                copy.steps, copy.media, copy.has_epochs = Thinning(), {}, False
            copy.has_ended = copy.given_up = False
            copy.started, copy.epoch, copy.step = event, event.epoch, event.step
            write_sections(copy.run, event.config)
        case StepLogged():
            copy.last_train = event.train
            copy.step = event.step
            return copy.steps.wants_next()
        case MediaLogged():
            copy.run.media_folder.mkdir(exist_ok=True)  # empty: it says that there are some
            return copy.media.setdefault(event.name, Thinning()).wants_next()
        case EpochFinished():
            copy.has_epochs = True
            copy.epoch, copy.step = event.epoch, event.step
        case RunFinished():
            copy.has_ended = True
    return True


def _end(copy: _Copy, moment: float) -> None:
    """Write the end of a log that nobody writes any more; without epochs its last numbers are its results."""
    events: list[Event] = []
    if not copy.has_epochs and copy.last_train:
        events.append(EvaluationFinished(time=moment, split="train", metrics=dict(copy.last_train)))
    events.append(RunFinished(time=moment, status="stopped"))
    copy.has_ended = copy.given_up = True
    _write(copy, events)


def _write(copy: _Copy, events: list[Event]) -> None:
    if not events:
        return
    lines = "".join(f"{to_json(event, copy.run.id)}\n" for event in events)
    handle = open_plain(copy.run.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with os.fdopen(handle, "ab") as file:
        file.write(lines.encode())
