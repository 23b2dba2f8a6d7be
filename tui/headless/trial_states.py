"""The state of a trial in a few words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord

__all__ = ["state_text"]


def state_text(record: "TrialRecord") -> str:
    """Return a trial's state, with its place in line, the milestone it was promoted from, or where it is from."""
    if record.place is not None:
        return f"paused, {_ordinal(record.place)} in line"
    if record.given_up:
        return "given up"
    if record.state == "running" and record.promoted:
        return f"promoted, resumed at {record.promoted}"
    if record.state in ("running", "interrupted") and record.origin:
        return f"{record.state}, {record.origin}"
    return record.state


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
