"""Study folders: made, named, found. What trials said lies in their run folders, what they were worth in the storage.

    runs/study_2026-11-22_0915_digits-mlp_k3f/
      study.db             the study, or storage.txt with the URL where it is kept, without its password
      trials/              a run folder for each trial, as all others; give it as --runs, or a trial by its path
      processes/           a locked file for each process that works on the study

Trials have a folder of their own, so that the list of runs stays one's own, ``latest`` means one's own last run, and
a study is deleted in one piece.
"""

import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from core.config.schema import TrainConfig
from core.errors import RunError
from core.files.atomic import creating
from core.runs.folder import ALPHABET, name_of

__all__ = ["StudyFolder", "all_studies", "create_folder", "find_study", "folder_named"]

PREFIX = "study_"
NAME = re.compile(r"[\w.-]+")


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
    def trials_dir(self) -> Path:
        """Where the trials' run folders are."""
        return self.path / "trials"

    @property
    def processes_dir(self) -> Path:
        """A locked file for each process that works on the study."""
        return self.path / "processes"


def create_folder(runs_dir: Path, config: TrainConfig) -> StudyFolder:
    """A new folder, named by date, data, model and three random letters.

    Raises:
        RunError: it cannot be written.
    """
    stem = f"{PREFIX}{time.strftime('%Y-%m-%d_%H%M')}_{name_of(config)}_"
    while True:
        tail = "".join(secrets.choice(ALPHABET) for _ in range(3))
        if not (runs_dir / (stem + tail)).exists():
            return folder_named(runs_dir, stem + tail)


def folder_named(runs_dir: Path, name: str) -> StudyFolder:
    """The folder of a study, made if it is not there, as on a second machine.

    Raises:
        RunError: the name is none, or the folder cannot be written.
    """
    if not NAME.fullmatch(name):
        raise RunError(f"'{name}' is no name of a study", "It takes letters, digits, and . _ -")
    folder = StudyFolder((runs_dir / name).resolve())
    with creating(folder.path):
        for path in (folder.trials_dir, folder.processes_dir):
            path.mkdir(parents=True, exist_ok=True)
    return folder


def all_studies(runs_dir: Path) -> list[StudyFolder]:
    """Every study in a folder of runs, newest first; empty when the folder does not exist."""
    found = sorted(runs_dir.glob(f"{PREFIX}*"), reverse=True) if runs_dir.is_dir() else []
    return [StudyFolder(path.resolve()) for path in found if path.is_dir()]


def find_study(runs_dir: Path, reference: str) -> StudyFolder:
    """The study meant by a name, its beginning or its last letters, ``latest``, or a path.

    Raises:
        RunError: there is none, or more than one.
    """
    if os.sep in reference:
        path = Path(reference).expanduser().resolve()
        if (path / "trials").is_dir():
            return StudyFolder(path)
        raise RunError(f"{reference} is not the folder of a study", f"Studies are in {runs_dir}/{PREFIX}*")
    studies = all_studies(runs_dir)
    if reference == "latest":
        matching = sorted(studies, key=lambda study: study.path.stat().st_mtime)[-1:]
    else:
        matching = [study for study in studies if study.name == reference] or [
            study
            for study in studies
            if study.name.startswith((reference, PREFIX + reference)) or study.name.endswith(f"_{reference}")
        ]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise RunError(f"no study '{reference}' in {runs_dir}", "`tui tune --no-ui` begins one")
    some = ", ".join(study.name for study in matching[:3])
    raise RunError(
        f"'{reference}' means {len(matching)} studies: {some} ...", "Give more letters of the name"
    )
