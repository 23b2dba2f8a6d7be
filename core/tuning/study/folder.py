"""Study folders: made, named, found. What trials said lies in their run folders, what they were worth in the storage.

    runs/study_2026-11-22_0915_digits-mlp_k3f/
      study.db             the study, or storage.txt with the URL where it is kept, without user and password
      started.txt          when it was made, in seconds since 1970
      trials/              a run folder for each trial, as all others; a folder of runs itself
      job.json             jobs of Slurm that were submitted for it last, if any
      processes/           a locked file for each process that works on the study

Trials have a folder of their own, so that the list of runs stays one's own, ``latest`` means one's own last run, and
a study is deleted in one piece.
"""

import math
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.config.schema import TrainConfig
from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.reading import read_text
from core.files.temporary import LOCK_NAME, hidden_folder, sync_folder
from core.remedies import START_STUDY
from core.runs.creating import ALPHABET, name_of
from core.runs.folder import minute_in
from core.runs.labels import read_labels
from core.runs.references import NOBODY, STUDY, matches, resolve

__all__ = [
    "StudyFolder",
    "all_studies",
    "create_folder",
    "find_study",
    "folder_named",
    "note_started",
    "resolve_study",
    "started",
]

PREFIX = STUDY
MAX_BYTES = 64
NEW = ".new-study-"
"""Begins the hidden name of a folder that is not whole yet."""
NAME = re.compile(rf"{PREFIX}[\w.-]+")


@dataclass(frozen=True)
class StudyFolder:
    """The paths of one study; nothing is read or made by naming it."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def database(self) -> Path:
        """The study's own storage."""
        return self.path / "study.db"

    @property
    def storage_file(self) -> Path:
        """Holds the URL of the storage, when that is elsewhere."""
        return self.path / "storage.txt"

    @property
    def started_file(self) -> Path:
        """Holds when the study was made."""
        return self.path / "started.txt"

    @property
    def trials_dir(self) -> Path:
        """Folder of the trials' run folders."""
        return self.path / "trials"

    @property
    def processes_dir(self) -> Path:
        """A locked file for each process that works on the study."""
        return self.path / "processes"

    def trial_run(self, recorded: str) -> Path | None:
        """Return the run folder of a trial, always one of this study's; None when something else has its name.

        Args:
            recorded: its name, as in the storage. Version 0.1.0 recorded an absolute path, which is that of another
                folder once a study was moved or copied: its last part counts.
        """
        name = PurePosixPath(recorded).name
        path = self.trials_dir / name
        return None if name in ("", "..") or path.is_symlink() else path

    def ensure_plain(self) -> None:
        """Make sure that what is read, written and deleted for a study is in its folder.

        Raises:
            RunError: one of its own files or folders is a link, a pipe or a device.
        """
        for folder in (self.path, self.processes_dir):
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                with suppress(FileNotFoundError):  # a journal of SQLite's that came and went
                    kind = path.lstat().st_mode
                    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                        raise RunError(
                            f"cannot open {self.name}: {path} is a link, a pipe or a device",
                            "A study consists of files and folders: put in its place what it leads to",
                        )


def create_folder(
    runs_dir: Path,
    config: TrainConfig,
    fill: Callable[[StudyFolder, str], object] = lambda folder, name: None,
) -> StudyFolder:
    """A new folder, named by date, data, model and three random letters, which is there whole or not at all.

    Args:
        fill: writes what is in it, while it still has a hidden name; is given the name that it will have, too.

    Raises:
        RunError: it cannot be written.
    """
    runs_dir = runs_dir.resolve()
    stem = f"{PREFIX}{time.strftime('%Y-%m-%d_%H%M')}_{name_of(config)}_"
    with creating(runs_dir):
        runs_dir.mkdir(parents=True, exist_ok=True)
        while True:
            folder = StudyFolder(runs_dir / (stem + "".join(secrets.choice(ALPHABET) for _ in range(3))))
            if not folder.path.exists():
                break
        with hidden_folder(runs_dir, NEW) as hidden:
            made = StudyFolder(hidden)
            for path in (made.trials_dir, made.processes_dir):
                path.mkdir()
            fill(made, folder.name)
            hidden.rename(folder.path)
            (folder.path / LOCK_NAME).unlink()
            sync_folder(runs_dir)
    return folder


def note_started(folder: StudyFolder, seconds: float) -> None:
    """Write down when a study was made, in seconds since 1970."""
    write_atomically(folder.started_file, lambda file: file.write(f"{seconds!r}\n".encode()))


def started(folder: StudyFolder) -> float:
    """Return when a study was made, in seconds since 1970: as written down, or else the minute in its name, or 0."""
    try:
        seconds = float(read_text(folder.started_file, limit=MAX_BYTES))
        if 0 < seconds < math.inf:
            return seconds
    except (OSError, ValueError):  # a study of an earlier version, or a damaged file
        pass
    return minute_in(folder.name) or 0.0


def folder_named(runs_dir: Path, name: str) -> StudyFolder:
    """The folder of a study, made if it is not there, as on a second machine.

    Raises:
        RunError: the name is none, or the folder cannot be written.
    """
    if not NAME.fullmatch(name):
        raise RunError(
            f"'{name}' is not the name of a study", f"It starts with {PREFIX}; letters, digits, . _ - follow"
        )
    folder = StudyFolder(runs_dir.resolve() / name)
    if folder.path.is_symlink():
        raise RunError(f"{folder.path} is a link", f"Give the folder it points to: {folder.path.resolve()}")
    folder.ensure_plain()
    with creating(folder.path):
        for path in (folder.trials_dir, folder.processes_dir):
            path.mkdir(parents=True, exist_ok=True)
    return folder


def all_studies(runs_dir: Path) -> list[StudyFolder]:
    """Every study in a folder of runs, newest first; empty when the folder does not exist.

    Links do not count: they may lead out of the folder.
    """
    found = runs_dir.resolve().glob(f"{PREFIX}*") if runs_dir.is_dir() else ()
    studies = [StudyFolder(path) for path in found if path.is_dir() and not path.is_symlink()]
    return sorted(studies, key=lambda study: (started(study), study.name), reverse=True)


def find_study(runs_dir: Path, reference: str) -> StudyFolder:
    """Return the study that a path or a reference means.

    Raises:
        RunError: there is none, or more than one, or something in it leads out of its folder.
    """
    if os.sep in reference:
        given = Path(reference).expanduser()
        path = given.resolve()
        if given.is_symlink():
            raise RunError(f"{reference} is a link", f"Give the folder it points to: {path}")
        if (path / "trials").is_dir():
            return _plain(StudyFolder(path))
        raise RunError(f"{reference} is not the folder of a study", f"Studies are in {runs_dir}/{PREFIX}*")
    studies = {study.name: study for study in all_studies(runs_dir)}
    called = {}
    if not any(matches(reference, name, PREFIX) for name in studies):
        called = {name: read_labels(study.path).name for name, study in studies.items()}
    name = resolve_study(
        reference,
        list(studies),
        started=lambda name: _last_start(studies[name]),
        where=f"in {runs_dir}",
        called=called,
    )
    return _plain(studies[name])


def _plain(folder: StudyFolder) -> StudyFolder:
    folder.ensure_plain()
    return folder


def resolve_study(
    reference: str,
    names: Sequence[str],
    *,
    started: Callable[[str], float],
    where: str,
    called: Mapping[str, str] = NOBODY,
) -> str:
    """Return the name of the study that a reference means, see `core.runs.references.resolve`.

    Raises:
        RunError: there is none, or more than one.
    """
    return resolve(
        reference,
        names,
        started=started,
        kind=("study", "studies"),
        where=where,
        hint=(START_STUDY,),
        prefix=PREFIX,
        called=called,
    )


def _last_start(folder: StudyFolder) -> float:
    """Return when a process began to work on a study last: its file is made then."""
    try:
        return folder.processes_dir.stat().st_mtime
    except OSError:
        return 0.0
