"""Arguments that name runs, and their completion in a shell."""

from pathlib import Path
from typing import Annotated

import typer

from core.errors import TorchtuiError
from core.runs.folder import all_runs, default_runs_dir
from core.runs.references import LATEST

__all__ = ["RUN_HELP", "CheckpointOption", "RunArgument", "RunsArgument", "complete_runs"]

RUN_HELP = "An id, a prefix or the last letters of one, `latest` (started or resumed last), or a path."
MAX_COMPLETIONS = 100


def complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``latest`` and the ids of runs by their start or their last letters, newest first.

    Only names are read, so that Tab answers at once.

    Args:
        context: of the command line so far; its ``--runs`` is the folder to search.
    """
    given = context.params.get("runs")
    try:
        names = [run.id for run in all_runs(Path(given) if given else default_runs_dir())]
    except TorchtuiError:
        return []
    tails = [name.rpartition("_")[2] for name in names if incomplete]
    return [name for name in (LATEST, *names, *tails) if name.startswith(incomplete)][:MAX_COMPLETIONS]


RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP, autocompletion=complete_runs)]
RunsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN ...", help=f"Up to eight. {RUN_HELP}", show_default=False, autocompletion=complete_runs
    ),
]
CheckpointOption = Annotated[
    str,
    typer.Option(
        "--checkpoint",
        metavar="NAME",
        help="Weights to use: best, last, or a kept epoch such as epoch-10.",
    ),
]
