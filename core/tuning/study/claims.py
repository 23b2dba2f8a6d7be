"""Claims on trials: every trial is trained once, whatever becomes of the processes that work on a study.

A storage numbers what is added to it without gaps or doubles, also when many processes add at once. Of several equal
attempts (see `core.tuning.study.attempts`) the first counts; whoever finds another one before its own withdraws. So no
lock is needed, on one machine or many, and a process that is killed between any two steps leaves nothing behind that
could be misunderstood: its attempt is begun and has no result.

A trial that waits at a milestone is promoted by another attempt at it, claimed in the same way.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from core.tuning.search.methods import DRAWN_BLINDLY, TRIAL, encode, suggest
from core.tuning.search.milestones import promotable
from core.tuning.study.attempts import (
    ATTEMPT,
    ORIGIN,
    PROCESS,
    PROMOTED,
    RESULT,
    RUN,
    SECONDS,
    Attempts,
    is_waiting,
    places_in_line,
    reached,
)
from core.tuning.study.optuna_file import at_once
from core.tuning.study.presence import Presence

if TYPE_CHECKING:
    from core.tuning.search.plan import Plan
    from core.tuning.study.study import TuningStudy

__all__ = ["Claim", "Claims", "give_back", "record_result"]

OPTUNA_STATES = {
    "completed": TrialState.COMPLETE,
    "paused": TrialState.PRUNED,
    "pruned": TrialState.PRUNED,
    "diverged": TrialState.PRUNED,  # so that the sampler learns to stay away; it forgets failed ones
    "failed": TrialState.FAIL,
}


class Claim:
    """A trial that this process is to train.

    Attributes:
        number: of the trial. attempt: Optuna's own trial. params: values by path.
        judged: epochs that the pruner has seen, in earlier attempts too.
        seconds: that earlier attempts took until they paused.
        run: name of the run folder of an earlier attempt, or None; see `StudyFolder.trial_run`.
    """

    def __init__(self, number: int, attempt: Trial, params: dict[str, Any], judged: set[int]) -> None:
        self.number, self.attempt, self.params, self.judged = number, attempt, params, judged
        facts = attempt.user_attrs
        self.run: str | None = facts.get(RUN)
        self.origin: str = facts.get(ORIGIN, "")
        self.promoted: int = facts.get(PROMOTED, 0)
        self.seconds: float = facts.get(SECONDS, 0.0)

    def trained_in(self, run: str) -> None:
        """Record the run folder, for a process that may have to resume it."""
        if run != self.run:
            self.run = run
            self.attempt.set_user_attr(RUN, run)

    def reaches(self, milestone: int, value: float) -> None:
        """Record the best value so far at a milestone: the trial waits there until it is promoted."""
        self.judged.add(milestone)
        self.attempt.report(value, milestone)

    def promote(self, milestone: int) -> None:
        """Record that the trial is trained on beyond a milestone, without a pause."""
        self.promoted = milestone
        self.attempt.set_user_attr(PROMOTED, milestone)


class Claims:
    """Claims trials of a study for this process."""

    def __init__(self, study: "TuningStudy", presence: Presence) -> None:
        self._study, self._plan, self._presence = study, study.plan, presence
        self._attempts = Attempts()

    def next(self) -> Claim | None:
        """The next trial to train: one whose process is gone, or else a new one; None when none is left."""
        while True:
            found = self._free()
            if found is None:
                return None
            number, before = found
            with self._drawing():
                attempt = self._claim(number, before)
                if attempt is None:
                    continue
                params = self._suggest(attempt)
            judged = set() if before is None else set(before.intermediate_values)
            return Claim(number, attempt, params, judged)

    def add(self, fixed: dict[str, Any], origin: str) -> int:
        """Add a trial with some values fixed, as Optuna keeps them, that nobody trains yet; return its number."""
        while True:
            number = self._read().first_untried()
            marks = {ORIGIN: origin, PROMOTED: 0} if self._plan.pauses else {ORIGIN: origin}
            attempt = self._attempt(self._new(number, fixed, marks))
            if attempt is not None:
                self._suggest(attempt)
                give_back(self._study, attempt.number)
                return number

    def left(self) -> bool:
        """Return whether a trial is left to train."""
        return self._free() is not None

    def elsewhere(self) -> int:
        """Return the number of trials that other living processes train now."""
        unsettled = self._read().unsettled.values()
        return sum(trial.state == TrialState.RUNNING and not self._is_mine(trial) for trial in unsettled)

    def promotes(self, number: int) -> bool:
        """Return whether a trial of this process that has just reached a milestone may be trained on at once."""
        found = reached(self._plan, self._read().latest)
        return number in promotable(replace(one, waits=one.waits or one.trial == number) for one in found)

    def place(self, number: int) -> int | None:
        """Return the place of a trial in the line of those that wait, from 1; None when it does not wait."""
        return places_in_line(self._plan, self._read().latest)[0].get(number) if self._plan.pauses else None

    def _drawing(self) -> AbstractContextManager[None]:
        """Context manager that claims and draws at once, unless drawing takes time in which others shall not wait."""
        quick = self._plan.method in DRAWN_BLINDLY
        return at_once(self._study.storage) if quick else nullcontext()

    def _suggest(self, attempt: Trial) -> dict[str, Any]:
        """The values of an attempt by path: drawn first, then written down together."""
        _ = attempt.relative_params
        with at_once(self._study.storage):
            return suggest(self._plan.space, attempt)

    def _read(self) -> "Attempts":
        self._attempts.read(self._study.optuna.get_trials(deepcopy=False))
        return self._attempts

    def _free(self) -> tuple[int, FrozenTrial | None] | None:
        """A trial that nobody trains, with its last attempt if there was one: first those that were interrupted."""
        found = self._read()
        for number, trial in sorted(found.unsettled.items()):
            if self._is_free(trial):
                return number, trial
        found = self._read()  # some of them may have been settled just now
        waiting = self._promotable(found) if self._plan.pauses else []
        here = [number for number in waiting if self._is_here(found.latest[number])]
        if here:
            return here[0], found.latest[here[0]]
        new, trials = found.first_untried(), self._plan.trials
        if trials is None or new < trials:
            return new, None
        # One whose checkpoint is on another machine's disk is trained again from its start, so it comes last.
        return (waiting[0], found.latest[waiting[0]]) if waiting else None

    def _promotable(self, found: "Attempts") -> list[int]:
        """Trials that wait and may be trained on, the most promising one first."""
        trials = self._plan.trials
        ends = not found.unsettled and trials is not None and found.first_untried() >= trials
        return promotable(reached(self._plan, found.latest), ends=ends)

    def _is_here(self, trial: FrozenTrial) -> bool:
        run = self._study.folder.trial_run(str(trial.user_attrs.get(RUN, "")))
        return run is not None and run.is_dir()

    def _is_free(self, trial: FrozenTrial) -> bool:
        """Return whether an attempt has ended without a result; one whose process was killed is ended here."""
        if trial.state != TrialState.RUNNING:
            return RESULT not in trial.user_attrs
        if not self._presence.is_gone(trial.user_attrs[PROCESS]):
            return False
        if RESULT in trial.user_attrs:
            record_result(self._study, trial.number, trial.user_attrs[RESULT])
            return False
        give_back(self._study, trial.number)
        return not is_waiting(self._read().latest[trial.user_attrs[TRIAL]])

    def _claim(self, number: int, before: FrozenTrial | None) -> Trial | None:
        """An attempt at a trial; None when another process was quicker."""
        if before is not None:
            return self._attempt(self._again(number, before))
        grid = self._plan.method == "grid"
        marks = {PROMOTED: 0} if self._plan.pauses else {}
        fixed = encode(self._plan.space.grid_point(number)) if grid else {}
        return self._attempt(self._new(number, fixed, marks))

    def _attempt(self, template: FrozenTrial) -> Trial | None:
        """Add an attempt; None when another process has added an equal one before."""
        storage = self._study.storage
        attempt_id = storage.create_new_trial(self._study.storage_id, template)
        if self._read().counts(template, storage.get_trial_number_from_id(attempt_id)):
            return Trial(self._study.optuna, attempt_id)
        storage.set_trial_state_values(attempt_id, TrialState.FAIL)
        return None

    def _new(self, number: int, fixed: dict[str, Any], marks: dict[str, Any]) -> FrozenTrial:
        return create_trial(
            state=TrialState.RUNNING,
            user_attrs={TRIAL: number, ATTEMPT: 0, PROCESS: self._presence.name, **marks},
            system_attrs={"fixed_params": fixed} if fixed else {},
        )

    def _again(self, number: int, before: FrozenTrial) -> FrozenTrial:
        """The same values, and the same run folder: the trial resumes from its checkpoint."""
        facts = dict(before.user_attrs)
        paused = facts.pop(RESULT, None)
        marks = {TRIAL: number, ATTEMPT: facts[ATTEMPT] + 1, PROCESS: self._presence.name}
        if is_waiting(before):
            marks[PROMOTED] = max(before.intermediate_values)
        if paused is not None:
            marks[SECONDS] = paused["seconds"]
        return create_trial(
            state=TrialState.RUNNING,
            params=before.params,
            distributions=before.distributions,
            user_attrs={**facts, **marks},
            system_attrs=before.system_attrs,
            intermediate_values=before.intermediate_values,
        )

    def _is_mine(self, trial: FrozenTrial) -> bool:
        return bool(trial.user_attrs[PROCESS] == self._presence.name)


def record_result(study: "TuningStudy", attempt: int, result: dict[str, Any]) -> bool:
    """End an attempt, by its number, with its result; False if it had been given to another process meanwhile."""
    state = OPTUNA_STATES[result["state"]]
    values = _values(study.plan, result) if state == TrialState.COMPLETE else None
    try:
        with at_once(study.storage):
            study.storage.set_trial_user_attr(_id_of(study, attempt), RESULT, result)
            if result["state"] != "paused":
                _note_limits(study, attempt, result)
            study.optuna.tell(attempt, values, state)
    except (UpdateFinishedTrialError, ValueError):
        return False
    return True


def _note_limits(study: "TuningStudy", attempt: int, result: dict[str, Any]) -> None:
    """Let the search method know by how much a trial misses each limit of the study."""
    if not study.plan.limits:
        return
    found = {**result.get("costs", {}), study.plan.metric: result["value"]}
    trial = Trial(study.optuna, _id_of(study, attempt))
    noted = trial.constraints
    for limit in study.plan.limits:
        if str(limit) not in noted:  # a process may have been killed right here
            trial.set_constraint(str(limit), limit.violation(found.get(limit.name)))


def _values(plan: "Plan", result: dict[str, Any]) -> list[float]:
    """The objectives of a trial that completed."""
    return [result["value"], *([result["costs"][plan.second]] if plan.second else [])]


def give_back(study: "TuningStudy", attempt: int) -> None:
    """End an attempt, by its number, without a result: the trial is free again."""
    try:
        study.storage.set_trial_state_values(_id_of(study, attempt), TrialState.FAIL)
    except UpdateFinishedTrialError:
        return  # another process has done so


def _id_of(study: "TuningStudy", attempt: int) -> int:
    return study.storage.get_trial_id_from_study_id_trial_number(study.storage_id, attempt)
