"""`tui report`: runs as one page."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.run_arguments import RunsArgument

__all__ = ["report"]


def report(
    run: RunsArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="F.html", help="HTML file to write.")
    ] = Path("report.html"),
    split: Annotated[
        Literal["test", "validation", "train"] | None,
        typer.Option(
            help="Split of the evaluation; several runs are compared on validation.",
            show_default="test if evaluated",
        ),
    ] = None,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Write a self-contained HTML page: curves, evaluation, mistakes, configuration, comparison.

    Example: tui report latest -o report.html
    """
    from core.files.atomic import as_usual, write_atomically
    from core.palette import MAX_RUNS

    found = list(dict.fromkeys(find_run(runs or default_runs_dir(), reference) for reference in run))
    if len(found) > MAX_RUNS:
        raise InputError(f"a report takes up to {MAX_RUNS} runs, got {len(found)}", "Give fewer")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise InputError(f"--output: {output} cannot be a file", "Give a file name in an existing folder")
    from core.report.build import build

    text = build(found, split=split or "", data_root=data_root, tell=_tell)
    content = text.encode(errors="backslashreplace")
    write_atomically(output, lambda file: file.write(content), instead="give another file with -o")
    as_usual(output)
    _tell("")
    from tui.terminal.text import clean

    print(clean(str(output)))


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        from tui.terminal.text import clean

        print(f"\r\x1b[K{clean(what)}\r", end="", file=sys.stderr, flush=True)
