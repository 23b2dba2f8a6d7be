"""Settings that may change each time that someone works on a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["StudyChanges"]


@dataclass(frozen=True)
class StudyChanges:
    """Changes to a study, new or resumed.

    Attributes:
        start_with: runs whose values are tried first. learn_from: studies whose trials the search method learns.
        trials: how many altogether; None keeps their number.
        patience, max_epochs: see `core.tuning.search.plan.make_plan`; None keeps those of the study.
        ranges: other ends of some ranges of an earlier study, plain domains by path.
    """

    start_with: Sequence[str] = ()
    learn_from: Sequence[str] = ()
    trials: int | None = None
    patience: int | None = None
    max_epochs: int | None = None
    ranges: Mapping[str, Any] = field(default_factory=dict)
