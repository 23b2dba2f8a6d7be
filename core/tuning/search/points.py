"""Points of a search space that are not drawn: those of a configuration, and those that people write down."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.errors import ConfigError
from core.tuning.search.space import Choices, Domain, Range, SearchSpace, build_space, full_path

__all__ = ["contains", "parse_point", "point_of", "takes", "with_ranges"]

COMMA = re.compile(r",(?![^\[\]{}]*[\]}])")
"""A comma outside of brackets."""
EXAMPLE = "As in lr=0.01,model.hidden=[64,32]"


def contains(domain: Domain, value: Any) -> bool:
    """Return whether a value is one that trials may draw."""
    if isinstance(domain, Choices):
        return value in domain.values
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if not domain.low <= value <= domain.high or (domain.whole and value != int(value)):
        return False
    return domain.step is None or value in (domain.points() or ())


def point_of(space: SearchSpace, config: TrainConfig) -> tuple[dict[str, Any], list[str]]:
    """Return the searched values of a configuration that lie inside the space, and the paths of those that do not."""
    plain = configuration.to_dict(config)
    point: dict[str, Any] = {}
    outside = []
    for path, domain in space.domains.items():
        if not space.applies(path, point):
            continue
        section, _, key = path.partition(".")
        argument = key.partition(".")
        values = plain.get(section, {})
        value = values.get(argument[0], {}).get(argument[2]) if argument[1] else values.get(key)
        if contains(domain, value):
            point[path] = value
        else:
            outside.append(path)
    return point, outside


def parse_point(space: SearchSpace, text: str, short: Mapping[str, str]) -> dict[str, Any]:
    """Return the values by path of a text such as ``lr=0.01,model.hidden=[64,32]``.

    Args:
        short: paths by the short names that people may use.

    Raises:
        ConfigError: it is not such a text, a path is not searched, or a value lies outside of its range.
    """
    point: dict[str, Any] = {}
    for part in COMMA.split(text):
        name, equals, written = part.partition("=")
        if not equals or not name.strip() or not written.strip():
            raise ConfigError(f"try: got '{part}'", EXAMPLE)
        path = full_path(short.get(name.strip(), name.strip()))
        if path not in space.domains:
            raise ConfigError(f"try: {path} is not searched", f"Searched are {', '.join(space.domains)}")
        point[path] = _value(space, path, written.strip())
    return point


def _value(space: SearchSpace, path: str, written: str) -> Any:
    domain = space.domains[path]
    try:
        value = yaml.safe_load(written)
        value = float(value) if isinstance(value, str) and isinstance(domain, Range) else value
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"try: cannot read '{written}' for {path}", EXAMPLE) from None
    if isinstance(domain, Choices) and [value] in domain.values:
        value = [value]  # a network of one hidden layer
    if not contains(domain, value):
        raise ConfigError(f"try: {path} takes {takes(domain)}, got {written}", EXAMPLE)
    return value


def takes(domain: Domain) -> str:
    """Return the values of a domain in words."""
    if isinstance(domain, Choices):
        return " or ".join(map(str, domain.values))
    every = "" if domain.step is None else f" in steps of {domain.step:.6g}"
    return f"{domain.low:.6g} to {domain.last:.6g}{every}"


def with_ranges(space: SearchSpace, domains: Mapping[str, Any]) -> SearchSpace:
    """Return the space with other ends of some ranges.

    Raises:
        ConfigError: a path is not searched, or more than its ends would change.
    """
    given = {full_path(path): domain for path, domain in domains.items()}
    for path in given:
        if path not in space.domains:
            raise ConfigError(f"{path}: not searched by this study", LEARN, field=path)
    new = build_space(space.base, {**space.to_dict(), **given})
    for path in given:
        before, after = space.domains[path], new.domains[path]
        if not isinstance(before, Range) or not isinstance(after, Range) or _kind(before) != _kind(after):
            raise ConfigError(f"{path}: only the ends of a range can change", LEARN, field=path)
    return new


LEARN = "For another search start a new study that learns from this one"


def _kind(domain: Range) -> tuple[object, ...]:
    return domain.log, domain.whole, domain.step
