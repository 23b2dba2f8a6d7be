"""Ranges on the axes of parallel coordinates: from parts of an axis to values, and back."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.tuning.search.space import Choices, Range
from core.tuning.study.importance import position

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord
    from tui.runtime.study_follower import Standing

__all__ = ["WHOLE", "Band", "axis_at", "band_of", "ends_of", "range_of", "step_of", "value_of"]

Band = tuple[float, float]
"""Part of an axis: its low and its high end, from 0 to 1."""
WHOLE: Band = (0.0, 1.0)
STEPS = 20
"""By which the end of a band moves along an axis of numbers."""
NEAR = 1e-9


def value_of(metric: str, record: "TrialRecord", name: str) -> Any:
    """Return a parameter, a cost or the metric of a trial; None where it has none."""
    return record.value if name == metric else record.costs.get(name, record.params.get(name))


def ends_of(standing: "Standing", name: str) -> Band:
    """Return the smallest and the largest value of a cost or the metric."""
    found = (value_of(standing.plan.metric, record, name) for record in standing.records)
    values = [value for value in found if value is not None]
    return (min(values), max(values)) if values else WHOLE


def step_of(standing: "Standing", name: str) -> float:
    """Return by how much the end of a band moves: to the next choice, or by a twentieth of the axis."""
    domain = standing.plan.space.domains.get(name)
    return 1 / max(1, len(domain.values) - 1) if isinstance(domain, Choices) else 1 / STEPS


def range_of(standing: "Standing", name: str, band: Band) -> dict[str, Any]:
    """Return the values inside a band, as `core.tuning.search.ranges.parse_domain` gives them."""
    domain = standing.plan.space.domains.get(name)
    if isinstance(domain, Choices):
        inside = [
            value for value in domain.values if band[0] - NEAR <= position(domain, value) <= band[1] + NEAR
        ]
        middle = sum(band) / 2
        nearest = min(domain.values, key=lambda value: abs(position(domain, value) - middle))
        return {"choices": inside or [nearest]}
    low, high = (_at(domain, part) if domain else _between(ends_of(standing, name), part) for part in band)
    return {"low": low, "high": high}


def band_of(standing: "Standing", name: str, given: Mapping[str, Any]) -> Band:
    """Return the part of an axis that a range covers."""
    domain = standing.plan.space.domains.get(name)
    if "choices" in given:
        assert domain is not None
        places = [position(domain, value) for value in given["choices"]] or [0.0]
        return min(places), max(places)
    if domain is None:
        low, high = ends_of(standing, name)
        low, high = ((given[end] - low) / ((high - low) or 1.0) for end in ("low", "high"))
    else:
        low, high = (_place(domain, given[end]) for end in ("low", "high"))
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


def axis_at(axes: Sequence[str], part: float) -> int:
    """Return the index of the axis that is nearest to a part of the width."""
    return min(max(round(part * (len(axes) - 1)), 0), len(axes) - 1)


def _at(domain: Range, part: float) -> float:
    if domain.log:
        return float(domain.low * (domain.high / domain.low) ** part)
    return float(domain.low + part * (domain.high - domain.low))


def _place(domain: Choices | Range, value: float) -> float:
    """Return the part of an axis at which a number is; it may lie outside of the range."""
    if isinstance(domain, Range):
        return position(domain, max(value, domain.low * NEAR) if domain.log else value)
    return position(domain, value)


def _between(ends: Band, part: float) -> float:
    return ends[0] + part * (ends[1] - ends[0])
