"""`tui report`: runs as one page."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.errors import RunError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunsArgument, refresh_logs

if TYPE_CHECKING:
    from core.tuning.study.study import TuningStudy

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
    as_json: JsonOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Write a self-contained HTML page: curves, evaluation, mistakes, configuration, comparison.

    Names of studies give a page of these: charts, importance, the best trials and the winner.

    Example: tui report latest -o report.html
    """
    from core.report.build import check_output, write, write_page

    refresh_logs(runs or default_runs_dir())
    if studies := _studies(run, runs or default_runs_dir()):
        from core.report.study import build_studies

        check_output(output)
        ids = [study.name for study in studies]
        write_page(output, build_studies(studies, [_command(study) for study in studies]))
    else:
        found = list(dict.fromkeys(find_run(runs or default_runs_dir(), reference) for reference in run))
        ids = [one.id for one in found]
        write(found, output, split=split or "", data_root=data_root, tell=_tell)
    _tell("")
    if as_json:
        from tui.headless.documents.acting import file_document
        from tui.headless.documents.envelope import print_document

        print_document(file_document(output, ids))
        return
    from tui.terminal.text import clean

    print(clean(str(output)))


def _studies(names: list[str], runs_dir: Path) -> "list[TuningStudy]":
    """Return the studies that the names mean; none where the first one means a run, as `latest` does."""
    from core.tuning.study.folder import PREFIX, find_study

    if not Path(names[0]).name.startswith(PREFIX):
        with suppress(RunError):
            find_run(runs_dir, names[0])
            return []
        try:
            find_study(runs_dir, names[0])
        except RunError:
            return []
    from core.tuning.study.study import open_study

    return [open_study(runs_dir, name) for name in dict.fromkeys(names)]


def _command(study: "TuningStudy") -> str:
    """Return the command that trains the winner of a study, or its best trial."""
    from core.tuning.confirm.result import confirmation
    from tui.forms.command_line import command_line

    again, ranked = confirmation(study), study.ranked()
    winner = [one for one in ranked if again is not None and one.number == again.winner]
    return command_line(study.config((winner or ranked)[0])) if ranked else ""


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        from tui.terminal.text import clean

        print(f"\r\x1b[K{clean(what)}\r", end="", file=sys.stderr, flush=True)
