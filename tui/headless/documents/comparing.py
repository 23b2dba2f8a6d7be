"""Documents of comparisons: of runs, of what two were made of, of a run and its repetition, of studies."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup
from core.runs.comparison.settings import differences, not_comparable, other_losses
from core.runs.comparison.standings import Standings, standings
from core.runs.folder import Run
from core.runs.origin.differences import CodeChange, OriginDifference
from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.runs.origin.equal import Equality
    from core.tuning.comparison import StudyFacts

__all__ = [
    "ComparisonDocument",
    "DifferenceDocument",
    "RerunDocument",
    "StudiesDocument",
    "comparison_document",
    "difference_document",
    "rerun_document",
    "studies_document",
]


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One run of a comparison.

    Attributes:
        epoch: done. seconds: of training. best: metrics of validation at the best epoch.
        metrics, intervals: of the split that is compared, with 95 % intervals.
    """

    id: str
    path: str
    status: str
    epoch: int
    best_epoch: int
    seconds: float
    best: dict[str, float | None]
    metrics: dict[str, float]
    intervals: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class ComparedGroup:
    """Runs that differ in their seed alone.

    Attributes:
        id: of the first one. metrics: ``mean``, ``deviation`` and the number of ``runs`` by metric.
    """

    id: str
    runs: list[str]
    seeds: list[Any]
    metrics: dict[str, dict[str, float | int | None]]


@dataclass(frozen=True, kw_only=True)
class ComparisonDocument(Document):
    """Runs side by side.

    Attributes:
        leaders: the best run by metric, where one is. ties: runs that share the best value.
        level: runs whose difference to the leader chance explains. to_leader: differences to the leader, by metric and
            run, each with its ``value``, ``interval`` and ``p``. not_tested: metrics that were not tested.
        differences: by path, the settings that differ, in the order of the runs or groups.
        note: why the runs cannot be compared; empty where they can. losses: which losses differ.
    """

    kind = "comparison"
    split: str
    runs: list[ComparedRun]
    groups: list[ComparedGroup]
    leaders: dict[str, str]
    ties: dict[str, list[str]]
    level: dict[str, list[str]]
    to_leader: dict[str, dict[str, dict[str, Any]]]
    not_tested: list[str]
    differences: dict[str, list[Any]]
    note: str
    losses: Any


@dataclass(frozen=True, kw_only=True)
class DifferenceDocument(Document):
    """Differences of what two runs were made of.

    Attributes:
        runs: ids of both.
        values: each with ``part``, ``name``, ``first`` and ``second``; null where a run has none.
        code: of files that differ, ``file`` and the ``lines`` of a unified diff.
    """

    kind = "difference"
    runs: list[str]
    values: list[dict[str, Any]]
    code: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class RerunDocument(Document):
    """A run, trained again, and how far both are equal.

    Attributes:
        run: the new one. of: the first one.
        epochs, numbers: that were compared. weights: whether the best ones are equal; null where a run has none.
        differs_at: the first epoch with another number, 0 for one after the last; null where all are equal.
        what: that number. first, second: its values. largest: the largest difference of any number.
    """

    kind = "rerun"
    run: str
    of: str
    equal: bool
    epochs: int
    numbers: int
    differs_at: int | None
    what: str
    first: float | None
    second: float | None
    largest: float | None
    weights: bool | None


@dataclass(frozen=True, kw_only=True)
class StudiesDocument(Document):
    """Studies side by side.

    Attributes:
        note: why their values cannot be compared; empty where they can.
        studies: each with ``name method pruner metric direction trials epochs seconds best median winner second front
            data``.
    """

    kind = "studies"
    note: str
    studies: list[dict[str, Any]]


def comparison_document(groups: Sequence[RunGroup], split: str) -> ComparisonDocument:
    """Return the document of a comparison on a split."""
    rows = standings(groups, split)
    entries = [entry for group in groups for entry in group.entries]
    ids = [group.first.run.id for group in groups]
    to_leader = {
        row.metric: {
            ids[place]: {"value": found.value, "interval": list(found.interval), "p": found.p}
            for place, found in enumerate(row.differences)
            if found is not None
        }
        for row in rows
        if any(row.differences)
    }
    return ComparisonDocument(
        split=split,
        runs=[_run(entry, split) for entry in entries],
        groups=[_group(group, rows, place) for place, group in enumerate(groups) if group.is_repeated],
        leaders={row.metric: ids[row.leader] for row in rows if row.leader is not None},
        ties={row.metric: [ids[at] for at in sorted(row.leaders)] for row in rows if len(row.leaders) > 1},
        level={row.metric: [ids[at] for at in sorted(row.level)] for row in rows if row.level},
        to_leader=to_leader,
        not_tested=[row.metric for row in rows if not row.is_tested],
        differences=differences(groups),
        note=not_comparable(entries, split),
        losses=other_losses(entries),
    )


def difference_document(
    first: Run, second: Run, values: Sequence[OriginDifference], code: Sequence[CodeChange]
) -> DifferenceDocument:
    """Return the document of what two runs were made of."""
    return DifferenceDocument(
        runs=[first.id, second.id],
        values=[asdict(each) for each in values],
        code=[asdict(each) for each in code],
    )


def rerun_document(run: Run, of: Run, equality: "Equality") -> RerunDocument:
    """Return the document of a run that was trained again."""
    return RerunDocument(run=run.id, of=of.id, equal=equality.is_equal, **asdict(equality))


def studies_document(facts: "Sequence[StudyFacts]") -> StudiesDocument:
    """Return the document of studies side by side."""
    from core.tuning.comparison import not_comparable as not_alike

    return StudiesDocument(note=not_alike(facts), studies=[asdict(each) for each in facts])


def _run(entry: Entry, split: str) -> ComparedRun:
    report = entry.reports.get(split)
    metrics = report.metrics if report else {}
    return ComparedRun(
        id=entry.run.id,
        path=str(entry.run.path.resolve()),
        status=entry.summary.status,
        epoch=entry.summary.epoch,
        best_epoch=entry.summary.best_epoch,
        seconds=float(entry.seconds[1][-1]) if len(entry.seconds[1]) else 0.0,
        best={**entry.summary.metrics},
        metrics={name: value for name, value in metrics.items() if value is not None},
        intervals=report.intervals if report else {},
    )


def _group(group: RunGroup, rows: Sequence[Standings], place: int) -> ComparedGroup:
    return ComparedGroup(
        id=group.first.run.id,
        runs=[entry.run.id for entry in group.entries],
        seeds=list(group.seeds),
        metrics={
            row.metric: {"mean": score.value, "deviation": score.deviation, "runs": score.runs}
            for row in rows
            if (score := row.scores[place])
        },
    )
