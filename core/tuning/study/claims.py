"""Claims on trials: every trial is trained once, whatever becomes of the processes that work on a study.

A storage numbers what is added to it without gaps or doubles, also when many processes add at once. An *attempt*
is an Optuna trial that says "I train trial t, for the a-th time". Of several attempts for the same t and a the
first counts; whoever finds another one before its own withdraws. So no lock is needed, on one machine or many, and
a process that is killed between any two steps leaves nothing behind that could be misunderstood: its attempt is
begun and has no result.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from core.tuning.search.methods import TRIAL, encode, suggest
from core.tuning.study.presence import Presence

if TYPE_CHECKING:
    from core.tuning.search.plan import Plan
    from core.tuning.study.study import TuningStudy

__all__ = ["RESULT", "RUN", "Attempts", "Claim", "Claims", "attempts", "give_back", "record_result"]

ATTEMPT, PROCESS, RUN, RESULT = "attempt", "process", "run", "result"
"""User attributes of an attempt, beside the number of its trial."""

OPTUNA_STATES = {
    "completed": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "diverged": TrialState.PRUNED,  # so that the sampler learns to stay away; it forgets failed ones
    "failed": TrialState.FAIL,
}


class Claim:
    """A trial that this process is to train.

    Attributes:
        number: of the trial. attempt: Optuna's own trial. params: values by path.
        judged: epochs that the pruner has seen, in earlier attempts too.
        run: name of the run folder of an earlier attempt, or None; see `StudyFolder.trial_run`.
    """

    def __init__(self, number: int, attempt: Trial, params: dict[str, Any], judged: set[int]) -> None:
        self.number, self.attempt, self.params, self.judged = number, attempt, params, judged
        self.run: str | None = attempt.user_attrs.get(RUN)

    def trained_in(self, run: str) -> None:
        """Record the run folder, for a process that may have to resume it."""
        if run != self.run:
            self.run = run
            self.attempt.set_user_attr(RUN, run)


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
            attempt = self._claim(*found)
            if attempt is not None:
                number, before = found
                judged = set() if before is None else set(before.intermediate_values)
                return Claim(number, attempt, suggest(self._plan.space, attempt), judged)

    def left(self) -> bool:
        """Return whether a trial is left to train."""
        return self._free() is not None

    def elsewhere(self) -> int:
        """Return the number of trials that other living processes train now."""
        unsettled = self._read().unsettled.values()
        return sum(trial.state == TrialState.RUNNING and not self._is_mine(trial) for trial in unsettled)

    def _read(self) -> "Attempts":
        self._attempts.read(self._study.optuna.get_trials(deepcopy=False))
        return self._attempts

    def _free(self) -> tuple[int, FrozenTrial | None] | None:
        """A trial that nobody trains, with its last attempt if there was one."""
        found = self._read()
        for number, trial in sorted(found.unsettled.items()):
            if self._is_free(trial):
                return number, trial
        new, trials = found.first_untried(), self._plan.trials
        return (new, None) if trials is None or new < trials else None

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
        return True

    def _claim(self, number: int, before: FrozenTrial | None) -> Trial | None:
        """An attempt at a trial; None when another process was quicker."""
        storage = self._study.storage
        template = self._new(number) if before is None else self._again(number, before)
        attempt_id = storage.create_new_trial(self._study.storage_id, template)
        if self._read().counts(template, storage.get_trial_number_from_id(attempt_id)):
            return Trial(self._study.optuna, attempt_id)
        storage.set_trial_state_values(attempt_id, TrialState.FAIL)
        return None

    def _new(self, number: int) -> FrozenTrial:
        grid = self._plan.method == "grid"
        fixed = {"fixed_params": encode(self._plan.space.grid_point(number))} if grid else {}
        return create_trial(
            state=TrialState.RUNNING,
            user_attrs={TRIAL: number, ATTEMPT: 0, PROCESS: self._presence.name},
            system_attrs=fixed,
        )

    def _again(self, number: int, before: FrozenTrial) -> FrozenTrial:
        """The same values, and the same run folder: the trial resumes from its checkpoint."""
        marks = {TRIAL: number, ATTEMPT: before.user_attrs[ATTEMPT] + 1, PROCESS: self._presence.name}
        return create_trial(
            state=TrialState.RUNNING,
            params=before.params,
            distributions=before.distributions,
            user_attrs={**before.user_attrs, **marks},
            system_attrs=before.system_attrs,
            intermediate_values=before.intermediate_values,
        )

    def _is_mine(self, trial: FrozenTrial) -> bool:
        return bool(trial.user_attrs[PROCESS] == self._presence.name)


class Attempts:
    """The attempts of a study, read again and again: one that has ended is looked at once.

    Attributes:
        latest: the last attempt that counts, by the number of its trial.
        unsettled: those of them that are running, or have ended without a result.
    """

    def __init__(self) -> None:
        self.latest: dict[int, FrozenTrial] = {}
        self.unsettled: dict[int, FrozenTrial] = {}
        self._first: dict[tuple[int, int], int] = {}
        self._running: list[int] = []
        self._count = 0
        self._untried = 0

    def read(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in all attempts that there are now, in the order of their numbers."""
        places = [*self._running, *range(self._count, len(trials))]
        self._running, self._count = [], len(trials)
        for place in places:
            trial = trials[place]
            if TRIAL in trial.user_attrs:
                self._take(trial)
                if trial.state == TrialState.RUNNING:
                    self._running.append(place)

    def counts(self, attempt: FrozenTrial, number: int) -> bool:
        """Return whether the attempt of this number was the first of all that are equal."""
        return self._first[_key(attempt)] == number

    def first_untried(self) -> int:
        """Return the smallest number of a trial without attempts."""
        while self._untried in self.latest:
            self._untried += 1
        return self._untried

    def _take(self, trial: FrozenTrial) -> None:
        number, attempt = key = _key(trial)
        known = self.latest.get(number)
        if self._first.setdefault(key, trial.number) != trial.number:
            return
        if known is not None and _key(known)[1] > attempt:
            return
        self.latest[number] = trial
        if trial.state == TrialState.RUNNING or RESULT not in trial.user_attrs:
            self.unsettled[number] = trial
        else:
            self.unsettled.pop(number, None)


def attempts(trials: Sequence[FrozenTrial]) -> dict[int, FrozenTrial]:
    """The last attempt that counts, by the number of the trial, in the order of these."""
    found = Attempts()
    found.read(trials)
    return dict(sorted(found.latest.items()))


def record_result(study: "TuningStudy", attempt: int, result: dict[str, Any]) -> bool:
    """End an attempt, by its number, with its result; False if it had been given to another process meanwhile."""
    try:
        study.storage.set_trial_user_attr(_id_of(study, attempt), RESULT, result)
        state = OPTUNA_STATES[result["state"]]
        _note_limits(study, attempt, result)
        study.optuna.tell(
            attempt, _values(study.plan, result) if state == TrialState.COMPLETE else None, state
        )
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


def _key(trial: FrozenTrial) -> tuple[int, int]:
    return trial.user_attrs.get(TRIAL, -1), trial.user_attrs.get(ATTEMPT, 0)
