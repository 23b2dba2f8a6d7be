"""Test numbers that nobody has opened: filters, columns and orders take them as missing, and one line says so."""

from collections.abc import Iterable

from core.counting import counted
from core.runs.summary import RunSummary

__all__ = ["unopened_note"]

TEST = "test"


def unopened_note(names: Iterable[str], runs: Iterable[RunSummary]) -> str:
    """Return that test numbers are missing, if one of some names reads those of a run; empty otherwise.

    Args:
        names: of fields, as `core.runs.query.fields.field_of` takes them.
    """
    if not any(name.casefold().partition(".")[0] == TEST for name in names):
        return ""
    hidden = sum(TEST in run.evaluation and TEST not in run.shown_evaluation for run in runs)
    if not hidden:
        return ""
    whose = counted(hidden, "run")
    return f"nobody has opened the test split of {whose}: its numbers count as missing"
