"""Run folders: what is in them, and how they are found.

The schema and what reads user code are imported when they are needed: a script that only logs does without them.
"""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.yaml_files import read_yaml
from core.errors import ConfigError, RunError
from core.remedies import LIST_RUNS, OTHER_RUNS_DIR, START_RUN
from core.runs.labels import read_labels
from core.runs.references import LATEST, STUDY, matches, resolve
from core.runs.script import imported_dir, is_imported, script_of

if TYPE_CHECKING:
    from core.config.schema import TrainConfig

__all__ = [
    "DELETED",
    "LOCK",
    "MINUTE_FORMAT",
    "SPLITS",
    "Run",
    "all_runs",
    "default_runs_dir",
    "ensure_plain",
    "find_run",
    "is_run",
    "minute_in",
    "run_places",
    "with_checkpoint",
]

NAME = re.compile(r"\d{4}-\d\d-\d\d_\d{4}_")
MINUTE = re.compile(rf"(?:{STUDY})?(\d{{4}}-\d\d-\d\d_\d{{4}})_")
MINUTE_FORMAT = "%Y-%m-%d_%H%M"
"""Of the time with which the name of a folder begins."""
DELETED = ".deleted-"
"""Prefix of the hidden folder in which a run is while it is being deleted."""
LOCK = "run.lock"
"""Name of the file that a process holds while it trains a run."""
KEPT = re.compile(r"epoch-([1-9]\d{0,8})\.pt")
"""Name of the checkpoint of an epoch that is kept."""
ADDED = ("checkpoints", "evaluation")
"""Sections of a configuration that runs of earlier versions lack."""
BEFORE = 1e11
"""Seconds: so much earlier than runs of our own do copies of logs count as started."""
SPLITS = ("train", "validation", "test")
"""What a run can be evaluated on."""


@dataclass(frozen=True)
class Run:
    """The paths of one run; nothing is read or made by naming it.

    Attributes:
        checkpoint: the one whose weights are evaluated and exported; see `with_checkpoint`.
    """

    path: Path
    checkpoint: str = "best"

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        """The configuration, with defaults filled in."""
        return self.path / "config.yaml"

    @property
    def environment_file(self) -> Path:
        """Versions, machine and command line."""
        return self.path / "environment.json"

    @property
    def diff_file(self) -> Path:
        """Changes of the working copy since its commit, where there were any."""
        return self.path / "working-copy.diff"

    @property
    def data_file(self) -> Path:
        """Facts of the data, without its samples."""
        return self.path / "data.json"

    @property
    def log_file(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    @property
    def lock_file(self) -> Path:
        """Held while a process trains this run."""
        return self.path / LOCK

    @property
    def requests_file(self) -> Path:
        """Requests of other processes to the one that trains this run."""
        return self.path / "requests.txt"

    @property
    def calibration_file(self) -> Path:
        """The temperature of the best weights, once one was fitted; see `core.session.calibrate`."""
        return self.path / "calibration.json"

    @property
    def threshold_file(self) -> Path:
        """The threshold between two classes, or those of labels, once chosen; see `core.session.threshold`."""
        return self.path / "threshold.json"

    @property
    def opened_file(self) -> Path:
        """When the test split was opened on purpose, and what it showed; see `core.runs.opening`."""
        return self.path / "test-opened.json"

    @property
    def console_file(self) -> Path:
        """Output of user code while the app or a background process trained it; see `core.files.console`."""
        return self.path / "console.log"

    @property
    def media_folder(self) -> Path:
        """Images, texts and histograms that were logged; see `core.runs.media`."""
        return self.path / "media"

    @property
    def code_folder(self) -> Path:
        """Copies of the user's Python files, one folder per section that names one, or per metric."""
        return self.path / "code"

    def checkpoint_file(self, kind: str) -> Path:
        """The checkpoint ``last``, the ``previous`` one of its kind, ``best``, or that of an epoch, as ``epoch-10``."""
        return self.path / "checkpoints" / f"{kind}.pt"

    def kept_epochs(self) -> list[int]:
        """Return the epochs whose checkpoints are kept, in order; see `core.config.checkpoints`."""
        found = (KEPT.fullmatch(name) for name in _names_in(os.fspath(self.path / "checkpoints")))
        return sorted(int(match[1]) for match in found if match)

    def evaluation_folder(self, split: str) -> Path:
        """Report and predictions of a split."""
        other = "" if self.checkpoint == "best" else f"-{self.checkpoint}"
        return self.path / "evaluation" / f"{split}{other}"

    def config(self) -> "TrainConfig":
        """The configuration of this run.

        Raises:
            ConfigError: the file is missing or damaged.
            RunError: a script wrote this run.
        """
        from core.config.schema import TrainConfig, from_dict
        from core.data.positive import LATER

        values = read_yaml(self.config_file, follow_links=False)
        script = script_of(values)
        if script:
            raise RunError(
                f"{self.id} was written by {script}, so its data and its model are not known here",
                f"Run {script} again, or open what it evaluated itself",
            )
        missing = [section for section in TrainConfig.model_fields if section not in (*values, *ADDED)]
        if missing:  # what was cut off must not silently become the default
            raise ConfigError(
                f"config: {self.config_file} lacks {', '.join(missing)}",
                "Restore it from a copy or from events.jsonl",
            )
        data = values["data"]
        if isinstance(data, dict):  # runs that were made before it could be chosen
            data = {"positive": LATER} | data
        return from_dict(values | {"data": data})


def default_runs_dir() -> Path:
    """Return the folder of runs: ``TUI_RUNS``, or ``runs`` in the current folder."""
    return Path(os.environ.get("TUI_RUNS") or "runs").expanduser()


def minute_in(name: str) -> float | None:
    """Return the minute with which the name of a run's or a study's folder begins, in seconds since 1970.

    None for a name without one.
    """
    found = MINUTE.match(name)
    if found is None:
        return None
    try:
        return time.mktime(time.strptime(found[1], MINUTE_FORMAT))
    except (ValueError, OverflowError):
        return None


def with_checkpoint(run: Run, name: str) -> Run:
    """Return a run of which another checkpoint than the best is evaluated, exported or resumed from.

    Args:
        name: ``best``, ``last``, ``previous``, or ``epoch-10`` for one that is kept.

    Raises:
        RunError: there is none of that name.
    """
    kinds = ("best", "last", "previous", *(f"epoch-{epoch}" for epoch in run.kept_epochs()))
    known = [kind for kind in kinds if run.checkpoint_file(kind).is_file()]
    if name not in known:
        raise RunError(f"{run.id} has no checkpoint '{name}'", f"It has {', '.join(known) or 'none'}")
    return Run(run.path, name)


def ensure_plain(run: Run) -> None:
    """Make sure that what is written to a run stays in its folder.

    Raises:
        RunError: the folder is gone, or it or something in it is a link.
    """
    if not os.path.isdir(run.path) or os.path.islink(run.path):
        raise RunError(f"cannot write {run.path}: it is no longer a folder", "Bring it back")
    for folder, folders, files in os.walk(run.path):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                raise RunError(
                    f"cannot write {run.path}: {path} is a link", "Replace it with what it points to"
                )


def all_runs(runs_dir: Path) -> list[Run]:
    """Every run in a folder, newest first, then the copies of other tools' logs; empty when the folder does not exist.

    Raises:
        RunError: the folder cannot be read.
    """
    return [Run(runs_dir / place) for place in run_places(runs_dir).values()]


def run_places(runs_dir: Path) -> dict[str, str]:
    """Return the folders of all runs by their ids, in the order of `all_runs`.

    They are relative to `runs_dir`; those of copies of other tools' logs are absolute.

    A folder counts as a run when it is named like one, so that a damaged one is not lost from sight, or when it
    holds a configuration or an event log. Links do not count: they may lead out of the folder. Neither do hidden ones.

    Raises:
        RunError: the folder cannot be read.
    """
    try:
        with os.scandir(runs_dir) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise RunError(f"cannot read {runs_dir}: {error.strerror}", ("Give ", OTHER_RUNS_DIR)) from None
    names.sort(reverse=True)
    places = {name: name for name in names if NAME.match(name) or is_run(f"{runs_dir}/{name}")}
    copies = os.path.abspath(imported_dir(runs_dir))
    for name in sorted(_names_in(copies)):
        if name not in places and is_run(place := os.path.join(copies, name)):
            places[name] = place
    return places


def find_run(runs_dir: Path, reference: str) -> Run:
    """Return the run, or else the trial, that a path or a reference means, see `core.runs.references.resolve`.

    A part of a name means no trial where it means a study: the letters of both are random, and may be the same.

    Raises:
        RunError: there is none, or more than one.
    """
    if os.sep in reference:
        path = Path(reference).expanduser()
        if path.is_symlink():
            raise RunError(f"{reference} is a link", f"Give the folder it points to: {path.resolve()}")
        if not path.exists():
            raise RunError(f"there is no {reference}", (LIST_RUNS,))
        if is_run(path):
            return Run(path.resolve())
        raise RunError(f"{reference} is not a run folder", (LIST_RUNS,))
    runs = {run.id: run for run in all_runs(runs_dir)}
    hint = (LIST_RUNS if runs else START_RUN,)
    names = {}
    if not any(matches(reference, name) for name in runs):
        trials = {name: run for name, run in _trials(runs_dir).items() if matches(reference, name)}
        if reference in (LATEST, *trials) or not _means_study(runs_dir, reference):
            runs = trials or runs
        names = {name: read_labels(run.path).name for name, run in runs.items()}
    name = resolve(
        reference,
        list(runs),
        started=lambda name: _started(runs[name]),
        kind=("run", "runs"),
        where=f"in {runs_dir}",
        hint=hint,
        called=names,
    )
    return runs[name]


def _trials(runs_dir: Path) -> dict[str, Run]:
    """Return the runs of all studies below a folder of runs, by their names."""
    return {path.name: Run(path) for path in runs_dir.glob(f"{STUDY}*/trials/*") if NAME.match(path.name)}


def _means_study(runs_dir: Path, reference: str) -> bool:
    return any(matches(reference, path.name, STUDY) for path in runs_dir.glob(f"{STUDY}*"))


def is_run(path: Path | str) -> bool:
    """Return whether a folder holds what makes it a run."""
    return os.path.isfile(f"{path}/config.yaml") or os.path.isfile(f"{path}/events.jsonl")


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _started(run: Run) -> float:
    """Return when a run was started or resumed last: its configuration or its lock is written then.

    Copies of other tools' logs come before all runs of our own.
    """
    if is_imported(run.path):
        return _modified(run.log_file) - BEFORE
    return max(_modified(run.config_file), _modified(run.lock_file))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
