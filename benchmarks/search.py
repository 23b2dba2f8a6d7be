"""Methods of search on recorded surfaces, beside Optuna's samplers called directly and random search.

    python -m benchmarks.search [--quick] [--json FILE]

A surface holds the validation loss of every epoch of every configuration of a grid, so a search of 100 trials takes
less than a second. The regret of a search is the best loss that its completed trials have less the best one that the
surface holds. Three questions: the regret after some trials of all epochs; how many epochs trials that pause at
milestones need for the regret of 30 full ones; how many trials a search needs that knows 20 earlier ones.
"""

import json
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from benchmarks.harness import QUICK_ROUNDS, options
from benchmarks.surfaces.surface import EPOCHS, SURFACES, Recorded, load_surface
from core.tuning.search.methods import TRIAL, make_sampler, suggest
from core.tuning.search.milestones import Reached, best_so_far, bracket_of, milestones, promotable
from core.tuning.search.plan import Plan, Pruner, make_plan
from core.tuning.study.optuna_private import SeenStudy

SEEDS, SLOW_SEEDS, QUICK_SEEDS = 30, 5, 3
GOAL_SEEDS = 200
"""From which the goal is taken: on these surfaces medians of 30 searches differ by a factor of ten."""
MARKS = (10, 30, 100)
"""Numbers of trials after which the regret is taken."""
GOAL = 30
"""Full trials whose regret milestones and earlier trials are to reach sooner."""
EARLIER = 20
SPENT = (GOAL * EPOCHS // 6, GOAL * EPOCHS // 3, GOAL * EPOCHS // 2)
"""Epochs after which the regret of trials that pause is taken."""
ROUNDING = 1e-9
STOPPING = "stopping asha"
"""The same milestones, where a trial that is not promoted at once never is."""
OTHER_SEED = 1000
"""Added to the seed of an earlier study."""

Make = Callable[[Plan], BaseSampler]


@dataclass
class Searched:
    """One trial of a simulated study; `done` of its epochs are trained, and none more once it is `stopped`."""

    number: int
    asked: Trial
    curve: np.ndarray
    parts: tuple[int, ...]
    bracket: int = 0
    done: int = 0
    stopped: bool = False

    @property
    def diverged(self) -> bool:
        """Return whether it has diverged in the epochs that it was trained."""
        return bool(np.isnan(self.curve[: self.done]).any())

    @property
    def value(self) -> float:
        """Return what it is worth once it is completed: its best epoch; infinite before, and where it diverged."""
        return float(self.curve.min()) if self.done == EPOCHS and not self.diverged else math.inf

    def frozen(self) -> FrozenTrial:
        """Return it as the sampler sees it: pruned where it waits, with its value there."""
        is_complete = math.isfinite(self.value)
        shown = (
            {}
            if is_complete or self.diverged
            else {self.done: best_so_far(self.curve[: self.done], "minimize")}
        )
        return create_trial(
            state=TrialState.COMPLETE if is_complete else TrialState.PRUNED,
            value=self.value if is_complete else None,
            params=self.asked.params,
            distributions=self.asked.distributions,
            intermediate_values=shown,
            user_attrs={TRIAL: self.number},
        )

    def reached(self) -> Reached:
        """Return how far it has come, as the rule of promotion takes it."""
        values = {at: best_so_far(self.curve[:at], "minimize") for at in self.parts if at <= self.done}
        waits = self.done < EPOCHS and not self.diverged and not self.stopped
        return Reached(self.number, values, waits=waits, bracket=self.bracket)


@dataclass
class Study:
    """A simulated study whose trials pause at milestones, with one worker."""

    recorded: Recorded
    plan: Plan
    trials: list[Searched] = field(default_factory=list)
    asked: optuna.Study = field(default_factory=optuna.create_study)

    def start(self, pruner: str) -> Searched:
        """Add a trial that the sampler draws, given all that is known so far."""
        number = len(self.trials)
        known = [trial.frozen() for trial in self.trials]
        for place, trial in enumerate(known):
            trial.number = place
        self.asked.sampler = make_sampler(self.plan, lambda study: SeenStudy(study, lambda trials: known))
        asked = ask(self.asked, number)
        curve = self.recorded.curve(suggest(self.plan.space, asked))
        bracket = bracket_of(number, EPOCHS) if pruner == "hyperband" else 0
        self.trials.append(Searched(number, asked, curve, milestones(EPOCHS, bracket), bracket))
        return self.trials[-1]

    def next(self, pruner: str) -> int:
        """Train the most promising trial up to its next milestone, or else a new one; return the epochs spent."""
        ahead = promotable(trial.reached() for trial in self.trials)
        if pruner == STOPPING and not ahead and self.trials:
            self.trials[-1].stopped = True
        trial = self.trials[ahead[0]] if ahead else self.start(pruner)
        before = trial.done
        trial.done = next((at for at in trial.parts if at > before), EPOCHS)
        return trial.done - before


def plan_of(recorded: Recorded, method: Any, seed: int, trials: int, pruner: Pruner = "none") -> Plan:
    """Return the plan of a study of a surface."""
    base = recorded.surface.config()
    base = base.model_copy(update={"training": base.training.model_copy(update={"seed": seed})})
    return make_plan(base, recorded.surface.domains(), method=method, trials=trials, pruner=pruner)


def of_optuna(make: Callable[[int], BaseSampler]) -> Callable[[int], Make]:
    """Return what makes one sampler of Optuna's for a whole study, as one would who calls Optuna directly."""

    def for_seed(seed: int) -> Make:
        sampler = make(seed)
        return lambda plan: sampler

    return for_seed


METHODS: Mapping[str, tuple[str, Callable[[int], Make], int, int]] = {
    "random": ("random", lambda seed: make_sampler, 100, SEEDS),
    "auto": ("auto", lambda seed: make_sampler, 100, SEEDS),
    "Optuna TPE": ("bayes", of_optuna(lambda seed: TPESampler(seed=seed)), 100, SEEDS),
    "Optuna TPE, each parameter alone": (
        "bayes",
        of_optuna(lambda seed: TPESampler(seed=seed, multivariate=False)),
        100,
        SEEDS,
    ),
    "Optuna QMC": ("bayes", of_optuna(lambda seed: QMCSampler(seed=seed, scramble=True)), 100, SEEDS),
    "Optuna GP": ("bayes", of_optuna(lambda seed: GPSampler(seed=seed)), GOAL, SLOW_SEEDS),
}
"""By name: the method of the plan, what makes the sampler, trials, and seeds: Gaussian processes are slow."""


def ask(study: optuna.Study, number: int) -> Trial:
    """Return a new trial that has its number before its values are drawn, as in a study of ours."""
    storage = study._storage
    template = create_trial(state=TrialState.RUNNING, user_attrs={TRIAL: number})
    return Trial(study, storage.create_new_trial(study._study_id, template))


def full_trials(
    recorded: Recorded, plan: Plan, make: Make, trials: int, known: Iterable[FrozenTrial] = ()
) -> tuple[np.ndarray, list[FrozenTrial]]:
    """Search with trials of all epochs; return the regret after each (trials,), and the trials.

    Those that diverge count as pruned, as in a study of ours.
    """
    study = optuna.create_study(sampler=make(plan))
    study.add_trials(known)
    values = []
    for number in range(trials):
        trial = ask(study, number)
        curve = recorded.curve(suggest(plan.space, trial))
        diverged = bool(np.isnan(curve).any())
        values.append(math.inf if diverged else float(curve.min()))
        study.tell(trial, None if diverged else values[-1], TrialState.PRUNED if diverged else None)
    return np.asarray(np.minimum.accumulate(values)) - recorded.best, study.get_trials(deepcopy=False)


def by_epochs(recorded: Recorded, pruner: str, seed: int) -> np.ndarray:
    """Return the regret after each epoch of trials that pause at milestones, up to half the epochs of full ones."""
    budget = GOAL * EPOCHS // 2
    pauses: Pruner = "hyperband" if pruner == "hyperband" else "asha"
    study = Study(recorded, plan_of(recorded, "bayes", seed, GOAL, pauses))
    found, spent = np.full(budget + 1, math.inf), 0
    while spent < budget:
        spent += study.next(pruner)
        best = min(trial.value for trial in study.trials)
        if spent <= budget:
            found[spent] = best
    return np.asarray(np.minimum.accumulate(found)) - recorded.best


def first_at(curves: np.ndarray, goal: float) -> int | None:
    """Return the first place where the median of some curves (seeds, places) is as good as a goal."""
    reached = np.flatnonzero(np.median(curves, axis=0) <= goal + ROUNDING)
    return int(reached[0]) if len(reached) else None


def measure(name: str, quick: bool) -> dict[str, Any]:
    """Return the medians over the seeds on one surface."""
    recorded = load_surface(name)
    table: dict[str, dict[str, float]] = {}
    for method, (of_plan, for_seed, trials, seeds) in METHODS.items():
        found = [
            full_trials(recorded, plan_of(recorded, of_plan, seed, trials), for_seed(seed), trials)[0]
            for seed in range(QUICK_SEEDS if quick else seeds)
        ]
        medians = np.median(found, axis=0)
        table[method] = {str(mark): float(medians[mark - 1]) for mark in MARKS if mark <= trials}
    many, all_seeds = (range(QUICK_SEEDS if quick else seeds) for seeds in (GOAL_SEEDS, SEEDS))
    full = [
        full_trials(recorded, plan_of(recorded, "auto", seed, GOAL), make_sampler, GOAL)[0] for seed in many
    ]
    goal = float(np.median(full, axis=0)[-1])
    paused = {
        pruner: np.array([by_epochs(recorded, pruner, seed) for seed in all_seeds])
        for pruner in ("asha", "hyperband", STOPPING)
    }
    warm = []
    for seed in all_seeds:
        before = plan_of(recorded, "auto", OTHER_SEED + seed, EARLIER)
        known = full_trials(recorded, before, make_sampler, EARLIER)[1]
        plan = plan_of(recorded, "auto", seed, GOAL)
        warm.append(full_trials(recorded, plan, make_sampler, GOAL, known)[0])
    after = first_at(np.array(warm), goal)
    return {
        "regret": table,
        "goal": goal,
        "epochs_to_goal": {pruner: first_at(curves, goal) for pruner, curves in paused.items()},
        "regret_by_epochs": {
            pruner: {str(spent): _median(curves[:, spent]) for spent in SPENT}
            for pruner, curves in paused.items()
        },
        "share_at_half": {
            pruner: float(np.mean(curves[:, SPENT[-1]] <= goal + ROUNDING))
            for pruner, curves in paused.items()
        },
        "new_trials_to_goal": None if after is None else after + 1,
    }


def _median(values: np.ndarray) -> float | None:
    """Return the median of some regrets; None where half of the searches have no complete trial yet."""
    median = float(np.median(values))
    return median if math.isfinite(median) else None


def show(name: str, found: Mapping[str, Any]) -> None:
    """Print what was measured on one surface."""
    print(f"\n{name}: median regret after {', '.join(map(str, MARKS))} trials")
    for method, medians in found["regret"].items():
        print(f"  {method:34}" + "".join(f"{medians.get(str(mark), math.nan):10.5f}" for mark in MARKS))
    for pruner, epochs in found["epochs_to_goal"].items():
        medians = ", ".join(
            "–" if value is None else f"{value:.4f}" for value in found["regret_by_epochs"][pruner].values()
        )
        print(
            f"  {pruner}: {found['goal']:.4f}, the regret of {GOAL} full trials, after {epochs} of {GOAL * EPOCHS} "
            f"epochs; after {SPENT} epochs {medians}; {found['share_at_half'][pruner]:.2f} reach it in half of them"
        )
    trials = found["new_trials_to_goal"]
    print(f"  with {EARLIER} earlier trials known: after {trials} new trials", flush=True)


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", ExperimentalWarning)
    found = {}
    for name in SURFACES:
        found[name] = measure(name, given.rounds == QUICK_ROUNDS)
        show(name, found[name])
    auto = [table["regret"] for table in found.values()]
    level = sum(
        one["auto"][str(GOAL)]
        <= min(values[str(GOAL)] for key, values in one.items() if key.startswith("Optuna"))
        for one in auto
    )
    print(f"\nauto at {GOAL} trials is no worse than the best of Optuna's samplers on {level} of {len(auto)}")
    if given.json is not None:
        numbers = {"title": "regret on recorded surfaces", "surfaces": found, "no_worse": level}
        given.json.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
