"""Rules of alerts, such as ``validation loss > 2``, and whether a run breaks them."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.counting import counted
from core.events import EpochFinished, Event, RunPaused, RunStarted, SystemSampled

__all__ = ["FORMS", "SYSTEM", "Alert", "AlertRule", "parse_rule"]

FORMS: Final = (
    "validation loss > 2",
    "accuracy < 0.5 for 3 epochs",
    "no improvement for 10 epochs",
    "gpu idle for 5 minutes",
    "memory > 90",
)
"""One of each form that a rule can take."""
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
IDLE: Final = 5.0
"""Per cent of use below which a GPU counts as idle."""
SYSTEM: Final = ("cpu", "memory", "gpu", "gpu_memory")
"""What is sampled of the machine, in per cent."""
UNITS: Mapping[str, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
LONG = r"(?:\s+for\s+(?P<count>\d+(?:\.\d+)?)\s+(?P<unit>epoch|second|minute|hour)s?)?"
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
COMPARED = re.compile(
    rf"(?P<name>[^<>=]+?)\s*(?P<sign>[<>]=?)\s*(?P<limit>{NUMBER})\s*%?{LONG}", re.IGNORECASE
)
STALE = re.compile(r"no improvement\s+for\s+(?P<count>\d+)\s+epochs?", re.IGNORECASE)
IDLING = re.compile(rf"gpu idle{LONG}", re.IGNORECASE)


@dataclass(frozen=True)
class AlertRule:
    """A condition of a run.

    Attributes:
        text: as the user wrote it.
        name: of a metric, with its split or without, of what is sampled of the machine, ``lr``; or empty for epochs
            without improvement.
        sign: one of `COMPARISONS`. limit: what the value is compared with.
        epochs: how many in a row it must hold. seconds: how long, for what is sampled.
    """

    text: str
    name: str
    sign: str
    limit: float
    epochs: int = 1
    seconds: float = 0.0


def parse_rule(text: str) -> AlertRule:
    """Return the rule that a text means.

    Raises:
        ValueError: it is none; the message shows the forms.
    """
    plain = " ".join(text.split())
    if match := STALE.fullmatch(plain):
        return AlertRule(plain, "", ">=", float(match["count"]))
    if match := IDLING.fullmatch(plain):
        return _lasting(AlertRule(plain, "gpu", "<", IDLE), match)
    if match := COMPARED.fullmatch(plain):
        return _lasting(
            AlertRule(plain, _spelled(match["name"]), match["sign"], float(match["limit"])), match
        )
    raise ValueError(f"'{plain}' is not a rule; Write one such as {', '.join(FORMS)}")


def _spelled(name: str) -> str:
    """A name as the user wrote it, unless it is one of the machine's."""
    return name.lower() if name.lower() in SYSTEM else name


def _lasting(rule: AlertRule, match: re.Match[str]) -> AlertRule:
    """A rule with the time for which it must hold."""
    if match["unit"] is None:
        return rule
    by_time = match["unit"].lower() != "epoch"
    if by_time != (rule.name in SYSTEM):
        unit = "minutes" if rule.name in SYSTEM else "epochs"
        raise ValueError(f"'{rule.text}': {rule.name} is not counted so; Write for N {unit}")
    count = float(match["count"])
    if by_time:
        return AlertRule(
            rule.text, rule.name, rule.sign, rule.limit, seconds=count * UNITS[match["unit"].lower()]
        )
    return AlertRule(rule.text, rule.name, rule.sign, rule.limit, epochs=max(1, math.ceil(count)))


class Alert:
    """Watches one rule; it is raised when the rule begins to hold, and again only after it has not.

    Args:
        rule: what is watched.
    """

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self._epochs, self._since = 0, math.nan
        self._raised = self._is_told = False

    def see(self, event: Event) -> str:
        """Take in an event, and return what is to be told; empty where nothing is."""
        match event:
            case RunStarted() | RunPaused():
                self._since = math.nan
            case SystemSampled() if self._rule.name in SYSTEM:
                return self._sampled(event)
            case EpochFinished() if self._rule.name not in SYSTEM:
                return self._epoch(event)
        return ""

    def _sampled(self, event: SystemSampled) -> str:
        value = event.shares().get(self._rule.name)
        if value is None:
            return self._unknown([*event.shares()])
        if not self._holds(value):
            self._since, self._raised = math.nan, False
            return ""
        if math.isnan(self._since):
            self._since = event.time
        if event.time - self._since < self._rule.seconds:
            return ""
        return self._raise(f"{self._rule.name.replace('_', ' ')} at {value:.0f} %")

    def _epoch(self, event: EpochFinished) -> str:
        if not self._rule.name:
            stale = event.epoch - event.best_epoch
            if not self._holds(stale):
                self._raised = False
                return ""
            return self._raise(f"{counted(stale, 'epoch')} without improvement in epoch {event.epoch}")
        value = _value_of(event, self._rule.name)
        if value is None:
            names = [f"{split} {name}" for split in ("train", "validation") for name in vars(event)[split]]
            return self._unknown(names)
        if not self._holds(value):
            self._epochs, self._raised = 0, False
            return ""
        self._epochs += 1
        if self._epochs < self._rule.epochs:
            return ""
        return self._raise(f"{self._rule.name} {value:.4g} in epoch {event.epoch}")

    def _holds(self, value: float) -> bool:
        return COMPARISONS[self._rule.sign](value, self._rule.limit)

    def _unknown(self, known: Sequence[str]) -> str:
        """Return, once, that the rule never holds, as nothing of its name is reported."""
        if self._is_told:
            return ""
        self._is_told = True
        return f"alert: {self._rule.text}: nothing of this name is reported; there is {', '.join(known) or 'nothing'}"

    def _raise(self, fact: str) -> str:
        if self._raised:
            return ""
        self._raised = True
        return f"alert: {self._rule.text}: {fact}"


def _value_of(event: EpochFinished, name: str) -> float | None:
    """The number that a name means in an epoch: of validation, or else of training, where it names no split."""
    name = name.lower()
    if name in ("lr", "learning rate"):
        return event.lr
    split, _, metric = name.partition(" ")
    groups = {"train": event.train, "training": event.train, "validation": event.validation}
    if split in groups and metric:
        return _lookup(groups[split], metric)
    found = _lookup(event.validation, name)
    return _lookup(event.train, name) if found is None else found


def _lookup(metrics: Mapping[str, float], name: str) -> float | None:
    spelled = {key.lower(): value for key, value in metrics.items()}
    return spelled.get(name, spelled.get(name.replace(" ", "_")))
