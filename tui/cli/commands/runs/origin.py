"""`tui runs diff`, `bundle` and `open`: what a run was made of, and a run taken elsewhere."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.runs.folder import Run, default_runs_dir, find_run
from core.runs.origin.bundle import open_bundle, write_bundle
from core.runs.origin.differences import CodeChange, OriginDifference, code_changes, differences
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument
from tui.headless.documents.acting import MovedDocument, file_document
from tui.headless.documents.envelope import print_document
from tui.terminal.text import bytes_, clean

__all__ = ["bundle", "diff", "open_"]

NONE = "–"


def diff(
    context: typer.Context,
    run: RunArgument,
    other: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare with.")],
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Show what two runs were made of side by side: settings, data, packages, machine and code.

    Example: tui runs diff 8fk latest
    """
    runs_dir = runs or context.obj or default_runs_dir()
    first, second = find_run(runs_dir, run), find_run(runs_dir, other)
    values, code = differences(first, second), code_changes(first, second)
    if as_json:
        from tui.headless.documents.comparing import difference_document

        print_document(difference_document(first, second, values, code))
        return
    for line in [*_table(first, second, values), *_changes(code)]:
        print(line)
    if not values and not code:
        print("nothing that is kept of them differs")


def bundle(
    context: typer.Context,
    run: RunArgument,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to write it; by default RUN.zip.")
    ] = None,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Write a run into one file, which tui runs open reads on another machine.

    Example: tui runs bundle latest --to run.zip
    """
    found = find_run(runs or context.obj or default_runs_dir(), run)
    output = to or Path(f"{found.id}.zip")
    size = write_bundle(found, output, progress=_tell)
    _tell("", 0, 0)
    if as_json:
        print_document(file_document(output, [found.id]))
    else:
        print(f"{clean(str(output))}  {bytes_(size)}")


def open_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that tui runs bundle wrote.")],
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Put the run of a bundle beside the others. Code in it runs only once you agree to it.

    Example: tui runs open run.zip
    """
    opened = open_bundle(file, runs or context.obj or default_runs_dir(), progress=_tell)
    _tell("", 0, 0)
    if as_json:
        print_document(MovedDocument(to="runs", ids=[opened.id]))
    else:
        print(opened.id)


def _table(first: Run, second: Run, values: list[OriginDifference]) -> list[str]:
    """A part, a name and the two values in each line."""
    if not values:
        return []
    rows = [("", "", first.id, second.id)]
    rows += [(value.part, clean(value.name), _short(value.first), _short(value.second)) for value in values]
    shown = [_under(row, above[0] if above else "") for above, row in zip([None, *rows], rows, strict=False)]
    widths = [max(len(row[column]) for row in shown) for column in range(3)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in shown
    ]


def _under(row: tuple[str, str, str, str], above: str) -> tuple[str, str, str, str]:
    """A row that does not repeat the part of the one above."""
    return ("" if row[0] == above else row[0], *row[1:])


def _short(value: object) -> str:
    text = clean(NONE if value is None else str(value))
    return text if len(text) <= 60 else text[:59] + "…"


def _changes(code: list[CodeChange]) -> list[str]:
    return [clean(line) for change in code for line in ["", *change.lines]]


def _tell(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        text = f"{what} {done} of {total}" if total else ""
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
