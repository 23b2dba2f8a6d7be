"""Search methods and pruners by name, as Optuna's samplers and pruners, and how a trial gets its values."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from core.tuning.search.plan import Plan
from core.tuning.search.space import Choices, Domain, SearchSpace

__all__ = [
    "DRAWN_BLINDLY",
    "TRIAL",
    "See",
    "decode",
    "distributions_of",
    "encode",
    "make_pruner",
    "make_sampler",
    "suggest",
]

TRIAL = "trial"
"""User attribute of an Optuna trial: the number of ours, from which its values are drawn."""
DRAWN_BLINDLY = ("grid", "random")
"""Methods for which a trial's values do not depend on the results before it."""
STARTUP_TRIALS = 5
"""Trials that median pruning lets finish first."""
CANDIDATES, FEW_CANDIDATES = 24, 4
"""Of which TPE takes the best one. With trials that pause it knows so many that the best of 24 is soon always the same:
on recorded curves a quarter of the trials had settings of their own, and nothing better was found."""
RANDOM_TRIALS, LEAST_RANDOM, FEW_TRIALS = 10, 3, 15
"""Trials that TPE draws at random: as many as Optuna does, but fewer in a study of few trials. On recorded surfaces
three are better in studies of 10 and 15 trials, level in those of 20, and not better in those of 30."""
WARM_UP = 10
"""It lets each trial live for this part of its epochs: one in so many."""


See = Callable[[Study], Study]
"""Shows a study as a sampler shall see it."""


def make_sampler(plan: Plan, see: See = lambda study: study) -> BaseSampler:
    """The method of a plan. A grid's values are fixed beforehand, so its sampler has nothing to do.

    Args:
        see: called before each trial; the study that the method learns from.
    """
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "grid": lambda seed: RandomSampler(seed=seed),
        "random": lambda seed: RandomSampler(seed=seed),
        "bayes": lambda seed: _tpe(seed, FEW_CANDIDATES if plan.pauses else CANDIDATES, _random_trials(plan)),
        "gp": lambda seed: GPSampler(seed=seed),
    }
    return _SeededByTrial(makers[plan.method], plan.seed, see)


def _random_trials(plan: Plan) -> int:
    """Return how many trials TPE draws at random before it learns: fewer in a study of few trials."""
    is_short = plan.trials is not None and plan.trials <= FEW_TRIALS and not plan.pauses
    return LEAST_RANDOM if is_short else RANDOM_TRIALS


def _tpe(seed: int, candidates: int, random_trials: int) -> BaseSampler:
    """Multivariate TPE that groups the paths which apply together; Optuna calls the groups an experiment."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=seed,
            multivariate=True,
            group=True,
            n_ei_candidates=candidates,
            n_startup_trials=random_trials,
        )


def make_pruner(plan: Plan) -> BasePruner:
    """The pruner of a plan; its steps are epochs. Whether a trial pauses at a milestone is decided elsewhere."""
    if plan.pruner == "median":
        return MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=plan.epochs // WARM_UP)
    return NopPruner()


def suggest(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """The values of a trial by path, of all paths that apply to it; names come first."""
    params: dict[str, Any] = {}
    known = trial.params  # of an earlier attempt, maybe outside of a range that was changed since
    for path, domain in space.domains.items():
        if space.applies(path, params):
            value = known[path] if path in known else _suggest(trial, path, _distribution(domain))
            params[path] = _decoded(domain, value)
    return params


def encode(params: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as Optuna keeps them."""
    return {path: _encoded(value) for path, value in params.items()}


def decode(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path from what Optuna keeps, in the order of the space."""
    return {path: _decoded(domain, params[path]) for path, domain in space.domains.items() if path in params}


def distributions_of(space: SearchSpace) -> dict[str, BaseDistribution]:
    """The range of each path as Optuna has it."""
    return {path: _distribution(domain) for path, domain in space.domains.items()}


def _suggest(trial: Trial, path: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(path, distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high, log, step = distribution.low, distribution.high, distribution.log, distribution.step
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(path, int(low), int(high), step=int(step or 1), log=log)
    return trial.suggest_float(path, low, high, step=step, log=log)


def _distribution(domain: Domain) -> BaseDistribution:
    if isinstance(domain, Choices):
        return CategoricalDistribution([_encoded(value) for value in domain.values])
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.last), log=domain.log, step=int(domain.step or 1))
    return FloatDistribution(domain.low, domain.last, log=domain.log, step=domain.step)


def _encoded(value: Any) -> Any:
    """Return lists and mappings as text: what Optuna compares and stores are single values."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _decoded(domain: Domain, value: Any) -> Any:
    if isinstance(domain, Choices):
        return next(choice for choice in domain.values if _encoded(choice) == value)
    return domain.nearest(value)


class _SeededByTrial(BaseSampler):
    """A fresh sampler for each trial, seeded by the study's seed and the number of the trial.

    So a study that resumes in another process repeats no values, and two processes draw different ones.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int, see: See) -> None:
        self._make, self._seed, self._see = make, seed, see
        self._sampler = make(seed)
        self._seen: Study | None = None

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        entropy = (self._seed, trial.user_attrs[TRIAL])
        self._sampler = self._make(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        self._seen = None
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if trial.params:  # another attempt at a trial, with the values that it has
            return {}
        return self._sampler.infer_relative_search_space(self._shown(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        return self._sampler.sample_relative(self._shown(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(self._shown(study), trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def _shown(self, study: Study) -> Study:
        """The study as the method sees it, read once for each trial."""
        if self._seen is None:
            self._seen = self._see(study)
        return self._seen
