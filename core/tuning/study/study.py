"""A study: its plan, its storage and its folder, made or opened again by any process."""

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage
from optuna.study import create_study as create_optuna_study
from optuna.study import load_study

from core.config.schema import TrainConfig
from core.data.dataset import Progress
from core.errors import RunDamaged, RunError, StorageNotGiven
from core.files.atomic import write_atomically
from core.files.reading import read_text
from core.remedies import STORAGE, Remedy
from core.runs.origin.environment import without_secrets
from core.session.preload import load_backend
from core.tuning.executors.trial_memory import estimate
from core.tuning.search.methods import make_pruner, make_sampler
from core.tuning.search.plan import Plan, for_own_step, for_task, plan_from_dict
from core.tuning.search.points import with_ranges
from core.tuning.search.space import Choices
from core.tuning.study.folder import (
    StudyFolder,
    create_folder,
    find_study,
    folder_named,
    note_started,
    resolve_study,
)
from core.tuning.study.optuna_private import SeenStudy
from core.tuning.study.records import TrialRecord, best_first, records_of
from core.tuning.study.sampled import seen_by_sampler
from core.tuning.study.storage import (
    file_url,
    new_storage,
    open_storage,
    reading,
    without_credentials,
    writing,
)

__all__ = ["TuningStudy", "check_plan", "create_study", "open_study"]

OWN_NAME = "study"
"""Of the only study in a file of its own; Hyperband's brackets depend on the name, and shall not on chance."""
MAX_URL = 4096
"""Bytes."""
PLAN, TRIALS, PAUSED, STOP, STARTED, ENDS = "plan", "trials", "paused", "stop", "started", "ends"
LIMITS, RANGES, CREATED = "limits", "ranges", "created"


@dataclass(frozen=True)
class TuningStudy:
    """One study. Reading it is safe while other processes work on it.

    Attributes:
        storage_url: None for a study in its own file.
        optuna: for whoever knows Optuna's own views.
        storage: where Optuna keeps it.

    Raises:
        RunError: its storage does not take what is to be changed.
        RunDamaged: its storage cannot be read.
    """

    folder: StudyFolder
    plan: Plan
    storage_url: str | None
    optuna: optuna.Study
    storage: BaseStorage

    @property
    def name(self) -> str:
        """Name by which it is found."""
        return self.folder.name

    @cached_property
    def storage_id(self) -> int:
        """The number of the study in its storage."""
        return self.storage.get_study_id_from_name(self.optuna.study_name)

    def records(self) -> list[TrialRecord]:
        """Return the state of all trials started so far."""
        with reading(self.name):
            return records_of(self.plan, self.folder, self.optuna.get_trials(deepcopy=False))

    def ranked(self) -> list[TrialRecord]:
        """The trials that completed, the best one first."""
        return best_first(self.plan, self.records())

    def config(self, record: TrialRecord) -> TrainConfig:
        """The configuration of a trial."""
        return self.plan.space.config(record.params)

    def note_start(self, timeout: float | None = None) -> None:
        """Record that a process starts to work on the study; ``latest`` is the one recorded last.

        Args:
            timeout: seconds after which it stops; None for no limit.
        """
        now = time.time()
        self._remember(STARTED, now)
        self._remember(ENDS, None if timeout is None else now + timeout)

    @property
    def last_start(self) -> float:
        """When a process started to work on it last, in seconds since 1970; 0 before the first."""
        return float(self._remembered(STARTED, 0.0))

    @property
    def ends(self) -> float | None:
        """When the process that started last will stop, in seconds since 1970; None if it has no time limit."""
        return cast("float | None", self._remembered(ENDS, None))

    @property
    def paused(self) -> bool:
        """Return whether all processes that work on it shall wait."""
        return bool(self._remembered(PAUSED, False))

    def pause(self) -> None:
        """Pause the study in all processes: no trial starts, and running ones wait after their batch."""
        self._remember(PAUSED, True)

    def go_on(self) -> None:
        """End a pause."""
        self._remember(PAUSED, False)

    @property
    def last_stop(self) -> str:
        """Another text after each `stop`; empty before the first."""
        return str(self._remembered(STOP, ""))

    def stop(self) -> None:
        """Let all processes that work on it now save their trials and end."""
        self._remember(STOP, secrets.token_hex(6))

    def with_trials(self, trials: int | None) -> "TuningStudy":
        """The same study with another number of trials altogether, for all processes that open it from now on.

        Raises:
            ConfigError: the number does not fit.
        """
        plan = self.plan.with_trials(trials)
        self._remember(TRIALS, plan.trials)
        return replace(self, plan=plan)

    def with_limits(self, patience: int | None, max_epochs: int | None) -> "TuningStudy":
        """The same study with other limits, for all processes that open it from now on; None keeps one.

        Raises:
            ConfigError: they do not fit.
        """
        kept = self.plan
        plan = kept.with_limits(
            kept.patience if patience is None else patience,
            kept.max_epochs if max_epochs is None else max_epochs,
        )
        self._remember(LIMITS, [plan.patience, plan.max_epochs])
        return replace(self, plan=plan)

    def with_ranges(self, domains: Mapping[str, Any]) -> "TuningStudy":
        """The same study with other ends of some ranges, for all processes that open it from now on.

        Trials outside the new ranges stay, and may be the best; the search method learns from the others.

        Raises:
            ConfigError: they do not fit.
        """
        space = with_ranges(self.plan.space, domains)
        self._remember(RANGES, space.to_dict())
        return reopened(self)

    def plan_now(self) -> Plan:
        """The plan with the limits that hold now: another process may have changed them."""
        plan = self.plan
        patience, max_epochs = self._remembered(LIMITS, (plan.patience, plan.max_epochs))
        trials = self._remembered(TRIALS, plan.trials)
        return replace(plan, trials=trials, patience=patience, max_epochs=max_epochs)

    def _remember(self, key: str, value: object) -> None:
        with writing(self.name):
            self.optuna.set_user_attr(key, value)

    def _remembered(self, key: str, default: object) -> Any:
        with reading(self.name):
            return self.optuna.user_attrs.get(key, default)


def check_plan(plan: Plan, data_root: Path | None, progress: Progress) -> Plan:
    """The plan with its metric made definite, once data, device and all models and losses are known to fit.

    Raises:
        TorchtuiError: they do not.
    """
    load_backend()
    from core.session import session

    space = plan.space
    prepared = session.prepare(space.base, data_root, progress)
    if not len(prepared.data.validation):
        raise RunError(
            "tuning needs validation data, and none is held out",
            ("Give a larger ", Remedy("field", ("data.validation",))),
        )
    for path, domain in space.domains.items():
        if path.endswith(".name") and isinstance(domain, Choices):
            for name in domain.values:
                session.assemble(space.config({path: name}), prepared.data)
    settled = {"training": prepared.config.training, "loss": prepared.config.loss}
    base = space.base.model_copy(update=settled)
    plan = replace(
        plan, space=replace(space, base=base)
    )  # all trials have the epochs and the loss that the data gives
    needed = estimate(prepared.data, prepared.summary, space.base.training.batch_size)
    if prepared.own_step is not None:
        definite = for_own_step(plan, prepared.own_step)
    else:
        definite = for_task(plan, prepared.data.task, prepared.data.outputs)
    return replace(definite, trial_bytes=needed)


def create_study(runs_dir: Path, plan: Plan, storage_url: str | None = None) -> TuningStudy:
    """A new study.

    Args:
        plan: as `check_plan` gave it.
        storage_url: of a database that several machines reach; None for a file in the study's folder.

    Raises:
        TorchtuiError: folder or storage cannot be written.
    """
    storage, now = open_storage(storage_url) if storage_url else None, time.time()

    def fill(folder: StudyFolder, name: str) -> None:
        if storage is not None:
            _begin(storage, plan, name, name, now)
        else:
            with new_storage(file_url(folder.database)) as own:
                _begin(own, plan, name, OWN_NAME, now)
        _note_storage(folder, storage_url)
        note_started(folder, now)

    folder = create_folder(runs_dir, plan.space.base, fill)
    return _opened(folder, storage_url, storage or open_storage(file_url(folder.database)))


def _begin(storage: BaseStorage, plan: Plan, study: str, name: str, now: float) -> None:
    """Make a study in a storage, where it has this name; `now` in seconds since 1970.

    Raises:
        RunError: the storage has one of this name, or cannot be written.
    """
    try:
        with writing(study):
            made = create_optuna_study(
                study_name=name,
                storage=storage,
                directions=[plan.direction, *([plan.second_direction] if plan.second else [])],
                sampler=make_sampler(plan),
                pruner=make_pruner(plan),
            )
            made.set_user_attr(PLAN, plan.to_dict())
            made.set_user_attr(CREATED, now)
    except DuplicatedStudyError:
        raise RunError(f"the storage has a study '{name}' already", "Try again") from None


def open_study(runs_dir: Path, reference: str, storage_url: str | None = None) -> TuningStudy:
    """A study that was started before, here or on another machine.

    Args:
        reference: the path of its folder, or what `core.runs.references.resolve` takes.
        storage_url: where it is kept, if not in its folder. Whoever made the folder may have written any address
            into it, such as a machine that waits for passwords or a user's file: never opened without being asked for.

    Raises:
        StorageNotGiven: it is kept elsewhere, and no URL is given.
        TorchtuiError: it cannot be found or read.
    """
    if storage_url is None or os.sep in reference:
        folder = find_study(runs_dir, reference)
        if storage_url is None:
            if not folder.database.is_file():
                raise _storage_not_given(folder)
            return _opened(folder, None, open_storage(file_url(folder.database)))
        return _opened(folder, storage_url, open_storage(storage_url))
    storage = open_storage(storage_url)
    started = {
        found.study_name: found.user_attrs.get(STARTED, 0.0)
        for found in storage.get_all_studies()
        if "/" not in found.study_name  # the runs that confirm a study have a part of their own
    }
    name = resolve_study(
        reference, sorted(started, reverse=True), started=started.__getitem__, where="in this storage"
    )
    folder = folder_named(runs_dir, name)
    _note_storage(folder, storage_url)
    study = _opened(folder, storage_url, storage)
    if created := study._remembered(CREATED, 0.0):
        note_started(folder, created)
    return study


def _opened(folder: StudyFolder, storage_url: str | None, storage: BaseStorage) -> TuningStudy:
    """Raises RunDamaged when the storage does not hold it."""
    name = folder.name if storage_url else OWN_NAME
    with reading(folder.name):
        values: Mapping[str, Any] = {}
        with contextlib.suppress(KeyError):
            values = load_study(study_name=name, storage=storage).user_attrs
        if PLAN not in values:
            raise RunDamaged(f"{folder.name} has no plan: it was never started", "Start a new study")
        ranges = {"space": values[RANGES]} if RANGES in values else {}
        plan = plan_from_dict({**values[PLAN], **ranges})
        if TRIALS in values:
            plan = replace(plan, trials=values[TRIALS])
        if LIMITS in values:
            plan = plan.with_limits(*values[LIMITS])
        sampler = make_sampler(plan, lambda study: SeenStudy(study, partial(seen_by_sampler, plan)))
        study = load_study(study_name=name, storage=storage, sampler=sampler, pruner=make_pruner(plan))
    return TuningStudy(folder, plan, storage_url, study, storage)


def reopened(study: TuningStudy) -> TuningStudy:
    """The study as its storage has it now."""
    return _opened(study.folder, study.storage_url, study.storage)


def _note_storage(folder: StudyFolder, storage_url: str | None) -> None:
    """Write down where a study is kept, for whoever is asked for it."""
    if storage_url is not None:
        text = without_credentials(storage_url).encode()
        write_atomically(folder.storage_file, lambda file: file.write(text))


def _storage_not_given(folder: StudyFolder) -> RunError:
    try:
        noted = read_text(folder.storage_file, limit=MAX_URL).strip()
    except (OSError, UnicodeDecodeError):
        return RunError(f"{folder.name} is not stored in its folder", ("Give ", STORAGE))
    (shown,) = without_secrets([noted])
    return StorageNotGiven(
        f"{folder.name} is not stored in its folder, which names {shown}. It is not opened without being asked for",
        ("If it is yours, give ", STORAGE),
        noted,
    )
