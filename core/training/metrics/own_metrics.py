"""Metrics of the user's own: a function or class in a Python file, called with all scores and targets of a split.

    def f2(scores, targets):            # (n, classes) and (n,), or (n,) and (n,) for numbers
        ...
        return value                    # one number; NaN where it is undefined

    f2.higher_is_better = True

A class is made once, and then called; it has `higher_is_better` as its own attribute. Which direction is better is read
from the source, so that it is known before anything runs. ``training.metric_arguments`` gives a class its arguments,
and a function those after the first two. What has a parameter ``weights`` gets the weights of the samples by this name,
float64 (n,), or None where all count alike.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from core.arrays import IGNORED
from core.config.training import METRIC_ARGUMENTS, Training
from core.errors import ConfigError, UserCodeError
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array, none_if_nan
from core.metrics import is_own, name_of_metric
from core.options import Options
from core.user_code.argument_order import needs_reverse, reversed_names
from core.user_code.arguments import check_arguments, signature_of, wrong_arguments
from core.user_code.loading import Reference, as_user_error, call, load_object, parse
from core.user_code.source import read_source

__all__ = [
    "OwnMetric",
    "check_metric_arguments",
    "load_own_metrics",
    "own_directions",
    "try_metric",
    "with_own_metrics",
]

DIRECTION, WEIGHTS = "higher_is_better", "weights"
SEED = 0
TRIED_ROWS = 256
ARGUMENTS_FIELD = f"training.{METRIC_ARGUMENTS}"


class _Called(Options):
    """A metric and its arguments, in the shape in which arguments are checked."""

    GIVEN: ClassVar = 2
    """Arguments of a function that are not settings: scores and targets."""
    FILLED_OF_FUNCTIONS: ClassVar = {WEIGHTS: True}

    path: Reference
    """The metric: FILE.py:NAME."""
    arguments: dict[str, Any] = {}
    """Its arguments."""


@dataclass(frozen=True)
class OwnMetric:
    """A metric that is ready to be called.

    Attributes:
        name: under which it is reported.
        higher_is_better: False where less is better.
        weighted: it is given the weights of the samples, too.
    """

    name: str
    higher_is_better: bool
    function: Callable[..., object]
    weighted: bool = False

    def value(self, predictions: Predictions) -> float:
        """Return the metric of some predictions; NaN where it is not finite, or divides by zero.

        Raises:
            UserCodeError: it returned something else than a number.
            Exception: whatever it raises itself.
        """
        if not np.isfinite(predictions.scores).all():
            return np.nan
        given = predictions.weights
        named = {WEIGHTS: None if given is None else given.copy()} if self.weighted else {}
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = self.function(predictions.scores.copy(), predictions.targets.copy(), **named)
        except ArithmeticError:
            return np.nan
        try:
            value = float(found)  # type: ignore[arg-type]  # the user's own return value
        except (TypeError, ValueError):
            shape = f" of shape {np.shape(found)}" if hasattr(found, "shape") else ""
            raise UserCodeError(
                f"the metric {self.name} returned an object of type {type(found).__name__}{shape}",
                "A metric returns one number",
            ) from None
        return value if np.isfinite(value) else np.nan


def check_metric_arguments(settings: Training) -> None:
    """Check ``training.metric_arguments``, as far as the sources show. Runs nothing.

    Raises:
        ConfigError: they are of no metric of the user's own, or one is unknown, missing, or of the wrong type.
    """
    own = {name_of_metric(reference): reference for reference in filter(is_own, settings.metrics)}
    for name in settings.metric_arguments:
        if name not in own:
            known = f"Your own metrics: {', '.join(own)}" if own else "Name your own in training.metrics"
            raise ConfigError(
                f"{ARGUMENTS_FIELD}: '{name}' is no metric of your own in training.metrics",
                known,
                field=ARGUMENTS_FIELD,
            )
    for name, reference in own.items():
        given = settings.metric_arguments.get(name, {})
        for argument, message in wrong_arguments(_Called, {"path": reference, "arguments": given}).items():
            raise ConfigError(f"{ARGUMENTS_FIELD}.{name}.{argument}: {message}", field=ARGUMENTS_FIELD)


def load_own_metrics(settings: Training) -> tuple[OwnMetric, ...]:
    """Load those entries of ``training.metrics`` that are the user's own, with their arguments.

    Raises:
        UntrustedCode: the user has neither named a file nor run it before.
        UserCodeError: one cannot be loaded, or does not define `higher_is_better`.
        ConfigError: an argument is unknown, missing, or of the wrong type.
    """
    loaded = []
    for reference in filter(is_own, settings.metrics):
        higher = _higher_is_better(reference)
        function = _with_arguments(reference, settings.metric_arguments.get(name_of_metric(reference), {}))
        if not callable(function):
            raise UserCodeError(
                f"training.metrics: an object of {reference} cannot be called",
                "Give the class a method __call__(self, scores, targets)",
            )
        loaded.append(OwnMetric(name_of_metric(reference), higher, function, _asks_for_weights(function)))
    return tuple(loaded)


def own_directions(metrics: Iterable[str]) -> dict[str, bool]:
    """Return by name whether more is better, for those entries of ``training.metrics`` that are the user's own.

    Runs nothing.

    Raises:
        UserCodeError: a file cannot be read, or does not define `higher_is_better`.
    """
    return {name_of_metric(reference): _higher_is_better(reference) for reference in filter(is_own, metrics)}


def with_own_metrics(report: Report, predictions: Predictions, metrics: Iterable[OwnMetric]) -> Report:
    """Return a report with the values of the user's own metrics beside the built-in ones."""
    values = {metric.name: metric.value(predictions) for metric in metrics}
    undefined = {name: "it returned no finite number" for name, value in values.items() if np.isnan(value)}
    return replace(
        report,
        metrics={**report.metrics, **{name: none_if_nan(value) for name, value in values.items()}},
        undefined={**report.undefined, **undefined},
    )


def try_metric(
    metric: OwnMetric, targets: Array, classes: int, probabilities: bool, *, weighted: bool = False
) -> None:
    """Call a metric with real targets and random scores: what would fail after the first epoch fails now.

    Args:
        targets: (n,) of a split; some of them are used.
        classes: number of columns of the scores; 0 for regression.
        weighted: samples have weights.

    Raises:
        UserCodeError: it raises an error, or does not return a number.
    """
    dice = np.random.default_rng(SEED)
    targets = dice.permutation(targets)[:TRIED_ROWS]
    masks = targets.ndim == 3
    if masks:
        targets = np.where(targets == IGNORED, 0, targets).astype(np.uint8)
    scores = dice.random((len(targets), classes)) if classes and not masks else dice.permutation(targets)
    if probabilities and not masks:
        scores = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    weights = dice.random(len(targets)) if weighted else None
    tried = Predictions(scores, targets, np.arange(len(targets)), probabilities, weights=weights)
    _check_order(metric, tried)
    try:
        metric.value(tried)
    except UserCodeError:
        raise
    except (Exception, SystemExit) as error:
        said = f"the metric {metric.name}: {type(error).__name__}: {error}"
        raise as_user_error(error) or UserCodeError(said) from None


def _check_order(metric: OwnMetric, tried: Predictions) -> None:
    """Make sure that a metric means scores by its first parameter.

    Raises:
        UserCodeError: it is written for targets first.
    """
    names = reversed_names(metric.function)
    if names is None:
        return
    named = {WEIGHTS: tried.weights} if metric.weighted else {}

    def value(first: Array, second: Array) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(metric.function(first.copy(), second.copy(), **named))  # type: ignore[arg-type]  # as above

    scores = (
        tried.scores + tried.scores.mean()
    ) / 2  # of another spread than targets: some measures go by that alone
    if needs_reverse(value, scores, tried.targets):
        raise UserCodeError(
            f"the metric {metric.name} takes ({', '.join(names)}), and is called with scores first, then targets",
            f"Swap them: ({', '.join(names[::-1])})",
        )


def _with_arguments(reference: str, given: Mapping[str, Any]) -> Any:
    """An object of a class made with its arguments, or a function of scores and targets alone."""
    found, path = load_object(reference), f"{ARGUMENTS_FIELD}.{name_of_metric(reference)}"
    if isinstance(found, type):
        return call(reference, **check_arguments(found, given, {}, path))
    signature = signature_of(found)
    first = [*signature.parameters][: _Called.GIVEN] if signature else []
    arguments = check_arguments(found, given, dict.fromkeys([*first, WEIGHTS]), path)
    return partial(found, **{key: arguments[key] for key in given})


def _asks_for_weights(function: Callable[..., object]) -> bool:
    """Return whether what is called with scores and targets has a parameter for weights that nothing else fills."""
    signature = signature_of(function)
    names = [*signature.parameters] if signature else []
    filled = function.keywords if isinstance(function, partial) else {}
    return WEIGHTS in names[_Called.GIVEN :] and WEIGHTS not in filled


def _higher_is_better(reference: str) -> bool:
    file, name = parse(reference)
    try:
        source = read_source(file)
        tree = ast.parse(source.files[source.main])
    except UserCodeError as error:
        raise UserCodeError(f"training.metrics: {error.message}", error.hint) from None
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UserCodeError(f"training.metrics: {file.name}{line} is not Python: {error.args[0]}") from None
    found = _written_direction(tree, name)
    if found is None:
        if name not in _names(tree):
            known = ", ".join(key for key in _names(tree) if not key.startswith("_"))
            raise UserCodeError(f"training.metrics: {file} has no '{name}'", f"In it: {known or 'nothing'}")
        raise UserCodeError(
            f"training.metrics: {file.name} does not define whether a higher {name} is better",
            f"Write {name}.{DIRECTION} = True, or False, below it; in a class, {DIRECTION} = True",
        )
    return found


def _written_direction(tree: ast.Module, name: str) -> bool | None:
    """The constant assigned to ``name.higher_is_better``, or in the body of the class or of one of its bases."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for target, value in _assignments(tree.body):
        if ast.unparse(target) == f"{name}.{DIRECTION}":
            return value
    seen: set[str] = set()
    names = [name]
    while names:
        node = classes.get(names.pop(0))
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        for target, value in _assignments(node.body):
            if ast.unparse(target) == DIRECTION:
                return value
        names += [base.id for base in node.bases if isinstance(base, ast.Name)]
    return None


def _assignments(body: list[ast.stmt]) -> list[tuple[ast.expr, bool]]:
    """The assignments of True or False in a body, the last one first."""
    found: list[tuple[ast.expr, bool]] = []
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            found += [(target, value.value) for target in targets]
    return found[::-1]


def _names(tree: ast.Module) -> list[str]:
    """All names that a module binds at its top."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names
