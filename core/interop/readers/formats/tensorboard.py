"""A log directory of TensorBoard: event files in a folder, and in folders below it that are parts of the same run."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.files.reading import open_regular
from core.interop.readers.folders import Folder, folder_at
from core.interop.readers.formats.event_files import Items, Scalars, items_of, read_block
from core.interop.readers.formats.event_media import BoardItem, place_of_item
from core.interop.readers.formats.protobuf import FileBytes
from core.interop.readers.names import SPLIT_NAMES
from core.interop.readers.rows import EpochColumn, LogItem, LogRow, LogRows
from core.status import Ending

__all__ = ["BoardSource", "board_files", "find_boards", "is_event_file"]

TOOL = "TensorBoard"
BLOCK_BYTES = 1 << 20
SNIFFED_BYTES = 1 << 16
SESSION = re.compile(r"\d{9,}(\.\d+)?")
"""Name of the folder that ``add_hparams`` makes."""
EPOCH_TAGS = ("epoch", "train/epoch")


def is_event_file(name: str) -> bool:
    """Return whether a file is named as TensorBoard's event files are."""
    return "tfevents" in name


def find_boards(folder: Folder) -> Iterator[Path]:
    """Yield the folder, if it is a log directory; its parts are then no folders to look into."""
    own = any(map(is_event_file, folder.files))
    parts = _parts_of(folder.path, folder.folders, own)
    if own or parts:
        folder.folders[:] = [name for name in folder.folders if folder.path / name not in parts]
        yield folder.path


def board_files(path: Path) -> list[Path]:
    """Return all event files of a log directory, in the order in which they were begun."""
    return [file.path for file in _files_of(path)]


class _Part(NamedTuple):
    """An event file, and what it adds to its tags: text before them, and behind them."""

    path: Path
    before: str = ""
    behind: str = ""
    is_session: bool = False


class BoardSource:
    """Reads the event files of one run side by side, in the order of their times."""

    tool = TOOL
    ending: Ending | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, Any] = {}
        self._epochs = EpochColumn()
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self._files: dict[Path, _EventFile] = {}
        self._owners: dict[str, _EventFile] = {}
        self._epochs.rewind()

    def read(self) -> LogRows:
        """The rows since the last call, of some megabytes of each file."""
        anew = self._look_for_files()
        problems = list[str]()
        files = list(self._files.values())
        for file in files:
            anew = not file.read(problems) or anew
            self.settings |= file.settings
        if anew:
            self.rewind()
            return LogRows(anew=True, problems=problems)
        horizon = min((file.seen for file in files if file.has_more and file.seen > -np.inf), default=np.inf)
        rows, items = self._rows(files, horizon), self._items(files, horizon)
        if self._epochs.is_fractional and any(row.epoch for row in rows):
            self.rewind()
            return LogRows(anew=True, problems=problems)
        return LogRows(rows, problems=problems, items=items)

    def _look_for_files(self) -> bool:
        """Take in new files; return whether one is gone."""
        found = {part.path: part for part in _files_of(self.path)}
        gone = self._files.keys() - found.keys()
        for path, part in found.items():
            if path not in self._files:
                self._files[path] = _EventFile(part, self.path)
        return bool(gone)

    def _rows(self, files: list["_EventFile"], horizon: float) -> list[LogRow]:
        """Return what the files hold up to a time, merged by time, the order within each kept."""
        taken = [(file, part) for file in files for part in file.take(horizon)]
        if not taken:
            return []
        times = np.concatenate([part.order for _, part in taken])
        order = np.argsort(times, kind="stable")
        steps = np.concatenate([part.steps for _, part in taken])[order].tolist()
        values = np.concatenate([part.values for _, part in taken])[order].tolist()
        moments = np.concatenate([part.times for _, part in taken])[order].tolist()
        names = [name for _, part in taken for name in part.names]
        owners = [file for file, part in taken for _ in part.names]
        rows: list[LogRow] = []
        epoch = 0
        for place, step, value, moment in zip(order.tolist(), steps, values, moments, strict=True):
            name, owner = names[place], owners[place]
            before = self._owners.setdefault(name, owner)
            if before is not owner:
                if not owner.replaces(before):
                    continue
                self._owners[name] = owner
            if name in EPOCH_TAGS:
                epoch = self._epochs.number(value)
                if rows and rows[-1].step == step:
                    rows[-1] = rows[-1]._replace(epoch=epoch)
                continue
            if step < 0:
                continue
            if rows and rows[-1].step == step and name not in rows[-1].values:
                rows[-1].values[name] = value  # type: ignore[index]  # made below
            else:
                rows.append(LogRow(step, moment, {name: value}))
        return rows

    def _items(self, files: list["_EventFile"], horizon: float) -> list[LogItem]:
        """Return the images, texts and histograms up to a time; of several files that have a name the newest counts."""
        taken = [(item, file) for file in files for item in file.take_items(horizon)]
        taken.sort(key=lambda pair: pair[0].time)
        found = []
        for item, owner in taken:
            before = self._owners.setdefault(f"{item.kind} {item.name}", owner)
            if before is not owner:
                if not owner.replaces(before):
                    continue
                self._owners[f"{item.kind} {item.name}"] = owner
            found.append(item)
        return found


class _Taken(NamedTuple):
    order: Any
    times: Any
    steps: Any
    values: Any
    names: list[str]


class _EventFile:
    """One event file, read block by block.

    Attributes:
        seen: the latest time that was read.
        has_more: whether more was there than was read.
    """

    def __init__(self, part: _Part, root: Path) -> None:
        self.seen = -np.inf
        self.has_more = False
        self.settings: dict[str, Any] = {}
        self._part = part
        self._offset = 0
        self._is_broken = False
        self._damaged = 0
        self._waiting: list[_Taken] = []
        self._items: list[LogItem] = []
        self._place = "" if part.path == root else part.path.relative_to(root).as_posix()

    def replaces(self, other: "_EventFile") -> bool:
        """Return whether this file tells a name that another one tells, too.

        The run's own folder does, and in one folder the file that was begun last: names hold the time.
        """
        mine, theirs = self._part.path, other._part.path
        if mine.parent != theirs.parent:
            return len(mine.parts) < len(theirs.parts)
        return mine.name > theirs.name

    def read(self, problems: list[str]) -> bool:
        """Read the next block; return False if the file has become shorter."""
        path = self._part.path
        try:
            with open_regular(path, follow_links=True) as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._offset:
                    return False
                if self._is_broken or size == self._offset:
                    self.has_more = False
                    return True
                file.seek(self._offset)
                block = read_block(file.read(BLOCK_BYTES))
                for items in block.items:
                    self._keep_items(items, self._offset)
                self._offset += block.end
                if block.skip and size >= self._offset + block.skip:
                    end = self._offset + block.skip
                    for items in items_of(FileBytes(file), self._offset + 12, end - 4):
                        self._keep_items(items, 0)
                    self._offset = end
        except OSError:
            self.has_more = False
            return True
        self.has_more = not block.is_broken and bool(block.end or block.skip) and size > self._offset + 16
        self._report(block.damaged, block.is_broken, problems)
        self.settings |= block.settings
        if block.scalars and not self._part.is_session:
            self._keep(block.scalars)
        return True

    def _report(self, damaged: int, is_broken: bool, problems: list[str]) -> None:
        name = self._part.path.name
        if damaged and not self._damaged:
            problems.append(f"{name} has damaged records, which are left out")
        self._damaged += damaged
        if is_broken:
            self._is_broken = True
            problems.append(f"{name} is damaged at byte {self._offset}: it cannot be read on from there")

    def _keep(self, found: list[Scalars]) -> None:
        """Keep the scalars of a block in the order of the file."""
        places = np.concatenate([part.places for part in found])
        order = np.argsort(places, kind="stable")
        times, steps, values = (
            np.concatenate([getattr(part, name) for part in found])[order]
            for name in ("times", "steps", "values")
        )
        full: dict[str, str] = {}
        names = [full.setdefault(tag, self._named(tag)) for part in found for tag in part.tags]
        names = [names[place] for place in order.tolist()]
        line = np.maximum.accumulate(np.maximum(np.nan_to_num(times), self.seen))
        self.seen = float(line[-1])
        self._waiting.append(_Taken(line, times, steps, values, names))

    def _keep_items(self, found: Items, offset: int) -> None:
        """Keep where images, texts and histograms are in the file, whose block begins at an offset."""
        self.seen = max(self.seen, found.time)
        for kind, tag, start, length in found.items:
            place = place_of_item(self._place, BoardItem(kind, tag, start + offset, length))
            self._items.append(LogItem(kind, self._named(tag), found.step, found.time, place))

    def take_items(self, horizon: float) -> list[LogItem]:
        """Return the images, texts and histograms up to a time; the rest waits."""
        taken = [item for item in self._items if item.time <= horizon]
        self._items = [item for item in self._items if item.time > horizon]
        return taken

    def _named(self, tag: str) -> str:
        part = self._part
        return f"{part.before}{tag}{part.behind}"

    def take(self, horizon: float) -> Iterator[_Taken]:
        """Yield what was read up to a time; the rest waits."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            count = int(np.searchsorted(each.order, horizon, side="right"))
            if count:
                yield _Taken(*(column[:count] for column in each))
            if count < len(each.names):
                self._waiting.append(_Taken(*(column[count:] for column in each)))


def _files_of(path: Path) -> list[_Part]:
    """Return the event files of a run: those of the folder, and those of its parts; or the file itself."""
    if path.is_file():
        return [_Part(path)]
    folder = folder_at(path)
    own = sorted(name for name in folder.files if is_event_file(name))
    files = [_Part(path / name) for name in own]
    for place in _parts_of(path, folder.folders, bool(own)):
        inside = [place, *(place / name for name in sorted(folder_at(place).folders))]
        files += [
            part
            for each in inside
            for name in sorted(folder_at(each).files)
            if is_event_file(name) and (part := _part_of(path, each / name)) is not None
        ]
    return files


def _parts_of(path: Path, folders: list[str], own: bool) -> list[Path]:
    """Return the folders in a folder that hold parts of its run, not runs of their own."""
    found = []
    for name in sorted(folders):
        inside = folder_at(path / name)
        files = [path / name / file for file in inside.files if is_event_file(file)]
        if own and not files:  # tensorboardX: a folder for the tag, and in it one for each series
            files = [
                path / name / deeper / file
                for deeper in inside.folders
                for file in folder_at(path / name / deeper).files
                if is_event_file(file)
            ]
        if files and _part_of(path, files[0]) is not None:
            found.append(path / name)
    return found


def _part_of(root: Path, file: Path) -> _Part | None:
    """Return how a file in a folder below `root` belongs to its run; None if it is a run of its own."""
    place = file.parent.relative_to(root).as_posix()
    if place.lower() in SPLIT_NAMES:
        return _Part(file, before=f"{place}/")
    if SESSION.fullmatch(place):
        return _Part(file, is_session=True)
    tag = _first_tag(file).replace("/", "_")
    flat = place.replace("/", "_")
    if tag and flat.startswith(f"{tag}_"):
        return _Part(file, behind=f"/{flat[len(tag) + 1 :]}")
    return None


def _first_tag(file: Path) -> str:
    """Return the tag of the first scalar of an event file; empty if it has none yet."""
    try:
        with open_regular(file, follow_links=True) as opened:
            scalars = read_block(opened.read(SNIFFED_BYTES)).scalars
    except OSError:
        return ""
    first = min(scalars, key=lambda part: int(part.places[0]), default=None)
    return first.tags[0] if first else ""
