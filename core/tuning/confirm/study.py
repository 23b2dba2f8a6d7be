"""Runs that confirm the best trials of a study, as trials of a second study in the same storage.

So they are claimed, resumed, paused and stopped like any other trial, by any process and executor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optuna.exceptions import DuplicatedStudyError
from optuna.study import create_study as create_optuna_study
from optuna.study import load_study

from core.config.schema import TrainConfig
from core.errors import ConfigError
from core.files.atomic import creating
from core.session.repeats import Repeats
from core.tuning.search.methods import make_pruner, make_sampler
from core.tuning.search.plan import Plan
from core.tuning.search.space import Range, SearchSpace
from core.tuning.study.folder import StudyFolder
from core.tuning.study.records import best_first
from core.tuning.study.storage import reading, writing
from core.tuning.study.study import TuningStudy

__all__ = [
    "CANDIDATES",
    "SEED",
    "TRIAL",
    "ConfirmStudy",
    "ask_to_confirm",
    "begin_confirmation",
    "open_confirmation",
    "seeds_asked_for",
]

CANDIDATES = 3
"""How many of the best trials are trained again."""
NAME = "confirm"
RUNS = "runs"
"""User attribute: the trial and the seed of each run, in the order in which they are trained."""
ASKED = "confirm"
"""User attribute of the study: with how many seeds its best trials shall be trained again at its end."""
LEAST_SEEDS = 2
TRIAL, SEED = "trial", "seed"
LARGEST = 2**53
"""Of a number that every storage keeps exactly."""


@dataclass(frozen=True)
class ConfirmFolder(StudyFolder):
    """The folder of the runs, inside that of the study, whose name it has in messages."""

    @property
    def name(self) -> str:
        return self.path.parent.name


@dataclass(frozen=True)
class SeededTrials(SearchSpace):
    """A grid of the given runs: each is a trial of the study with another seed.

    Attributes:
        params: of the trials, by their number. runs: trial and seed of each run.
    """

    params: Mapping[int, Mapping[str, Any]]
    runs: Sequence[tuple[int, int]]
    searched: SearchSpace

    def applies(self, path: str, params: Mapping[str, Any]) -> bool:
        return True

    def config(self, params: Mapping[str, Any]) -> TrainConfig:
        trial, seed = int(params[TRIAL]), int(params[SEED])
        return Repeats("seed", 1, seed).config(self.searched.config(self.params[trial]), seed)

    def grid_size(self) -> int:
        return len(self.runs)

    def grid_point(self, index: int) -> dict[str, Any]:
        trial, seed = self.runs[index]
        return {TRIAL: trial, SEED: seed}


@dataclass(frozen=True)
class ConfirmStudy(TuningStudy):
    """The second study. What is asked of the first one holds for it too.

    Attributes:
        parent: the study whose trials are confirmed. runs: trial and seed of each run.
    """

    parent: TuningStudy
    runs: tuple[tuple[int, int], ...]

    @property
    def paused(self) -> bool:
        return self.parent.paused

    @property
    def last_stop(self) -> str:
        return self.parent.last_stop


def ask_to_confirm(study: TuningStudy, seeds: int) -> None:
    """Let whichever process ends the study confirm it.

    Raises:
        ConfigError: there are too few seeds.
        RunError: its storage cannot be written.
    """
    if seeds < LEAST_SEEDS:
        raise ConfigError(f"confirm: got {seeds}, takes a number of seeds >= {LEAST_SEEDS}")
    with writing(study.name):
        study.optuna.set_user_attr(ASKED, seeds)


def seeds_asked_for(study: TuningStudy) -> int:
    """Return with how many seeds a study shall be confirmed; 0 if it shall not.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    with reading(study.name):
        return int(study.optuna.user_attrs.get(ASKED, 0))


def begin_confirmation(study: TuningStudy, seeds: int) -> ConfirmStudy:
    """Return the runs that confirm the best trials now; those that were begun before are among them.

    Args:
        seeds: runs of each trial; their seeds follow that of the study, which no run uses again.

    Raises:
        RunError: its folder or its storage cannot be written.
        RunDamaged: its storage cannot be read.
    """
    folder = _folder(study)
    for path in (folder.trials_dir, folder.processes_dir):
        with creating(path):
            path.mkdir(parents=True, exist_ok=True)
    known = _runs(study)
    numbers = Repeats("seed", seeds, study.plan.seed + 1).numbers
    best = best_first(study.plan, study.records())[:CANDIDATES]
    runs = list(dict.fromkeys([*known, *((record.number, seed) for record in best for seed in numbers)]))
    with writing(study.name):
        try:
            made = create_optuna_study(
                study_name=_name(study), storage=study.storage, direction=study.plan.direction
            )
        except DuplicatedStudyError:
            made = load_study(study_name=_name(study), storage=study.storage)
        if runs != known:
            made.set_user_attr(RUNS, runs)
    return _opened(study, runs)


def open_confirmation(study: TuningStudy) -> ConfirmStudy | None:
    """Return the runs that were begun to confirm a study; None if none were.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    runs = _runs(study)
    return _opened(study, runs) if runs else None


def _folder(study: TuningStudy) -> ConfirmFolder:
    folder = ConfirmFolder(study.folder.path / NAME)
    folder.ensure_plain()
    return folder


def _name(study: TuningStudy) -> str:
    return f"{study.optuna.study_name}/{NAME}"


def _runs(study: TuningStudy) -> list[tuple[int, int]]:
    if study.storage_url is None and not (study.folder.path / NAME).is_dir():
        return []
    with reading(study.name):
        try:
            found = load_study(study_name=_name(study), storage=study.storage)
        except KeyError:
            return []
        return [(int(trial), int(seed)) for trial, seed in found.user_attrs.get(RUNS, [])]


def _opened(study: TuningStudy, runs: list[tuple[int, int]]) -> ConfirmStudy:
    params = {record.number: record.params for record in study.records()}
    numbers = {TRIAL: Range(0, LARGEST), SEED: Range(0, LARGEST)}
    space = SeededTrials(study.plan.space.base, numbers, params, runs, study.plan.space)
    plan: Plan = replace(
        study.plan,
        space=space,
        method="grid",
        pruner="none",
        trials=len(runs),
        keep=len(runs),
        second="",
        where=(),
        patience=0,
        max_epochs=None,
    )
    with reading(study.name):
        kept = load_study(
            study_name=_name(study),
            storage=study.storage,
            sampler=make_sampler(plan),
            pruner=make_pruner(plan),
        )
    return ConfirmStudy(_folder(study), plan, study.storage_url, kept, study.storage, study, tuple(runs))
