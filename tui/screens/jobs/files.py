"""Jobs that write files: a report, an export, predictions."""

import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rich.cells import cell_len

from core.data.dataset import Progress
from core.errors import InputError
from core.runs.folder import Run, with_checkpoint
from core.runs.labels import title_of
from core.runs.summary import summarise
from tui.forms.command_line import place
from tui.screens.jobs.job import Answers, Done, Job, Question
from tui.terminal.text import clean, count, fit

__all__ = ["export_job", "predict_job", "report_job"]

FORMATS = {
    "onnx": "ONNX",
    "pt2": "PyTorch graph",
    "safetensors": "safetensors: weights only",
    "csv": "arrays",
}
SPLITS = {"validation": "validation", "test": "test, which is meant for the end", "train": "train"}
MASKS = "mean_iou"
"""The metric that only models of masks have."""
INPUTS = (".csv", ".tsv", ".parquet", ".npz", ".npy")
FIRST_ROWS, WIDEST = 6, 20


def report_job(run: Run, others: Sequence[Run], data_root: Path | None) -> Job:
    """Return the job that writes a page of a run, or of several runs that are compared.

    Args:
        others: runs that are marked, to be compared on one page in place of `run`.
    """
    several = {"this": title_of(run.path), "marked": f"the {len(others)} marked runs, compared"}

    def runs_of(answers: Answers) -> list[Run]:
        return [*others] if answers.get("runs") == "marked" else [run]

    def command(answers: Answers) -> str:
        runs, split = runs_of(answers), answers["split"]
        words = ["report", *(one.id for one in runs), "-o", answers["output"]]
        return _command(runs[0], *words, "--split", split)

    def work(answers: Answers, progress: Progress) -> Done:
        from core.report.build import write

        output = _path(answers["output"], "a file")
        write(
            runs_of(answers),
            output,
            split=answers["split"],
            data_root=data_root,
            tell=lambda what: progress(what, 0, 0),
        )
        return Done(f"Report written: {output.resolve()}")

    which = (Question("runs", "of", "this", several),) if len(others) > 1 else ()
    questions = (
        *which,
        Question("output", "write to", "report.html", hint="an HTML file", suffixes=(".html",), writes=True),
        Question("split", "split", "validation", SPLITS),
    )

    def tested(answers: Answers) -> list[Run]:
        return runs_of(answers) if answers["split"] == "test" else []

    return Job(f"Report of {title_of(run.path)}", "Write", questions, command, work, tested)


def export_job(run: Run, data_root: Path | None) -> Job:
    """Return the job that writes a model for another tool into a new folder."""

    def folder_of(answers: Answers) -> str:
        return answers["output"] or f"{run.id}-{answers['to']}"

    def command(answers: Answers) -> str:
        where = ["-o", answers["output"]] if answers["output"] else []
        return _command(run, "export", run.id, "--to", answers["to"], *where, *_weights(answers))

    def work(answers: Answers, progress: Progress) -> Done:
        from core.export.export import export

        folder = Path(folder_of(answers)).expanduser()
        written = export(_chosen(run, answers), answers["to"], folder, data_root=data_root, progress=progress)
        lines = [*(f"  {name}" for name in written.files), *written.notes]
        if written.difference is not None:
            lines.append(f"checked on real samples: largest difference {written.difference:.2g}")
        return Done(f"Exported: {written.folder.resolve()}", tuple(lines))

    questions = (
        Question("to", "format", "onnx", FORMATS),
        Question("output", "new folder", hint=f"{run.id}-FORMAT"),
        _checkpoints(run),
    )
    return Job(f"Export {title_of(run.path)}", "Export", questions, command, work)


def predict_job(run: Run, data_root: Path | None) -> Job:
    """Return the job that predicts the samples of a file or a folder."""

    def command(answers: Answers) -> str:
        folder = answers.get("masks", "")
        masks = ["--masks", folder] if folder else []
        output = masks or ["--csv", answers["csv"]]
        return _command(run, "predict", run.id, answers["samples"] or "INPUT", *output, *_weights(answers))

    def work(answers: Answers, progress: Progress) -> Done:
        from core.inference.prediction_files import table_of, write_new_predictions
        from core.session.new_samples import NewMasks, predict_new

        samples = _path(answers["samples"], "the file or folder of samples")
        folder = answers.get("masks", "")
        masks = Path(folder).expanduser() if folder else None
        csv = _path(answers["csv"], "a file for the predictions") if masks is None else None
        new = predict_new(
            [_chosen(run, answers)], samples, masks=masks, data_root=data_root, progress=progress
        )
        if isinstance(new, NewMasks):
            return Done(f"{count(new.written)} masks written: {answers['masks']}", (new.size, *new.notes))
        assert csv is not None
        write_new_predictions(new, csv)
        rows = [[str(cell) for cell in row] for row in islice(table_of(new), FIRST_ROWS + 1)]
        message = f"{count(len(new.ids))} predictions written: {csv.resolve()}"
        return Done(message, (*new.notes, *aligned(rows)))

    gives_masks = MASKS in summarise(run).metrics
    masked = (Question("masks", "masks", hint="a new folder"),) if gives_masks else ()
    questions = (
        Question("samples", "samples", hint="a table, arrays, or a folder", suffixes=INPUTS),
        Question("csv", "write to", "predictions.csv", hint="a CSV file", suffixes=(".csv",), writes=True),
        *masked,
        _checkpoints(run),
    )
    return Job(f"Predict with {title_of(run.path)}", "Predict", questions, command, work)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns below each other; wide cells are cut."""
    widths = [
        min(WIDEST, max(cell_len(clean(cell)) for cell in column)) for column in zip(*rows, strict=True)
    ]
    return ["  ".join(map(fit, row, widths)).rstrip() for row in rows]


def _checkpoints(run: Run) -> Question:
    names = ["best", "last", *(f"epoch-{epoch}" for epoch in run.kept_epochs())]
    return Question("checkpoint", "weights", "best", dict(zip(names, names, strict=True)))


def _chosen(run: Run, answers: Answers) -> Run:
    name = answers["checkpoint"]
    return run if name == "best" else with_checkpoint(run, name)


def _weights(answers: Answers) -> list[str]:
    return [] if answers["checkpoint"] == "best" else ["--checkpoint", answers["checkpoint"]]


def _command(run: Run, *words: str) -> str:
    return shlex.join(["tui", *words, *place(run.path.parent)])


def _path(text: str, what: str) -> Path:
    if not text:
        raise InputError(f"no path given for {what}", "Type one")
    return Path(text).expanduser()
