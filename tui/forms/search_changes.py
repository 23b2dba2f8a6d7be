"""The texts with which a study is resumed, and what they say."""

from collections.abc import Mapping
from typing import Any

from core.errors import ConfigError
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan
from core.tuning.search.points import with_ranges
from core.tuning.search.ranges import parse_assignment
from tui.forms.durations import parse_duration
from tui.forms.flags import SHORT_NAMES
from tui.forms.search_texts import names_in

__all__ = ["read_changes"]


def read_changes(
    plan: Plan, texts: Mapping[str, str], problems: dict[str, str]
) -> tuple[StudyChanges, float | None]:
    """Return the changes to a study and its time limit in seconds; record problems by the name of the field.

    Args:
        texts: of the fields `tui.forms.search_settings.CHANGES`; an empty one changes nothing.
    """

    def whole(name: str, least: int) -> int | None:
        text = texts[name].strip()
        if not text:
            return None
        if not text.isdecimal() or int(text) < least:
            problems[name] = f"enter a number ≥ {least}, or nothing"
            return None
        return int(text)

    seconds = None
    try:
        seconds = parse_duration("timeout", texts["timeout"]) if texts["timeout"].strip() else None
    except ConfigError:
        problems["timeout"] = "enter a time such as 90s, 10m or 2h"
    changes = StudyChanges(
        names_in(texts["start_with"]),
        names_in(texts["learn_from"]),
        whole("trials", 1),
        whole("patience", 0),
        whole("max_epochs", 1),
        _ranges(plan, texts["ranges"], problems),
    )
    return changes, seconds


def _ranges(plan: Plan, text: str, problems: dict[str, str]) -> dict[str, Any]:
    ranges: dict[str, Any] = {}
    try:
        for part in text.split():
            path, domain = parse_assignment(part)
            ranges[SHORT_NAMES.get(path, path)] = domain
        if ranges:
            with_ranges(plan.space, ranges)
    except ConfigError as error:
        problems["ranges"] = error.message.removeprefix("-p: ")
    return ranges
