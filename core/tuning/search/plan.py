"""Plan of a study, as plain data that all its processes share."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, get_args

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.errors import ConfigError
from core.metrics import METRICS, is_own, lower_is_better, name_of_metric
from core.models.own.python import Python
from core.models.own_step import directions_in_source
from core.remedies import METHOD, setting
from core.tasks.metrics import reported_metrics
from core.tasks.registry import task_of
from core.training.metrics.own_metrics import own_directions
from core.tuning.search.auto import AUTO, Method, choose_method
from core.tuning.search.milestones import bracket_of, milestones
from core.tuning.search.objectives import COSTS, Limit, parse_limit
from core.tuning.search.ranges import default_domains
from core.tuning.search.space import Range, SearchSpace, build_space

if TYPE_CHECKING:
    from core.training.own.check import OwnStep

__all__ = [
    "PAUSING",
    "Direction",
    "ExecutorName",
    "Method",
    "Plan",
    "Pruner",
    "for_own_step",
    "for_task",
    "make_plan",
    "plan_from_dict",
]

Pruner = Literal["none", "median", "asha", "hyperband"]
Direction = Literal["minimize", "maximize"]
PAUSING: tuple[Pruner, ...] = ("asha", "hyperband")
"""With these a trial pauses at a milestone, and the most promising of all that wait is trained on."""
ExecutorName = Literal["local", "ray", "slurm"]
"""Where trials are trained: in processes here, on a Ray cluster, or in jobs of Slurm."""


@dataclass(frozen=True)
class Plan:
    """A study's settings; see `make_plan`.

    Attributes:
        metric: of validation, at the best epoch of a trial; ``auto`` until the task is known.
        trials: how many the study has altogether; None for as many as time allows.
        keep: of how many best trials the checkpoints stay.
        patience, max_epochs: when no more trials start, see `make_plan`.
        trial_bytes: memory that a trial needs, an estimate; 0 until the data is known.
        second: another objective, a cost or a metric; empty for none. second_direction: that of it.
        where: limits that the best trials keep to, such as ``parameters<100000``.
        because: why `method` was chosen; empty where it was asked for.
    """

    space: SearchSpace
    method: Method
    pruner: Pruner
    metric: str
    direction: Direction
    trials: int | None
    keep: int
    trial_bytes: int = 0
    second: str = ""
    second_direction: Direction = "minimize"
    where: tuple[str, ...] = ()
    patience: int = 0
    max_epochs: int | None = None
    because: str = ""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that the best trials keep to."""
        return tuple(map(parse_limit, self.where))

    @property
    def weighed(self) -> tuple[str, ...]:
        """Names of the numbers that each trial reports at its end, beside the metric."""
        names = dict.fromkeys((self.second, *(limit.name for limit in self.limits)))
        return tuple(name for name in names if name not in ("", self.metric))

    @property
    def seed(self) -> int:
        """Seed of the search; the configuration's own."""
        return self.space.base.training.seed

    @property
    def epochs(self) -> int:
        """Most epochs of a trial."""
        domain = self.space.domains.get("training.epochs")
        if domain is None:
            return self.space.base.training.epochs
        return int(domain.high if isinstance(domain, Range) else max(domain.values))

    @property
    def pruned_by_epoch(self) -> bool:
        """Return whether trials wait after each epoch for permission to continue."""
        return self.pruner != "none"

    @property
    def pauses(self) -> bool:
        """Return whether trials pause at milestones, where the others are stopped for good."""
        return self.pruner in PAUSING

    def milestones(self, trial: int) -> tuple[int, ...]:
        """Return the epochs after which a trial of this number pauses."""
        if not self.pauses:
            return ()
        return milestones(self.epochs, bracket_of(trial, self.epochs) if self.pruner == "hyperband" else 0)

    def better(self, value: float, than: float) -> bool:
        """Return whether one value of the metric is better than another."""
        return value < than if self.direction == "minimize" else value > than

    def with_trials(self, trials: int | None) -> "Plan":
        """The same with another number of trials altogether.

        Raises:
            ConfigError: it is not a number of trials.
        """
        if trials is not None and trials < 1:
            raise ConfigError(f"trials: got {trials}, takes a number >= 1")
        if self.method == "grid":
            trials = _grid_trials(self.space, trials)
        return replace(self, trials=trials)

    def with_limits(self, patience: int, max_epochs: int | None) -> "Plan":
        """The same with other limits, see `make_plan`.

        Raises:
            ConfigError: they are not numbers of trials and of epochs.
        """
        if patience < 0:
            raise ConfigError(f"patience: got {patience}, takes a number of trials >= 0")
        if max_epochs is not None and max_epochs < 1:
            raise ConfigError(f"max-epochs: got {max_epochs}, takes a number >= 1")
        return replace(self, patience=patience, max_epochs=max_epochs)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `plan_from_dict` reads back."""
        facts = {key: value for key, value in vars(self).items() if key != "space"}
        return {"base": configuration.to_given(self.space.base), "space": self.space.to_dict(), **facts}


def plan_from_dict(values: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.to_dict` described.

    Raises:
        ConfigError: it does not fit this version's configuration.
    """
    facts = {key: value for key, value in values.items() if key not in ("base", "space")}
    facts["where"] = tuple(facts.get("where", ()))
    return Plan(build_space(configuration.from_dict(values["base"]), values["space"]), **facts)


def make_plan(
    base: TrainConfig,
    domains: Mapping[str, Any],
    *,
    method: Method | Literal["auto"] = "bayes",
    pruner: Pruner = "none",
    metric: str = "auto",
    direction: Direction | None = None,
    trials: int | None = None,
    keep: int = 5,
    second: str = "",
    where: Sequence[str] = (),
    patience: int = 0,
    max_epochs: int | None = None,
) -> Plan:
    """A plan, checked as far as that is possible without the data.

    Args:
        base: the configuration of everything that is not searched.
        domains: as for `core.tuning.search.space.build_space`; without any, defaults for the model and the optimizer.
        method: ``auto`` chooses one, see `core.tuning.search.auto.choose_method`.
        metric: ``auto`` is the validation loss or, when losses are searched, accuracy or R2. One of the user's
            own by its name, or as FILE.py:NAME, which trials then report.
        direction: found from the metric when None.
        trials: how many altogether; None for as many as time allows. A grid ends with its last combination.
        second: another objective: a cost (see `core.tuning.search.objectives.COSTS`) or a metric. The study then looks
            for the trials that no other beats in both.
        where: limits such as ``parameters<100000``, on costs and on metrics.
        patience: trials without improvement beyond the noise after which no more start; 0 for none.
        max_epochs: of all trials together, after which no more start.

    Raises:
        ConfigError: something does not fit; the message names the option or the path.
    """
    base, metric = _with_metric(base, metric)
    base, second = _with_metric(base, second) if second else (base, "")
    own = {name_of_metric(given): given for given in base.training.metrics if is_own(given)}
    _check_asked(
        base,
        own,
        method=method,
        pruner=pruner,
        metric=metric,
        direction=direction,
        second=second,
        where=where,
    )
    if keep < 0:
        raise ConfigError(f"keep: got {keep}, takes a number >= 0")
    space = build_space(base, domains or default_domains(base, grid=method == "grid"))
    if metric == "auto" and not _searches_losses(space):
        metric = "loss"
    if metric == "loss" and _searches_losses(space):
        raise ConfigError("metric: values of different losses cannot be compared", "Give accuracy or r2")
    network = directions_in_source(base.model.path) if isinstance(base.model, Python) else {}
    known = {**network, **own_directions(own.values()), **dict.fromkeys(COSTS, False)}
    way = direction or ("minimize" if lower_is_better(metric, known) else "maximize")
    second_way: Direction = "minimize" if second and lower_is_better(second, known) else "maximize"
    because = ""
    if method == "auto":
        method, because = choose_method(space, trials, whole=not second and pruner == "none")
    plan = Plan(
        space, method, pruner, metric, way, None, keep, 0, second, second_way, tuple(where), because=because
    )
    return plan.with_trials(trials).with_limits(patience, max_epochs)


def _check_asked(
    base: TrainConfig,
    own: Collection[str],
    *,
    method: str,
    pruner: str,
    metric: str,
    direction: str | None,
    second: str,
    where: Sequence[str],
) -> None:
    """Check what was asked for by itself; see `make_plan`.

    Args:
        own: names of the user's own metrics.

    Raises:
        ConfigError: something is unknown, or does not go together.
    """
    _check_choice("method", method, (AUTO, *get_args(Method)))
    _check_choice("pruner", pruner, get_args(Pruner))
    is_python = isinstance(base.model, Python)  # which may report numbers of its own
    _check_choice("metric", metric, ("auto", *own, *METRICS, *([metric] if is_python else [])))
    limited = [limit.name for limit in map(parse_limit, where)]
    for option, name in (("metric", second or metric), *(("where", name) for name in limited)):
        _check_choice(option, name, (metric, *COSTS, *own, *METRICS, *([name] if is_python else [])))
    if second and second == metric:
        raise ConfigError(f"metric: {metric} is given twice", "Give two different ones")
    if second and pruner != "none":
        raise ConfigError(
            "pruner: a trial with two objectives cannot be judged before its end", "Leave it out"
        )
    _check_choice("direction", direction, (None, *get_args(Direction)))
    if base.data.validation == 0:
        raise ConfigError(
            "data.validation: got 0, tuning needs validation data",
            ("Give ", setting("data.validation", 0.1)),
            field="data.validation",
        )


def for_own_step(plan: Plan, step: "OwnStep") -> Plan:
    """The plan of a network that defines its own step, with its metric made definite.

    Raises:
        ConfigError: validation does not report the metric, its direction is another one, or a searched setting is not
            used.
    """
    metric = "loss" if plan.metric == "auto" else plan.metric
    if step.names and metric not in step.names:
        raise ConfigError(
            f"metric: '{metric}' is not a number that the network's validation returns",
            f"Takes {', '.join(step.names)}",
        )
    if metric in step.higher_is_better and step.higher_is_better[metric] != (plan.direction == "maximize"):
        raise ConfigError(
            f"direction: the study would {plan.direction} {metric}, against the network's higher_is_better",
            "Give the other one",
        )
    unused = [path for path in plan.space.domains if path.startswith("optimizer.") and step.has_optimizer]
    if unused:
        raise ConfigError(
            f"{unused[0]}: it would not be used, as the network's configure_optimizers makes its optimizer",
            "Search an argument of the network, such as model.arguments.lr",
            field=unused[0],
        )
    return replace(plan, metric=metric)


def for_task(plan: Plan, task: str, classes: int) -> Plan:
    """The plan with its metric made definite, and reported by trials after each epoch.

    Args:
        classes: how many; of no meaning for regression.

    Raises:
        ConfigError: the metric does not exist for the task.
    """
    if plan.metric == "auto":
        return replace(plan, metric=task_of(task).goal or task_of(task).score)
    own = map(name_of_metric, filter(is_own, plan.space.base.training.metrics))
    known = [*own, *task_of(task).metrics(classes)]
    asked = [plan.metric, *(name for name in plan.weighed if name not in COSTS)]
    for name in asked:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise ConfigError(
                f"metric: a {task} task has no {name}", f"{hint}Metrics that fit: {', '.join(known)}"
            )
    base = plan.space.base
    reported = (
        *("loss", task_of(task).score),
        *reported_metrics(base.training.metrics, base.training.monitor, task),
    )
    missing = tuple(name for name in asked if name not in reported)
    if not missing:
        return plan
    training = base.training.model_copy(update={"metrics": (*base.training.metrics, *missing)})
    base = base.model_copy(update={"training": training})
    return replace(plan, space=replace(plan.space, base=base))


def _with_metric(base: TrainConfig, metric: str) -> tuple[TrainConfig, str]:
    """The configuration with a metric that is given as FILE.py:NAME among those reported, and the metric's name."""
    if not is_own(metric) or metric in base.training.metrics:
        return base, name_of_metric(metric)
    metrics = {"training": {"metrics": [*base.training.metrics, metric]}}
    return configuration.from_dict(
        configuration.merge(configuration.to_given(base), metrics)
    ), name_of_metric(metric)


def _grid_trials(space: SearchSpace, trials: int | None) -> int:
    endless = space.endless()
    if endless:
        raise ConfigError(
            f"{endless[0]}: a grid needs choices or a step, and this range has none",
            ("Write LOW..HIGH:STEP, log:LOW..HIGH:FACTOR or choices, or choose ", METHOD),
            field=endless[0],
        )
    return min(space.grid_size(), trials or space.grid_size())


def _searches_losses(space: SearchSpace) -> bool:
    return any(path.startswith("loss.") for path in space.domains)


def _check_choice(option: str, given: object, known: tuple[object, ...]) -> None:
    if given not in known:
        names = list(dict.fromkeys(str(name) for name in known if name is not None))
        close = get_close_matches(str(given), names, n=1)
        takes = f"Takes {', '.join(names)}"
        raise ConfigError(f"{option}: got '{given}'", f"Did you mean {close[0]}? {takes}" if close else takes)
