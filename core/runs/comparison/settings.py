"""Settings in which runs differ, and what keeps their numbers from being compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.config.defaults import usual_value
from core.evaluation.report import Report
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup
from core.runs.comparison.ranking import differing_losses
from core.runs.comparison.same_data import differing_data

__all__ = ["differences", "not_comparable", "other_losses", "other_thresholds"]

LOG = "script.log"
"""Where the log of another tool is: no setting of the run."""


def differences(groups: Sequence[RunGroup]) -> dict[str, list[Any]]:
    """By dotted path, the settings that are not the same in all groups; None where one has no such setting.

    Where some have no such setting, as another data set or model has not, it counts if another one changed it.
    """
    flat = [_settings(group) for group in groups]
    paths = {path: None for settings in flat for path in settings}
    columns = {path: [settings.get(path) for settings in flat] for path in _by_section(paths)}
    return {path: values for path, values in columns.items() if _differ(path, values, flat)}


def _differ(path: str, values: Sequence[Any], settings: Sequence[Mapping[str, Any]]) -> bool:
    section, _, key = path.partition(".")
    if all(path in each for each in settings) or key == "name":
        return any(value != values[0] for value in values)
    return any(
        path in each and each[path] != usual_value(section, str(each.get(f"{section}.name")), key)
        for each in settings
    )


def _settings(group: RunGroup) -> dict[str, Any]:
    """The settings of a group, the seeds of all its runs in one."""
    found = _flat(group.first.config)
    return {**found, "training.seed": group.seeds} if group.is_repeated else found


def _flat(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    flat = {f"{section}.{key}": value for section, fields in config.items() for key, value in fields.items()}
    return {path: value for path, value in flat.items() if path != LOG}


def _by_section(paths: Mapping[str, None]) -> list[str]:
    """Fields of one section together, in the order in which sections first appear."""
    sections = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    return sorted(paths, key=lambda path: sections.index(path.partition(".")[0]))


def other_losses(entries: Sequence[Entry]) -> str:
    """Return which losses the runs minimise, where values of one do not compare with those of another; else empty."""
    return differing_losses([entry.config for entry in entries])


def other_thresholds(entries: Sequence[Entry], split: str) -> str:
    """Return which rules choose the thresholds of the runs, where they are not the same; else empty.

    Thresholds that one rule chooses for each run compare, whatever their numbers are.
    """
    reports = [report for entry in entries if (report := entry.reports.get(split))]
    rules = dict.fromkeys(_rule_of(report) for report in reports if report.positive or report.chosen_by)
    if len(rules) < 2:
        return ""
    return f"not the same thresholds ({'; '.join(rules)}): accuracy, precision, recall, F1 and the like differ by these"


def _rule_of(report: Report) -> str:
    chosen = "" if report.threshold is None else f"{report.threshold:.4g}"
    return report.chosen_by or chosen or "the class that scores highest"


def not_comparable(entries: Sequence[Entry], split: str) -> str:
    """Return why final numbers of these runs are not comparable; empty if they are."""
    told = differing_data([entry.config.get("data", {}) for entry in entries if entry.config], split)
    samples = {report.n for entry in entries if (report := entry.reports.get(split))}
    return told or (f"not the same {split} samples" if len(samples) > 1 else "")
