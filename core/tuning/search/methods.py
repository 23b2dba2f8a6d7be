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
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from core.tuning.search.plan import Plan
from core.tuning.search.space import Choices, Domain, SearchSpace

__all__ = ["TRIAL", "decode", "encode", "make_pruner", "make_sampler", "suggest"]

TRIAL = "trial"
"""User attribute of an Optuna trial: the number of ours, from which its values are drawn."""
REDUCTION = 3
"""Successive halving keeps one trial in three at each rung (Li et al. 2020 take 4, Hyperband's authors 3)."""
RUNGS = 3
STARTUP_TRIALS = 5
"""Trials that median pruning lets finish first."""
WARM_UP = 10
"""It lets each trial live for this part of its epochs: one in so many."""


def make_sampler(plan: Plan) -> BaseSampler:
    """The method of a plan. A grid's values are fixed beforehand, so its sampler has nothing to do."""
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "grid": lambda seed: RandomSampler(seed=seed),
        "random": lambda seed: RandomSampler(seed=seed),
        "bayes": _tpe,
        "gp": lambda seed: GPSampler(seed=seed),
    }
    return _SeededByTrial(makers[plan.method], plan.seed)


def _tpe(seed: int) -> BaseSampler:
    """Multivariate TPE that groups the paths which apply together; Optuna calls the groups an experiment."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True)


def make_pruner(plan: Plan) -> BasePruner:
    """The pruner of a plan; its steps are epochs."""
    first = max(1, plan.epochs // REDUCTION**RUNGS)
    if plan.pruner == "median":
        return MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=plan.epochs // WARM_UP)
    if plan.pruner == "asha":
        return SuccessiveHalvingPruner(min_resource=first, reduction_factor=REDUCTION)
    if plan.pruner == "hyperband":
        return HyperbandPruner(min_resource=first, max_resource=plan.epochs, reduction_factor=REDUCTION)
    return NopPruner()


def suggest(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """The values of a trial by path, of all paths that apply to it; names come first."""
    params: dict[str, Any] = {}
    for path, domain in space.domains.items():
        if space.applies(path, params):
            params[path] = _decoded(domain, _suggest(trial, path, _distribution(domain)))
    return params


def encode(params: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as Optuna keeps them."""
    return {path: _encoded(value) for path, value in params.items()}


def decode(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path from what Optuna keeps, in the order of the space."""
    return {path: _decoded(domain, params[path]) for path, domain in space.domains.items() if path in params}


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
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=int(domain.step or 1))
    last = domain.high if domain.step is None else (domain.points() or (domain.high,))[-1]
    return FloatDistribution(domain.low, last, log=domain.log, step=domain.step)


def _encoded(value: Any) -> Any:
    """Lists as text: what Optuna compares and stores are single values."""
    return json.dumps(value) if isinstance(value, list) else value


def _decoded(domain: Domain, value: Any) -> Any:
    if isinstance(domain, Choices):
        return next(choice for choice in domain.values if _encoded(choice) == value)
    return value


class _SeededByTrial(BaseSampler):
    """A fresh sampler for each trial, seeded by the study's seed and the number of the trial.

    So a study that resumes in another process repeats no values, and two processes draw different ones.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._sampler = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        entropy = (self._seed, trial.user_attrs[TRIAL])
        self._sampler = self._make(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)
