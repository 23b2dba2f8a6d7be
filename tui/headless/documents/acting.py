"""Documents of what commands did: files they wrote, runs they moved, requests they passed on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.export.export import Exported
    from core.inference.prediction_files import NewPredictions
    from core.session.new_samples import NewMasks
    from tui.runtime.user_queue.entries import Lineup

__all__ = [
    "CommandDocument",
    "ElsewhereDocument",
    "EmptiedDocument",
    "ExportDocument",
    "FileDocument",
    "MovedDocument",
    "PredictionsDocument",
    "QueueDocument",
    "RequestDocument",
    "TrashDocument",
    "export_document",
    "file_document",
    "predictions_document",
    "queue_document",
]


@dataclass(frozen=True, kw_only=True)
class FileDocument(Document):
    """A file that was written: a report, a bundle, a chart.

    Attributes:
        path: absolute; null where a chart was drawn on the terminal. size: bytes.
        runs: ids of the runs or studies that it is of. text: a chart that was not written to a file.
    """

    kind = "file"
    path: str | None
    size: int
    runs: list[str]
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class ExportDocument(Document):
    """A folder for another tool.

    Attributes:
        files: names in the folder. notes: what the format cannot hold, a line each.
        difference: the largest one between the answers of both models on real samples; null without a model.
    """

    kind = "export"
    run: str
    format: str
    folder: str
    files: Sequence[str]
    difference: float | None
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PredictionsDocument(Document):
    """Predictions for new samples.

    Attributes:
        runs: that predicted. samples: how many.
        path: of the file, or of the folder of masks, that they were written to; empty where they are in `rows`.
        columns: names of the values of each row. rows: a list of values for each sample, as in the CSV file.
        notes: what was done to the samples, a line each.
    """

    kind = "predictions"
    runs: list[str]
    samples: int
    path: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class MovedDocument(Document):
    """Runs or studies that were moved: into the trash, out of it, or out of a bundle.

    Attributes:
        to: ``trash`` or ``runs``. ids: in order. size: bytes that they take; null where it was not measured.
        failed: by id, why one was not moved.
    """

    kind = "moved"
    to: str
    ids: list[str]
    size: int | None = None
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrashDocument(Document):
    """Runs and studies in the trash, those that were deleted last first; each with its ``id`` and ``size`` in bytes."""

    kind = "trash"
    runs: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class EmptiedDocument(Document):
    """The trash after it was emptied: how many were `deleted` for good, and the `problems` with others."""

    kind = "emptied"
    deleted: int
    problems: list[str]


@dataclass(frozen=True, kw_only=True)
class QueueDocument(Document):
    """The queue of this user on this machine, or runs that were trained one after the other.

    Attributes:
        runs: that were trained here, each with its ``id`` and ``status``; empty for the queue.
        entries: those that run, that wait in their order, and that have ended, each with ``id state place title words
            folder gpus devices run pid code added started ended log``; place is from 1, 0 for one that does not wait.
        paused: whether nothing more is started. slots: runs at once on the processor.
        worked_on_by: the process that starts what waits; empty where there is none. note: what they wait for.
    """

    kind = "queue"
    runs: list[dict[str, str]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    paused: bool = False
    slots: int = 1
    worked_on_by: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestDocument(Document):
    """A request that was passed on to the processes that work on a run or a study.

    Attributes:
        request: ``stop``, ``pause``, ``continue`` or ``try``. to: the id of the run, the name of the study.
        trials: numbers of the trials that were added.
    """

    kind = "request"
    request: str
    to: str
    trials: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ElsewhereDocument(Document):
    """A run that was started in the background, as a job, or in the queue.

    Attributes:
        run: its id. folder: absolute path. run_in: name of the host. message: where it is now, one sentence.
        runs: ids of all runs that were started, of ``--folds`` and ``--seeds`` one for each; none of a study.
    """

    kind = "elsewhere"
    run: str
    folder: str
    run_in: str
    message: str
    runs: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CommandDocument(Document):
    """Command and script of a run that was not started.

    Attributes:
        run_in: name of the host. command: for a shell. script: of the job; empty where there is none.
        each: command and script of each fold or seed that would be started by itself; otherwise of the one command.
    """

    kind = "command"
    run_in: str
    command: str
    script: str
    each: list[dict[str, str]]


def file_document(path: Path, runs: Sequence[str]) -> FileDocument:
    """Return the document of a file that is there."""
    return FileDocument(path=str(path.resolve()), size=path.stat().st_size, runs=list(runs))


def export_document(run: str, written: "Exported", to: str) -> ExportDocument:
    """Return the document of an export."""
    return ExportDocument(
        run=run,
        format=to,
        folder=str(written.folder.resolve()),
        files=written.files,
        difference=written.difference,
        notes=written.notes,
    )


def predictions_document(
    runs: Sequence[str], new: "NewPredictions | NewMasks", path: Path | None
) -> PredictionsDocument:
    """Return the document of predictions.

    Args:
        path: where they were written to; None puts them into the document.
    """
    from core.session.new_samples import NewMasks

    where = str(path.resolve()) if path is not None else ""
    if isinstance(new, NewMasks):
        return PredictionsDocument(runs=list(runs), samples=new.written, path=where, notes=new.notes)
    columns, rows = _table(new) if path is None else ([], [])
    samples = len(new.ids)
    return PredictionsDocument(
        runs=list(runs), samples=samples, path=where, columns=columns, rows=rows, notes=new.notes
    )


def queue_document(lineup: "Lineup", by: str) -> QueueDocument:
    """Return the document of the queue.

    Args:
        by: the process that works on it.
    """
    from tui.runtime.user_queue.adding import place_of
    from tui.runtime.user_queue.entries import ENDED
    from tui.runtime.user_queue.store import console_of

    hidden = {"variables", "uuids"}
    entries = [
        {**entry.model_dump(exclude=hidden), "place": place_of(lineup, entry), "log": str(console_of(entry))}
        for entry in (*lineup.of("running"), *lineup.of("waiting"), *lineup.of(*ENDED))
    ]
    return QueueDocument(
        entries=entries, paused=lineup.paused, slots=lineup.slots, worked_on_by=by, note=lineup.note
    )


def _table(new: "NewPredictions") -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns, and the rows, in which numbers are numbers."""
    from core.inference.prediction_files import table_of

    head, *rows = ([*row] for row in table_of(new))
    texts = 1 + len(new.kept) + (head[1 + len(new.kept)] == "class")
    return head, [[*row[:texts], *map(float, row[texts:])] for row in rows]
