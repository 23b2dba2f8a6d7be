"""The current state of a study, read from its folder repeatedly, whichever process works on it."""

import math
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.events import EpochFinished, RunPaused
from core.runs.folder import Run
from core.runs.log import LogReader
from core.slurm.job import SlurmJob
from core.tuning.confirm.result import Confirmation, confirmation
from core.tuning.executors.protocol import Resources
from core.tuning.resources import resources_of
from core.tuning.search.plan import Plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.importance import Importances, importances
from core.tuning.study.records import TrialRecord, TrialStatus, best_first, pareto_front
from core.tuning.study.selection import Selection, selection
from core.tuning.study.study import TuningStudy, open_study
from tui.runtime.study_process import is_worked_on, last_words
from tui.runtime.study_queue import lost_workers, workers, workers_now

__all__ = ["Follower", "Standing"]

ASK_SECONDS = 5.0
"""How often Slurm is asked about the jobs of a study that waits for them."""


@dataclass(frozen=True)
class Standing:
    """State of a study at one moment.

    Attributes:
        records: in the order of their numbers. best: number of the best trial; None before one completed.
        importance: of each path, over all trials and over the good ones.
        selection: on what the choice of the best trial rests.
        active: whether any process works on it. paused: whether it is paused.
        problem: why it failed, in one line; empty otherwise.
        confirmation: of its best trials; None where they are not trained again.
        front: with two objectives, numbers of the trials that no other beats in both.
        since: when a process started to work on it last, in seconds since 1970.
        ends: when its time is over, as above; None for no limit.
        resources: what is free where its trials train, and which of them wait for more; None if that is not known.
        lost: how its last workers ended, if none of them was done; empty otherwise.
        jobs: arrays of Slurm that wait to work on it, or do, that which came furthest first.
    """

    folder: StudyFolder
    plan: Plan
    records: tuple[TrialRecord, ...] = ()
    best: int | None = None
    importance: Importances = field(default_factory=Importances)
    selection: Selection | None = None
    active: bool = False
    paused: bool = False
    problem: str = ""
    confirmation: Confirmation | None = None
    front: tuple[int, ...] = ()
    since: float = 0.0
    ends: float | None = None
    lost: str = ""
    jobs: tuple[SlurmJob, ...] = ()
    resources: Resources | None = None

    @property
    def counts(self) -> Counter[str]:
        """Number of trials by state."""
        return Counter(record.state for record in self.records)

    @property
    def done(self) -> int:
        """Number of trials that have ended or wait at a milestone."""
        return sum(record.rests for record in self.records)

    @property
    def status(self) -> str:
        """``running``, ``paused``, ``pending``, ``completed``, ``failed`` (no trial completed) or ``stopped``."""
        if self.active:
            return "paused" if self.paused else "running"
        complete = self.plan.trials is not None and self.done >= self.plan.trials
        if self.jobs and not complete:
            return "pending"
        if self.best is None and (self.problem or self.lost or self.done):
            return "failed"
        return "completed" if complete else "failed" if self.problem else "stopped"


class Follower:
    """Reads one study. Not for the UI thread, and for one thread at a time.

    Raises:
        TorchtuiError: the study cannot be found or read.
    """

    def __init__(self, runs_dir: Path, reference: str, storage_url: str | None = None) -> None:
        self._study = open_study(runs_dir, reference, storage_url)
        self._readers: dict[int, tuple[Path, LogReader]] = {}
        self._curves: dict[int, dict[int, float]] = {}
        self._waiting: set[int] = set()
        self._weighed = 0
        self._importance = Importances()
        self._selection: Selection | None = None
        self._next_ask = 0.0

    @property
    def study(self) -> TuningStudy:
        """The study that is read."""
        return self._study

    @property
    def folder(self) -> StudyFolder:
        """Its folder."""
        return self._study.folder

    def look(self) -> Standing:
        """Return the current state of the study.

        Raises:
            RunDamaged: its storage cannot be read.
        """
        active = is_worked_on(self.folder)  # before the trials: what it does next is seen the next time
        plan, paused = self._study.plan_now(), self._study.paused
        records = tuple(self._alive(record, active) for record in self._study.records())
        ranked = best_first(plan, records)
        self._weigh(records, ranked)
        jobs = self._jobs_now()
        problem = "" if active else last_words(self.folder)
        best = ranked[0].number if ranked else None
        shares, chosen = self._importance, self._selection
        again = confirmation(self._study)
        if again is not None and again.winner is not None:
            best = again.winner
        front = tuple(record.number for record in pareto_front(plan, records))
        return Standing(
            *(self.folder, plan, records, best, shares, chosen, active, paused, problem),
            confirmation=again,
            front=front,
            since=self._study.last_start,
            ends=self._study.ends,
            jobs=jobs,
            lost="" if active else lost_workers(self.folder),
            resources=resources_of(self.folder) if active else None,
        )

    def _jobs_now(self) -> tuple[SlurmJob, ...]:
        """Return the jobs, of which Slurm is asked now and then."""
        if time.monotonic() < self._next_ask:
            return workers(self.folder)
        found = workers_now(self.folder)
        self._next_ask = time.monotonic() + ASK_SECONDS
        return found

    def _alive(self, record: TrialRecord, active: bool) -> TrialRecord:
        """Return a running trial with the epochs in its log so far; without a process none is running."""
        if record.rests or record.run is None:
            return record
        path, reader = self._readers.get(record.number, (None, None))
        if path != record.run or reader is None:
            reader = LogReader(Run(record.run).log_file)
            self._readers[record.number] = (record.run, reader)
            self._curves[record.number] = {}
            self._waiting.discard(record.number)
        curve = self._curves[record.number]
        for event in reader.read():
            if isinstance(event, EpochFinished):
                value = event.validation.get(self._study.plan.metric)
                curve[event.epoch] = math.nan if value is None else value
            elif isinstance(event, RunPaused):
                self._waiting.add(record.number)
            else:
                self._waiting.discard(record.number)
        values = tuple(curve.get(epoch, math.nan) for epoch in range(1, max(curve, default=0) + 1))
        state: TrialStatus = record.state if active else "interrupted"
        if state == "running" and record.number in self._waiting:
            state = "paused"
        return replace(record, state=state, epochs=len(values), curve=values)

    def _weigh(self, records: tuple[TrialRecord, ...], ranked: list[TrialRecord]) -> None:
        """Look at the trials anew when more of them are done."""
        done = sum(record.done for record in records)
        if done != self._weighed:
            self._weighed = done
            self._importance = importances(self._study.plan, records)
            self._selection = selection(ranked, self._study.plan.metric)
