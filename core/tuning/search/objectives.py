"""Objectives beside the metric of a study: costs of a network, a second metric, and limits on them."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import ConfigError

__all__ = ["COSTS", "Limit", "dominated", "front", "parse_limit"]

COSTS: Final = ("parameters", "seconds", "latency", "size")
"""Costs of a network, of which less is better: how many parameters, seconds of an epoch, seconds in which one sample
is scored, and bytes of its weights in a file."""
LIMIT = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|<|>)\s*([-+]?[\d._]+(?:[eE][-+]?\d+)?)\s*")
HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Limit:
    """A number that a trial must keep to, to be among the best."""

    name: str
    sign: Literal["<", "<=", ">", ">="]
    value: float

    def holds(self, value: float | None) -> bool:
        """Return whether a trial with this number keeps to it; one without the number does not."""
        return value is not None and HOLDS[self.sign](value, self.value)

    def violation(self, value: float | None) -> float:
        """Return by how much a trial misses it, above 0; 0 or less where it does not, as Optuna has it."""
        if self.holds(value):
            return 0.0
        return 1.0 if value is None else max(abs(value - self.value), 1e-12)

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.value:.15g}"


def parse_limit(text: str) -> Limit:
    """Return the limit that a text such as ``parameters<100000`` means.

    Raises:
        ConfigError: it means none.
    """
    found = LIMIT.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        return Limit(found[1], found[2], float(found[3]))  # type: ignore[arg-type] # the pattern has these alone
    except ValueError:
        raise ConfigError(f"where: got '{text}'", "As in parameters<100000 or accuracy>=0.9") from None


def dominated(goals: tuple[float, float], others: Iterable[tuple[float, float]]) -> bool:
    """Return whether one of some others is at least as good in both numbers, of which less is better."""
    return any(one[0] <= goals[0] and one[1] <= goals[1] for one in others)


def front(goals: Sequence[tuple[float, float]]) -> list[int]:
    """Return the places of those that no other is better than in one number without being worse in the other.

    Args:
        goals: two numbers of each, of which less is better.

    Returns:
        Places, the best in the first number first; of equal ones the first.
    """
    found: list[int] = []
    best = float("inf")
    for at in sorted(range(len(goals)), key=lambda place: (*goals[place], place)):
        if goals[at][1] < best:
            found.append(at)
            best = goals[at][1]
    return found
