"""`tui tune compare` and `tui tune plot`: studies side by side, and their charts on the terminal or as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.errors import InputError, RunError
from core.runs.folder import default_runs_dir
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption
from tui.headless.documents.acting import FileDocument, file_document
from tui.headless.documents.envelope import print_document

if TYPE_CHECKING:
    from core.tuning.study.study import TuningStudy

__all__ = ["compare", "plot"]

STUDY_HELP = "Its name, a prefix or the last letters of it, `latest`, or a path."
Storage = Annotated[
    str | None, typer.Option("--storage", metavar="URL", help="Database that the studies are kept in.")
]
Kind = Literal["history", "slices", "parallel", "contour", "front", "spread"]
HEIGHT, WIDTH = 20, 100


def compare(
    context: typer.Context,
    study: Annotated[list[str], typer.Argument(metavar="STUDY ...", help=STUDY_HELP, show_default=False)],
    as_json: JsonOption = False,
    storage: Storage = None,
    runs: RunsOption = None,
) -> None:
    """Compare studies: trials, epochs and time spent, best values, and winners that were confirmed.

    Example: tui tune compare k3f x7p
    """
    studies = _opened(study, runs or context.obj, storage)
    if len(studies) < 2:
        raise InputError("a comparison takes two or more different studies, got 1", "Name another one")
    from core.tuning.comparison import study_facts

    facts = [study_facts(each) for each in studies]
    if as_json:
        from tui.headless.documents.comparing import studies_document

        print_document(studies_document(facts))
        return
    from tui.headless.studies_report import print_studies

    print_studies(facts)


def plot(
    context: typer.Context,
    study: Annotated[list[str], typer.Argument(metavar="STUDY ...", help=STUDY_HELP, show_default=False)],
    chart: Annotated[Kind, typer.Option(help="Chart to draw; spread takes several studies.")] = "history",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it to F.svg, F.png or F.txt; without it, it is drawn on the terminal.",
        ),
    ] = None,
    as_json: JsonOption = False,
    storage: Storage = None,
    runs: RunsOption = None,
) -> None:
    """Draw a chart of a study: on the terminal, or as an SVG, PNG or text file.

    Example: tui tune plot latest --chart parallel -o parallel.svg
    """
    studies = _opened(study, runs or context.obj, storage)
    if len(studies) > 1 and chart != "spread":
        raise InputError(
            f"--chart {chart} draws one study, got {len(studies)}", "Give one, or --chart spread"
        )
    ending = output.suffix if output else ".txt"
    if ending not in (".svg", ".png", ".txt"):
        raise InputError(f"--output: got '{output}'", "It ends in .svg, .png or .txt")
    content = _text(studies, chart).encode() if ending == ".txt" else _picture(studies, chart, ending[1:])
    names = [each.name for each in studies]
    if output is None:
        if as_json:
            print_document(FileDocument(path=None, size=len(content), runs=names, text=content.decode()))
        else:
            print(content.decode(), end="")
        return
    from core.files.atomic import as_usual, write_atomically
    from tui.terminal.text import clean

    write_atomically(output, lambda file: file.write(content), instead="give another file with -o")
    as_usual(output)
    if as_json:
        print_document(file_document(output, names))
    else:
        print(clean(str(output)))


def _opened(names: Sequence[str], runs: Path | None, storage: str | None) -> "list[TuningStudy]":
    from core.tuning.study.study import open_study

    found = [open_study(runs or default_runs_dir(), name, storage) for name in names]
    return list({study.folder.path: study for study in found}.values())


def _picture(studies: "Sequence[TuningStudy]", chart: Kind, kind: str) -> bytes:
    from core.report.study_figures import spread, study_figure

    if chart == "spread":
        return spread([(one.name.removeprefix("study_"), one.plan, one.records()) for one in studies], kind)
    found = study_figure(chart, studies[0].plan_now(), studies[0].records(), kind)
    if found is None:
        raise _nothing(studies[0], chart)
    return found


def _text(studies: "Sequence[TuningStudy]", chart: Kind) -> str:
    from tui.headless.studies_report import chart_text

    text = chart_text(studies, chart, WIDTH, HEIGHT)
    if not text:
        raise _nothing(studies[0], chart)
    return text + "\n"


def _nothing(study: "TuningStudy", chart: str) -> RunError:
    return RunError(f"{study.name} has nothing to draw as {chart}", "Draw another chart, or wait for trials")
