"""The options of `tui tune` that say how to search, and what is made of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import schema as configuration
from core.config.yaml_files import read_yaml
from core.errors import InputError
from core.runs.code import trust_config
from core.tuning.search.auto import AUTO
from core.tuning.search.changes import StudyChanges
from core.tuning.search.objectives import COSTS
from core.tuning.search.plan import Plan, make_plan
from core.tuning.search.ranges import parse_assignment
from core.user_code.loading import trust_named
from tui.cli.commands.tuning.options import (
    DEFAULT_TRIALS,
    Confirm,
    Direction,
    Keep,
    LearnFrom,
    Limits,
    MaxEpochs,
    Method,
    Metric,
    Patience,
    Pruner,
    Ranges,
    Space,
    StartWith,
    Timeout,
    Trials,
)
from tui.forms.durations import parse_duration
from tui.forms.flags import SHORT_NAMES

__all__ = ["Search"]


@dataclass(frozen=True)
class Search:
    """How to search, and for how long: a field for each option, as it was given."""

    ranges: Ranges = None
    space: Space = None
    method: Method = None
    pruner: Pruner = None
    trials: Trials = None
    timeout: Timeout = None
    metric: Metric = None
    where: Limits = None
    direction: Direction = None
    keep: Keep = None
    confirm: Confirm = None
    patience: Patience = None
    max_epochs: MaxEpochs = None
    start_with: StartWith = None
    learn_from: LearnFrom = None

    @property
    def seconds(self) -> float | None:
        """Return after how long it stops; None for no limit."""
        return None if self.timeout is None else parse_duration("--timeout", self.timeout)

    def plan(self, values: dict[str, Any], *, trust_code: bool) -> Plan:
        """Return the plan that was asked for, checked before anything heavy is imported.

        Args:
            values: of the configuration that all trials share. trust_code: whether files that it names may run.
        """
        limits = {"trials": self._most(), "patience": self.patience or 0, "max_epochs": self.max_epochs}
        given = {"method": AUTO, **self._given(), **limits}
        plan = make_plan(configuration.from_dict(values), _domains(self.ranges or [], self.space), **given)
        if trust_code:
            trust_config(plan.space.base)
        return plan

    def changes(self, *, is_new: bool) -> StudyChanges:
        """Return what changes of a study, new or resumed."""
        trials = self._most() if is_new else self.trials
        domains = _domains(self.ranges or [], self.space)
        return StudyChanges(
            self.start_with or (), self.learn_from or (), trials, self.patience, self.max_epochs, domains
        )

    def ensure_only_changes(self, values: dict[str, Any]) -> None:
        """Refuse a search of its own, or a configuration, beside ``--resume``."""
        if self._given() or values:
            raise InputError(
                "--resume keeps the study's own search",
                "Only ranges, --trials, --timeout, --patience, --max-epochs, --start-with, --learn-from, --confirm "
                "and where it runs can change; for anything else start a new study",
            )

    def _most(self) -> int | None:
        """Return the number of trials of a new study; None where something else ends it."""
        ends = self.method == "grid" or self.timeout or self.patience or self.max_epochs
        return DEFAULT_TRIALS if self.trials is None and not ends else self.trials

    def _given(self) -> dict[str, Any]:
        """Return how to search, as far as it was given; own metrics are trusted, since their files were named."""
        for name in self.metric or []:
            trust_named(name)
        chosen = {name: getattr(self, name) for name in ("method", "pruner", "direction", "keep", "where")}
        objectives = _objectives(self.metric or [])
        return {key: value for key, value in {**chosen, **objectives}.items() if value not in (None, [])}


def _objectives(metrics: list[str]) -> dict[str, str]:
    """Return the metric, and the second objective; a cost is the second one wherever it stands.

    Raises:
        InputError: they are not one or two, or none is a metric of validation.
    """
    ordered = sorted(metrics, key=lambda name: name in COSTS)
    if len(ordered) > 2:
        raise InputError(f"--metric takes one or two, got {len(ordered)}", "Leave some out")
    if ordered and ordered[0] in COSTS:
        raise InputError(
            f"--metric: {ordered[0]} alone is not what a network is trained for", "Add one such as accuracy"
        )
    return dict(zip(("metric", "second"), ordered, strict=False))


def _domains(ranges: Iterable[str], space: Path | None) -> dict[str, Any]:
    """Return the plain domains by path of a file and of ranges on the command line, which count more."""
    of_file = read_yaml(space).items() if space is not None else ()
    return {
        SHORT_NAMES.get(path, path): domain for path, domain in (*of_file, *map(parse_assignment, ranges))
    }
