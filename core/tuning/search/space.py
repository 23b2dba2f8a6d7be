"""Search spaces: dotted paths of a configuration, each with a range or with choices.

A path whose field only some choices of its section have, such as ``optimizer.momentum``, applies to a trial when
the section's ``name`` is one of those. An argument of user code is a path of three, such as
``model.arguments.width``. Everything is checked against `TrainConfig`, and against the source of user code, before a
study starts.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from core.config import schema as configuration
from core.config.schema import FAMILIES, TrainConfig
from core.config.training import METRIC_ARGUMENTS, Training
from core.errors import ConfigError
from core.options import Options, choices
from core.remedies import LIST_KEYS
from core.user_code.arguments import ARGUMENTS, as_typed, wrong_arguments

__all__ = ["Choices", "Domain", "Range", "SearchSpace", "build_space", "full_path"]

EXAMPLE = "As in {low: 1e-4, high: 1, log: true} or {choices: [64, 128]}"
OTHER_NAMES = {
    "learning_rate": "optimizer.lr",
    "hidden_sizes": "model.hidden",
    "dropout_rate": "model.dropout",
}
"""Settings by what other tools call them."""
DIGITS = 12
"""Of the points of a logarithmic range with a factor: what multiplying leaves beyond them is rounding error."""
MAX_POINTS = 10_000
"""Of a range with a step that is not of whole numbers: each is written out."""


@dataclass(frozen=True)
class Choices:
    """Some values, in plain form as in YAML, at least one."""

    values: tuple[Any, ...]

    def points(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def to_dict(self) -> dict[str, Any]:
        """Return plain values from which `build_space` builds it again."""
        return {"choices": list(self.values)}


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole numbers when both are.

    Attributes:
        log: drawn evenly on a logarithmic scale.
        step: distance of neighbouring values; None for all of them.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @property
    def whole(self) -> bool:
        """Return whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def points(self) -> Sequence[int | float] | None:
        """All values; None if there are infinitely many."""
        step = self.step or (1 if self.whole and not self.log else None)
        if step is None:
            return None
        if isinstance(self.low, int) and isinstance(self.high, int):
            return range(self.low, self.high + 1, int(step))
        return tuple(map(self._point, range(self._last + 1)))

    @property
    def last(self) -> int | float:
        """Return the largest value: the end, or the last one that the steps reach."""
        return self.high if self.step is None else self._point(self._last)

    def nearest(self, value: int | float) -> int | float:
        """Return the value of the range that one with a rounding error is meant to be."""
        if self.step is None or self.whole:
            return value
        return self._point(round((value - self.low) / self.step))

    @property
    def _last(self) -> int:
        """Return the number of steps that fit."""
        return int((_decimal(self.high) - _decimal(self.low)) / _decimal(self.step or 1))

    def _point(self, index: int) -> int | float:
        """Return a value of a range with a step as one would write it: 0.1 and two steps of 0.1 are 0.3."""
        point = _decimal(self.low) + index * _decimal(self.step or 1)
        return int(point) if self.whole else float(point)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values from which `build_space` builds it again."""
        return {key: value for key, value in asdict(self).items() if value is not None and value is not False}


def _decimal(number: int | float) -> Decimal:
    """Return a number as it is written."""
    return Decimal(repr(number))


Domain = Choices | Range


@dataclass(frozen=True)
class SearchSpace:
    """Parameters that trials vary.

    Attributes:
        base: the configuration of everything that is not searched.
        domains: by full path; names come first, for they say which of the others apply.
    """

    base: TrainConfig
    domains: Mapping[str, Domain]

    def applies(self, path: str, params: Mapping[str, Any]) -> bool:
        """Return whether a path has a meaning beside the names among `params`."""
        section, key, _ = _parts(path)
        return key in _fields(section, params.get(f"{section}.name", _name(self.base, section)))

    def config(self, params: Mapping[str, Any]) -> TrainConfig:
        """The base configuration with the values of one trial, by path, laid on top.

        Raises:
            ConfigError: they do not fit together.
        """
        with_model = any(path.startswith("model.") for path in params)
        plain = configuration.to_dict(self.base) if with_model else configuration.to_given(self.base)
        return configuration.from_dict(_laid_on(plain, params))

    def to_dict(self) -> dict[str, Any]:
        """The domains by path, as `build_space` takes them."""
        return {path: domain.to_dict() for path, domain in self.domains.items()}

    def endless(self) -> list[str]:
        """Paths of ranges without a step: a grid has no end with them."""
        return [path for path, domain in self.domains.items() if domain.points() is None]

    def grid_size(self) -> int:
        """Number of combinations; only without endless ranges."""
        return sum(math.prod(map(len, axes.values())) for axes in self._grids())

    def grid_point(self, index: int) -> dict[str, Any]:
        """The values of one combination, from 0; the last path changes fastest.

        Raises:
            IndexError: there are not so many.
        """
        for axes in self._grids():
            size = math.prod(map(len, axes.values()))
            if index < size:
                return _digits(index, axes)
            index -= size
        raise IndexError("beyond the end of the grid")

    def _grids(self) -> Iterator[dict[str, Sequence[Any]]]:
        """One grid for each combination of names, with the paths that apply to it."""
        axes: dict[str, Sequence[Any]] = {
            path: domain.points() or () for path, domain in self.domains.items()
        }
        names = {path: axes[path] for path in axes if path.endswith(".name")}
        for chosen in itertools.product(*names.values()):
            named = dict(zip(names, chosen, strict=True))
            fixed: dict[str, Sequence[Any]] = {path: (name,) for path, name in named.items()}
            yield {path: points for path, points in {**axes, **fixed}.items() if self.applies(path, named)}


def _digits(index: int, axes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """`index` as a number whose digits choose from the axes."""
    point = {}
    for path in reversed(list(axes)):
        index, digit = divmod(index, len(axes[path]))
        point[path] = axes[path][digit]
    return {path: point[path] for path in axes}


def build_space(base: TrainConfig, domains: Mapping[str, Any]) -> SearchSpace:
    """The space that plain values describe, checked against the configuration.

    Args:
        base: the configuration of everything that is not searched.
        domains: by path ``{"low": .., "high": .., "log": .., "step": ..}``, ``{"choices": [..]}``, or a list of
            choices. The step of a logarithmic range is a factor.

    Raises:
        ConfigError: a path is unknown or a value does not fit its field; the message names the path.
    """
    raw = {full_path(path): domain for path, domain in domains.items()}
    if not raw:
        raise ConfigError("the search space is empty", "Give some -p PATH=RANGE")
    found: dict[str, Domain] = {}
    for path in sorted(raw, key=lambda path: not path.endswith(".name")):
        found[path] = _domain(path, raw[path], _bases(base, path, found))
    return SearchSpace(base, found)


def full_path(path: str) -> str:
    """The whole path of a short one: ``batch_size`` is ``training.batch_size``, ``model`` is ``model.name``."""
    if path in Training.model_fields:
        return f"training.{path}"
    return f"{path}.name" if path in FAMILIES else path


def _bases(base: TrainConfig, path: str, names: Mapping[str, Domain]) -> list[dict[str, Any]]:
    """The configurations, as plain values, in which a path has a meaning.

    Raises:
        ConfigError: there is none.
    """
    section, key, _ = _parts(path)
    if section == "data":
        raise ConfigError(f"{path}: all trials must use the same data to be comparable", field=path)
    if key.partition(".")[0] == METRIC_ARGUMENTS:
        raise ConfigError(f"{path}: all trials must be measured in the same way to be comparable", field=path)
    plain = configuration.to_dict(base)
    chosen = names.get(f"{section}.name")
    if key != "name" and isinstance(chosen, Choices):
        candidates = [_laid_on(plain, {f"{section}.name": name}) for name in chosen.values]
    else:
        candidates = [plain]
    fitting = [
        values for values in candidates if key in _fields(section, values.get(section, {}).get("name"))
    ]
    if not fitting:
        if nearest := _nearest_path(path, plain):
            raise ConfigError(f"{path}: unknown key", f"Did you mean {nearest}?", field=path)
        configuration.from_dict(_laid_on(candidates[0], {path: None}))
        raise ConfigError(f"{path}: unknown key", (LIST_KEYS,), field=path)
    return fitting


def _nearest_path(path: str, plain: Mapping[str, Any]) -> str:
    """Return the setting that a name without a section is meant to be; empty if none is near."""
    sections = {section: values for section, values in plain.items() if isinstance(values, dict)}
    names = {key: f"{section}.{key}" for section, values in sections.items() for key in values}
    names = {**names, **OTHER_NAMES, **{section: section for section in sections}}
    close = get_close_matches(path, names, n=1)
    return names[close[0]] if close and "." not in path else ""


def _domain(path: str, raw: Any, bases: list[dict[str, Any]]) -> Domain:
    if isinstance(raw, Mapping) and {"low", "high"} <= raw.keys() <= {"low", "high", "log", "step"}:
        return _range(path, raw, bases)
    values = raw.get("choices") if isinstance(raw, Mapping) and raw.keys() == {"choices"} else raw
    if not isinstance(values, list | tuple) or not values:
        raise ConfigError(f"{path}: got {raw!r}, takes a range or choices", EXAMPLE, field=path)
    return Choices(_distinct([_checked(path, value, bases) for value in values]))


def _range(path: str, raw: Mapping[str, Any], bases: list[dict[str, Any]]) -> Domain:
    low, high = (_checked(path, raw[end], bases) for end in ("low", "high"))
    log, step = raw.get("log", False), raw.get("step")
    if not (_is_number(low) and _is_number(high)):
        raise ConfigError(f"{path}: takes choices, not a range", EXAMPLE, field=path)
    if not low < high:
        raise ConfigError(f"{path}: a range must increase, got {low:g}..{high:g}", field=path)
    if log and not low > 0:
        raise ConfigError(
            f"{path}: a logarithmic range must start above 0, got {low:g}", "Or leave out log", field=path
        )
    if step is None:
        return Range(low, high, bool(log))
    if not _is_number(step) or not step > (1 if log else 0):
        wanted = "a factor > 1" if log else "a number > 0"
        raise ConfigError(f"{path}: got the step {step!r}, takes {wanted}", field=path)
    if log:
        _check_count(path, math.log(high / low) / math.log(step))
        return Choices(_distinct([_checked(path, value, bases) for value in _powers(low, high, step)]))
    if isinstance(low, int) and isinstance(high, int) and step != int(step):
        if not _parts(path)[2]:
            raise ConfigError(f"{path}: got the step {step!r}, takes a whole number", field=path)
        _checked(path, low + step, bases)  # an argument of user code may take both
        low, high = float(low), float(high)
    if not isinstance(low, int):
        _check_count(path, (high - low) / step)
    return Range(low, high, False, int(step) if isinstance(low, int) else step)


def _check_count(path: str, steps: float) -> None:
    if steps >= MAX_POINTS:
        raise ConfigError(
            f"{path}: the range holds {steps + 1:,.0f} values, takes at most {MAX_POINTS:,}",
            "Give a larger step, or none",
            field=path,
        )


def _powers(low: float, high: float, factor: float) -> list[float]:
    """low, low * factor, ... up to `high`."""
    count = math.floor(math.log(high / low) / math.log(factor) + 1e-9) + 1
    values = [low * factor**index for index in range(count)]
    return [round(value) if isinstance(low, int) else float(f"{value:.{DIGITS}g}") for value in values]


def _checked(path: str, value: Any, bases: list[dict[str, Any]]) -> Any:
    """`value` in the plain form of its field, which takes it in all of `bases`.

    Raises:
        ConfigError: the field does not take it.
    """
    section, key, argument = _parts(path)
    if isinstance(bases[0][section].get(key), list) and _is_number(value):
        value = [value]
    configs = [configuration.from_dict(_laid_on(values, {path: value})) for values in bases]
    if argument:
        for config in configs:
            _check_argument(path, argument, getattr(config, section))
        options = getattr(configs[0], section)
        return as_typed(type(options), dict(options), argument)
    return configuration.to_dict(configs[0])[section][key]


def _check_argument(path: str, argument: str, options: Options) -> None:
    """See that the class or function of the user's takes an argument, as far as its source shows."""
    wrong = wrong_arguments(type(options), dict(options))
    if argument in wrong:
        raise ConfigError(f"{path}: {wrong[argument]}", field=path)


def _laid_on(values: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with some given by path; another name starts from that choice's defaults."""
    nested: dict[str, dict[str, Any]] = {}
    for path, value in params.items():
        section, key, argument = _parts(path)
        if argument:
            nested.setdefault(section, {}).setdefault(key, {})[argument] = value
        else:
            nested.setdefault(section, {})[key] = value
    return configuration.merge(values, nested)


def _parts(path: str) -> tuple[str, str, str]:
    """A path as section, key, and the argument of user code where the key is that of its arguments."""
    section, _, key = path.partition(".")
    field, dot, argument = key.partition(".")
    return (section, field, argument) if dot and field == ARGUMENTS else (section, key, "")


def _fields(section: str, name: Any) -> list[str]:
    """The keys of a section when it has this name."""
    if section in FAMILIES:
        known = choices(FAMILIES[section])
        return list(known[name].model_fields) if name in known else []
    return list(Training.model_fields) if section == "training" else []


def _name(config: TrainConfig, section: str) -> Any:
    return getattr(getattr(config, section, None), "name", None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _distinct(values: list[Any]) -> tuple[Any, ...]:
    """Each value once; lists are not hashable."""
    return tuple(value for index, value in enumerate(values) if value not in values[:index])
