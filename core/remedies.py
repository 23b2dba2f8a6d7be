"""Remedies for errors, named by a key: whoever shows the error words them.

The same mistake is put right with a flag on the command line, in a field of the form, or with an argument of a
Python function. An error of the core names the remedy; `plain` words it for Python, the front ends for their users.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = [
    "LIST_KEYS",
    "LIST_RUNS",
    "MASKS_FOLDER",
    "METHOD",
    "OTHER_DATA_ROOT",
    "OTHER_FILE",
    "OTHER_OUTPUT",
    "OTHER_RUNS_DIR",
    "PREDICTIONS_FILE",
    "RESUME",
    "START_CLUSTER",
    "START_RUN",
    "START_STUDY",
    "STORAGE",
    "TRUST",
    "VALID_CONFIG",
    "WATCH",
    "Hint",
    "Remedy",
    "parts",
    "plain",
    "processes",
    "resume_study",
    "setting",
    "show_run",
    "worded",
]


@dataclass(frozen=True)
class Remedy:
    """One thing to do.

    Attributes:
        key: of the table of words, see `PLAIN`.
        values: what its words name, such as a field and its value.
    """

    key: str
    values: tuple[str, ...] = ()


Hint = str | tuple[str | Remedy, ...]
"""One line that says what to do: text, and remedies in between."""

Words = Callable[[Remedy], str]

OTHER_RUNS_DIR: Final = Remedy("other_runs_dir")
OTHER_FILE: Final = Remedy("other_file")
OTHER_OUTPUT: Final = Remedy("other_output")
OTHER_DATA_ROOT: Final = Remedy("other_data_root")
VALID_CONFIG: Final = Remedy("valid_config")
LIST_KEYS: Final = Remedy("list_keys")
LIST_RUNS: Final = Remedy("list_runs")
START_RUN: Final = Remedy("start_run")
START_STUDY: Final = Remedy("start_study")
START_CLUSTER: Final = Remedy("start_cluster")
RESUME: Final = Remedy("resume")
WATCH: Final = Remedy("watch")
TRUST: Final = Remedy("trust")
STORAGE: Final = Remedy("storage")
METHOD: Final = Remedy("method")
MASKS_FOLDER: Final = Remedy("masks_folder")
PREDICTIONS_FILE: Final = Remedy("predictions_file")


def setting(path: str, value: object) -> Remedy:
    """Return the remedy to give a field of the configuration a value.

    Args:
        path: dotted, such as ``data.encoding``.
        value: as it is written in YAML on one line.
    """
    return Remedy("setting", (path, str(value)))


def show_run(run_id: str) -> Remedy:
    """Return the remedy to look at what is wrong with a run."""
    return Remedy("show_run", (run_id,))


def resume_study(name: str) -> Remedy:
    """Return the remedy to resume a study."""
    return Remedy("resume_study", (name,))


def processes(count: int) -> Remedy:
    """Return the remedy to start that many processes on each machine."""
    return Remedy("processes", (str(count),))


PLAIN: Final = {
    "setting": "{0}={1}",
    "field": "{0}",
    "other_runs_dir": "another folder for the runs",
    "other_file": "another file",
    "other_output": "another folder for the export",
    "other_data_root": "another folder for the data",
    "valid_config": "`core.config.schema.to_yaml` writes a valid one",
    "list_keys": "`core.config.schema.TrainConfig` lists all keys",
    "list_runs": "`core.runs.folder.all_runs` lists the runs",
    "show_run": "`core.runs.problems.problems` finds what is wrong with it",
    "start_run": "Train one first",
    "start_study": "Search for hyper-parameters first",
    "start_cluster": "`ray start --head` starts one",
    "resume": "Resume it from its last checkpoint",
    "resume_study": "resume {0} afterwards",
    "watch": "Wait for it to finish, or stop it",
    "trust": "`core.user_code.trust.trust` it",
    "storage": "the URL of the storage it was started with",
    "method": "the random method",
    "masks_folder": "Name a folder for them",
    "predictions_file": "Ask for a file of predictions",
    "processes": "Start {0} processes on each machine",
}
"""Words of each remedy for those who call the core from Python."""


def plain(remedy: Remedy) -> str:
    """Word a remedy for those who call the core from Python."""
    return PLAIN[remedy.key].format(*remedy.values)


def worded(hint: Hint, words: Words = plain) -> str:
    """Return a hint as one line of text, its remedies in the words of a front end."""
    return "".join(part if isinstance(part, str) else words(part) for part in parts(hint))


def parts(hint: Hint) -> tuple[str | Remedy, ...]:
    """Return the texts and remedies of a hint, to put others before or behind them."""
    return (hint,) if isinstance(hint, str) else hint
