"""Documents of runs and studies: lists, one of them, what they are called, and where they went."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.runs.folder import Run
from core.runs.labels import RunLabels, read_labels
from core.runs.media.stored import media_of
from core.runs.script import is_imported
from core.runs.summary import RunSummary, began
from core.slurm.job import SlurmJob
from tui.forms.resuming import command_to_resume
from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.tuning.study.study import TuningStudy

__all__ = [
    "LabelsDocument",
    "MediaEntry",
    "RunDocument",
    "RunEntry",
    "RunsDocument",
    "StudyDocument",
    "TrialEntry",
    "labels_document",
    "run_document",
    "runs_document",
    "study_document",
]


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """One run of a list.

    Attributes:
        epochs: done. metrics: of validation at the best epoch.
        started, updated: seconds since 1970; 0 when unknown.
        evaluation: metrics of the splits evaluated at the end; a list leaves out test numbers that nobody has opened.
        path: the folder, or the log of another tool. tool: that wrote the log; empty for our own runs and scripts.
        config: nested values. error: what went wrong, or is damaged; empty otherwise.
        job: of Slurm, with its id, state, reason, start, nodes and place in the queue; null unless one trains the run.
        size: bytes of the folder; null unless asked for.
    """

    id: str
    name: str
    tags: Sequence[str]
    note: str
    status: str
    data: str
    model: str
    epochs: int
    metrics: dict[str, float | None]
    started: float
    updated: float
    evaluation: dict[str, dict[str, float | None]]
    path: str
    config: dict[str, Any]
    tool: str
    error: str
    job: dict[str, Any] | None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunsDocument(Document):
    """Runs, in the order that was asked for, the newest first by default."""

    kind = "runs"
    runs: list[RunEntry]


@dataclass(frozen=True, kw_only=True)
class MediaEntry:
    """Images, texts or histograms of one name.

    Attributes:
        name: as it was logged. kind: ``image``, ``text`` or ``histogram``. count: how many there are.
        first_step, last_step: that they were logged at. last_file: path of the newest one; in the
            log of another tool its place there.
    """

    name: str
    kind: str
    count: int
    first_step: int
    last_step: int
    last_file: str


@dataclass(frozen=True, kw_only=True)
class RunDocument(RunEntry, Document):
    """One run.

    Attributes:
        problems: which of its files are missing or damaged, a line each. media: what it kept to be looked at.
        resume: the command that resumes it where it trained; empty where it cannot be.
        processes: that trained it together the last time.
    """

    kind = "run"
    processes: int = 1
    problems: list[str] = field(default_factory=list)
    media: list[MediaEntry] = field(default_factory=list)
    resume: str = ""


@dataclass(frozen=True, kw_only=True)
class TrialEntry:
    """One trial of a study.

    Attributes:
        trial: its number. value: the metric at the best epoch; null before there is one.
        params: values by the path of the setting. seconds: in its worker.
        reason: why it failed, was pruned or given up. run: its folder; null before there is one.
    """

    trial: int
    state: str
    value: float | None
    epochs: int
    params: dict[str, Any]
    seconds: float
    reason: str
    run: str | None


@dataclass(frozen=True, kw_only=True)
class StudyDocument(Document):
    """A study and all of its trials.

    Attributes:
        jobs: arrays of Slurm that work on it or wait to, that which came furthest first.
    """

    kind = "study"
    id: str
    name: str
    tags: Sequence[str]
    note: str
    metric: str
    direction: str
    path: str
    trials: list[TrialEntry]
    jobs: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class LabelsDocument(Document):
    """Name, tags and note of a run or a study, as they are now."""

    kind = "labels"
    id: str
    name: str
    tags: Sequence[str]
    note: str


def runs_document(summaries: Iterable[RunSummary], sizes: Iterable[int] | None = None) -> RunsDocument:
    """Return the document of a list of runs.

    Args:
        sizes: of their folders, in bytes, in the same order; None leaves them out.
    """
    rows = [_facts(summary) | {"evaluation": summary.shown_evaluation} for summary in summaries]
    if sizes is not None:
        rows = [row | {"size": size} for row, size in zip(rows, sizes, strict=True)]
    return RunsDocument(runs=[RunEntry(**row) for row in rows])


def run_document(summary: RunSummary, problems: Iterable[str] = ()) -> RunDocument:
    """Return the document of one run."""
    return RunDocument(
        **_facts(summary),
        processes=summary.processes,
        problems=list(problems),
        media=_media(summary.run),
        resume=command_to_resume(summary),
    )


def _media(run: Run) -> list[MediaEntry]:
    if not run.media_folder.is_dir():
        return []
    is_copy = is_imported(run.path)
    return [
        MediaEntry(
            name=name,
            kind=events[-1].kind,
            count=len(events),
            first_step=events[0].step,
            last_step=events[-1].step,
            last_file=events[-1].file if is_copy else str((run.media_folder / events[-1].file).resolve()),
        )
        for name, events in media_of(run).items.items()
    ]


def study_document(study: "TuningStudy", jobs: Iterable[SlurmJob]) -> StudyDocument:
    """Return the document of a study.

    Args:
        jobs: its arrays of workers that are not over.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    trials = [
        TrialEntry(
            trial=record.number,
            state=record.state,
            value=record.value,
            epochs=record.epochs,
            params=record.params,
            seconds=record.seconds,
            reason=record.reason,
            run=str(record.run) if record.run else None,
        )
        for record in study.records()
    ]
    plan, path = study.plan, study.folder.path
    facts = {"metric": plan.metric, "direction": plan.direction, "path": str(path.resolve())}
    labels, arrays = asdict(read_labels(path)), [asdict(job) for job in jobs]
    return StudyDocument(id=study.name, **labels, **facts, trials=trials, jobs=arrays)


def labels_document(run: Run, labels: RunLabels) -> LabelsDocument:
    """Return the document of what a run, or a study, is called."""
    return LabelsDocument(id=run.id, **asdict(labels))


def _facts(summary: RunSummary) -> dict[str, Any]:
    return {
        "id": summary.run.id,
        "name": summary.labels.name,
        "tags": summary.labels.tags,
        "note": summary.labels.note,
        "status": summary.status,
        "data": summary.data,
        "model": summary.model,
        "epochs": summary.epoch,
        "metrics": summary.metrics,
        "started": began(summary) or 0.0,
        "updated": summary.updated,
        "evaluation": summary.evaluation,
        "path": summary.log or str(Path(summary.run.path).resolve()),
        "config": summary.config,
        "tool": summary.tool,
        "error": summary.error,
        "job": None if summary.job is None else asdict(summary.job.job),
    }
