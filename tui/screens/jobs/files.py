"""Jobs that write files: a report, an export, predictions."""

import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rich.cells import cell_len

from core.data.dataset import Progress
from core.errors import InputError
from core.files.atomic import creating
from core.runs.folder import Run, with_checkpoint
from core.runs.labels import title_of
from core.runs.summary import summarise
from core.tasks.registry import TASKS
from tui.forms.command_line import place
from tui.screens.jobs.job import Answers, Done, Job, Question
from tui.screens.jobs.several import EACH, TOGETHER, for_each, runs_of, which_runs
from tui.terminal.text import clean, count, fit

__all__ = ["export_job", "predict_job", "report_job"]

FORMATS = {
    "onnx": "ONNX",
    "pt2": "PyTorch graph",
    "safetensors": "safetensors: weights only",
    "csv": "arrays",
}
SPLITS = {"validation": "validation", "test": "test, which is meant for the end", "train": "train"}
BEST = "best"
INPUTS = (".csv", ".tsv", ".parquet", ".npz", ".npy")
FIRST_ROWS, WIDEST = 6, 20


def report_job(run: Run, marked: Sequence[Run], data_root: Path | None) -> Job:
    """Return the job that writes a page of a run, or of several runs that are compared."""

    def command(answers: Answers) -> str:
        runs, split = runs_of(answers, run, marked), answers["split"]
        words = ["report", *(one.id for one in runs), "-o", answers["output"]]
        return _command(runs[0], *words, "--split", split)

    def work(answers: Answers, progress: Progress) -> Done:
        from core.report.build import write

        output = _path(answers["output"], "a file")
        write(
            runs_of(answers, run, marked),
            output,
            split=answers["split"],
            data_root=data_root,
            tell=lambda what: progress(what, 0, 0),
        )
        return Done(f"Report written: {output.resolve()}")

    questions = (
        *which_runs(run, marked, {TOGETHER: "compared"}),
        Question("output", "write to", "report.html", hint="an HTML file", suffixes=(".html",)),
        Question("split", "split", "validation", SPLITS),
    )

    def tested(answers: Answers) -> list[Run]:
        return runs_of(answers, run, marked) if answers["split"] == "test" else []

    return Job(
        f"Report of {title_of(run.path)}",
        "Write",
        questions,
        command,
        work,
        tested,
        written=lambda answers: [answers["output"]],
    )


def export_job(run: Run, marked: Sequence[Run], data_root: Path | None) -> Job:
    """Return the job that writes a model for another tool into a new folder, or several into one each."""

    def folder_of(one: Run, answers: Answers) -> str:
        name, output = f"{one.id}-{answers['to']}", answers["output"]
        several = len(runs_of(answers, run, marked)) > 1
        return str(Path(output) / name) if output and several else output or name

    def command(answers: Answers) -> str:
        def of(one: Run) -> str:
            where = ["-o", folder_of(one, answers)] if answers["output"] else []
            return _command(one, "export", one.id, "--to", answers["to"], *where, *_weights(answers))

        return " && ".join(map(of, runs_of(answers, run, marked)))

    def work(answers: Answers, progress: Progress) -> Done:
        from core.export.export import export

        def write(one: Run) -> Done:
            folder = Path(folder_of(one, answers)).expanduser()
            if len(runs) > 1:
                with creating(folder.parent):
                    folder.parent.mkdir(parents=True, exist_ok=True)
            written = export(
                _chosen(one, answers), answers["to"], folder, data_root=data_root, progress=progress
            )
            lines = [*(f"  {name}" for name in written.files), *written.notes]
            if written.difference is not None:
                lines.append(f"checked on real samples: largest difference {written.difference:.2g}")
            return Done(f"Exported: {written.folder.resolve()}", tuple(lines))

        runs = runs_of(answers, run, marked)
        return for_each(runs, write, progress)

    questions = (
        *which_runs(run, marked, {EACH: "each into a folder of its own"}),
        Question("to", "format", "onnx", FORMATS),
        Question("output", "new folder", hint="named after the run and the format"),
        _checkpoints(run),
    )
    return Job(
        f"Export {title_of(run.path)}",
        "Export",
        questions,
        command,
        work,
        uses=lambda answers: runs_of(answers, run, marked),
    )


def predict_job(run: Run, marked: Sequence[Run], data_root: Path | None) -> Job:
    """Return the job that predicts the samples of a file or a folder, with one run or with several."""

    def places(answers: Answers) -> list[tuple[list[Run], str, str]]:
        """Return which runs predict together, and where to: the file of values, the folder of masks."""
        runs, csv, masks = runs_of(answers, run, marked), answers["csv"], answers.get("masks", "")
        if len(runs) == 1 or answers.get("runs") == TOGETHER:
            return [(runs, csv, masks)]
        file = Path(csv)
        return [
            (
                [one],
                str(file.with_name(f"{file.stem}-{one.id}{file.suffix}")) if csv else "",
                str(Path(masks) / one.id) if masks else "",
            )
            for one in runs
        ]

    def command(answers: Answers) -> str:
        def of(runs: list[Run], csv: str, masks: str) -> str:
            output = ["--masks", masks] if masks else ["--csv", csv]
            together = ["--together"] if len(runs) > 1 else []
            samples = answers["samples"] or "INPUT"
            return _command(
                runs[0], "predict", *(one.id for one in runs), samples, *output, *together, *_weights(answers)
            )

        return " && ".join(of(*place) for place in places(answers))

    def work(answers: Answers, progress: Progress) -> Done:
        samples = _path(answers["samples"], "the file or folder of samples")
        if answers.get("runs") == TOGETHER and answers["checkpoint"] != BEST:
            raise InputError("scores are averaged with the best weights of each run", "Choose best")
        by_run = {runs[0]: (runs, csv, masks) for runs, csv, masks in places(answers)}

        def predict(one: Run) -> Done:
            runs, csv, masks = by_run[one]
            chosen = [_chosen(each, answers) for each in runs]
            return _predict(chosen, samples, csv, masks, data_root, progress)

        return for_each([*by_run], predict, progress)

    metrics = summarise(run).metrics
    gives_masks = any(task.on_images and task.goal in metrics for task in TASKS.values())
    masked = (Question("masks", "masks", hint="a new folder"),) if gives_masks else ()
    several = {EACH: "each into a file of its own", TOGETHER: "their scores averaged"}
    questions = (
        *which_runs(run, marked, several),
        Question("samples", "samples", hint="a table, arrays, or a folder", suffixes=INPUTS),
        Question("csv", "write to", "predictions.csv", hint="a CSV file", suffixes=(".csv",)),
        *masked,
        _checkpoints(run),
    )
    return Job(
        f"Predict with {title_of(run.path)}",
        "Predict",
        questions,
        command,
        work,
        uses=lambda answers: runs_of(answers, run, marked),
        written=lambda answers: [csv for _, csv, masks in places(answers) if csv and not masks],
    )


def _predict(
    runs: list[Run], samples: Path, csv: str, masks: str, data_root: Path | None, progress: Progress
) -> Done:
    """Predict with the mean of some runs, and write it."""
    from core.inference.prediction_files import table_of, write_new_predictions
    from core.session.new_samples import NewMasks, predict_new

    file = _path(csv, "a file for the predictions") if not masks else None
    folder = Path(masks).expanduser() if masks else None
    new = predict_new(runs, samples, masks=folder, data_root=data_root, progress=progress)
    if isinstance(new, NewMasks):
        return Done(f"{count(new.written)} masks written: {masks}", (new.size, *new.notes))
    assert file is not None
    write_new_predictions(new, file)
    rows = [[str(cell) for cell in row] for row in islice(table_of(new), FIRST_ROWS + 1)]
    return Done(f"{count(len(new.ids))} predictions written: {file.resolve()}", (*new.notes, *aligned(rows)))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns below each other; wide cells are cut."""
    widths = [
        min(WIDEST, max(cell_len(clean(cell)) for cell in column)) for column in zip(*rows, strict=True)
    ]
    return ["  ".join(map(fit, row, widths)).rstrip() for row in rows]


def _checkpoints(run: Run) -> Question:
    names = [BEST, "last", *(f"epoch-{epoch}" for epoch in run.kept_epochs())]
    return Question("checkpoint", "weights", BEST, dict(zip(names, names, strict=True)))


def _chosen(run: Run, answers: Answers) -> Run:
    name = answers["checkpoint"]
    return run if name == BEST else with_checkpoint(run, name)


def _weights(answers: Answers) -> list[str]:
    return [] if answers["checkpoint"] == BEST else ["--checkpoint", answers["checkpoint"]]


def _command(run: Run, *words: str) -> str:
    return shlex.join(["tui", *words, *place(run.path.parent)])


def _path(text: str, what: str) -> Path:
    if not text:
        raise InputError(f"no path given for {what}", "Type one")
    return Path(text).expanduser()
