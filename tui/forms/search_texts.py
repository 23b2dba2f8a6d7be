"""The texts of the search form beside its ranges, and what they say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from core.errors import ConfigError, InputError
from core.runs.labels import checked_name
from core.slurm.settings import SlurmSettings
from core.tuning.executors.where import Where
from core.tuning.search.auto import AUTO
from core.tuning.search.plan import ExecutorName
from tui.forms.durations import parse_duration
from tui.forms.search_settings import NONE

__all__ = ["ALL", "DEFAULT_TRIALS", "Given", "Search", "names_in", "read_given", "usual_jobs"]

DEFAULT_TRIALS = "30"
ALL = "all"
"""Trials of a grid: every combination."""


@dataclass(frozen=True)
class Search:
    """Texts of the form, valid or not.

    Attributes:
        ranges: by path, in the order of the rows.
    """

    ranges: Mapping[str, str]
    method: str = AUTO
    pruner: str = "none"
    metric: str = "auto"
    direction: str = "auto"
    second: str = NONE
    where: str = ""
    trials: str = DEFAULT_TRIALS
    timeout: str = ""
    patience: str = "0"
    max_epochs: str = ""
    start_with: str = ""
    learn_from: str = ""
    confirm: str = "0"
    keep: str = "5"
    executor: str = "local"
    jobs: str = "1"
    processes: str = "1"
    trial_memory: str = AUTO
    ray_address: str = ""
    gpus_per_trial: str = "0"
    gpus: str = ""
    storage: str = ""
    name: str = ""


@dataclass(frozen=True)
class Given:
    """Values of the texts, where they are valid.

    Attributes:
        trials, patience, max_epochs, seconds: when the study ends; None for no such limit.
        start_with: runs tried first. learn_from: studies whose trials the search knows.
        confirm: seeds with which the best trials are trained again; 0 for none.
        keep: of how many best trials the checkpoints stay.
        storage: URL of a database; None for the study's folder.
        name: what the user calls the study.
        job: settings of the jobs of Slurm; None elsewhere.
    """

    trials: int | None = None
    patience: int = 0
    max_epochs: int | None = None
    seconds: float | None = None
    start_with: tuple[str, ...] = ()
    learn_from: tuple[str, ...] = ()
    confirm: int = 0
    keep: int = 5
    where: Where = field(default_factory=lambda: Where(jobs=1))
    storage: str | None = None
    name: str = ""
    job: SlurmSettings | None = None


def usual_jobs(executor: str) -> str:
    """Return the default number of trials at once."""
    return AUTO if executor == "ray" else "1"


def read_given(search: Search, problems: dict[str, str]) -> Given:
    """Return what the texts say; record what is wrong with them, by the name of the setting."""
    texts = {name: text.strip() for name, text in vars(search).items() if isinstance(text, str)}

    def whole(name: str, least: int, none: str = "") -> int | None:
        """Return a whole number; None for the text that stands for none."""
        return None if texts[name] == none else _whole(name, texts[name], least, none, problems)

    patience = _whole("patience", texts["patience"] or "0", 0, "", problems)
    max_epochs, seconds = whole("max_epochs", 1), _seconds(texts["timeout"], problems)
    trials = whole("trials", 1, ALL if search.method == "grid" else "")
    if not (texts["trials"] or patience or max_epochs or seconds):
        problems["trials"] = "enter a number ≥ 1, or give another limit"
    return Given(
        trials,
        patience or 0,
        max_epochs,
        seconds,
        names_in(search.start_with),
        names_in(search.learn_from),
        _seeds(texts["confirm"], problems),
        _whole("keep", texts["keep"], 0, "", problems) or 0,
        _where(texts, problems),
        _storage(texts["storage"], problems),
        _name(texts["name"], problems),
    )


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated text."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _whole(name: str, text: str, least: int, none: str, problems: dict[str, str]) -> int | None:
    if text.isdecimal() and int(text) >= least:
        return int(text)
    problems[name] = f"enter a number ≥ {least}" + (f", or {none}" if none else "")
    return None


def _seeds(text: str, problems: dict[str, str]) -> int:
    if not text.isdecimal() or int(text) == 1:
        problems["confirm"] = "enter a number of seeds ≥ 2, or 0"
        return 0
    return int(text)


def _seconds(text: str, problems: dict[str, str]) -> float | None:
    try:
        return parse_duration("timeout", text) if text else None
    except ConfigError:
        problems["timeout"] = "enter a time such as 90s, 10m or 2h"
        return None


def _where(texts: Mapping[str, Any], problems: dict[str, str]) -> Where:
    """Return where trials are trained. What only the other executor knows is an error."""
    is_ray = texts["executor"] == "ray"
    jobs = None if texts["jobs"] == AUTO else _whole("jobs", texts["jobs"], 1, AUTO, problems)
    memory = None if texts["trial_memory"] == AUTO else _number("trial_memory", texts, problems)
    if memory == 0:
        problems["trial_memory"] = "enter a number of GB, or auto"
    gpus = _number("gpus_per_trial", texts, problems)
    processes = _whole("processes", texts["processes"], 1, "", problems) or 1
    if not is_ray:
        problems |= {
            name: "only for the executor ray"
            for name, given in (("ray_address", texts["ray_address"]), ("gpus_per_trial", gpus))
            if given
        }
    if texts["executor"] != "local":
        here = {"gpus": texts["gpus"], "processes": processes > 1}
        problems |= {name: "only for the executor local" for name, given in here.items() if given}
    executor = cast(ExecutorName, texts["executor"])
    address, places = texts["ray_address"] or None, texts["gpus"] or None
    return Where(jobs, memory, executor, address, gpus, places, processes)


def _number(name: str, texts: Mapping[str, str], problems: dict[str, str]) -> float:
    try:
        number = float(texts[name])
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        problems[name] = "enter a number ≥ 0"
        return 0.0
    return number


def _storage(text: str, problems: dict[str, str]) -> str | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if text and not parts.scheme:
        problems["storage"] = "enter a URL such as postgresql://user@host/database"
    elif parts.password:
        problems["storage"] = "leave the password to PGPASSWORD or ~/.pgpass"
    return text or None


def _name(text: str, problems: dict[str, str]) -> str:
    try:
        return checked_name(text)
    except InputError as error:
        problems["name"] = error.message
        return ""
