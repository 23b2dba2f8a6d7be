"""Arguments that name runs, and their completion in a shell."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError, TorchtuiError
from core.runs.code import trust_config
from core.runs.folder import Run, all_runs, default_runs_dir, find_run, with_checkpoint
from core.runs.references import LATEST
from core.runs.together import members_of

__all__ = [
    "RUN_HELP",
    "CheckpointOption",
    "NameOption",
    "OneOrMoreRuns",
    "RunArgument",
    "RunsArgument",
    "TogetherOption",
    "complete_runs",
    "refresh_logs",
    "runs_named",
]

RUN_HELP = (
    "An id, a prefix or the last letters of one, of a run or a trial; its name; `latest` (started or resumed last); "
    "or a path."
)
MAX_COMPLETIONS = 100
NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="TEXT", help="What to call it; any text, shown wherever it is listed."),
]


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
OneOrMoreRuns = Annotated[
    list[str],
    typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False, autocompletion=complete_runs),
]
TogetherOption = Annotated[
    bool,
    typer.Option("--together", help="Take several runs as one model: the mean of their scores."),
]


def refresh_logs(runs_dir: Path) -> None:
    """Bring the copies of other tools' logs below a folder of runs up to date; print what cannot be read."""
    from core.interop.readers.importing import import_logs
    from tui.terminal.text import clean

    if runs_dir.is_file():
        raise InputError(f"{runs_dir} is a file", "Give a folder of runs; tui watch FILE shows one log")
    for path, problem in import_logs(runs_dir).items():
        print(f"warning: {clean(str(path))}: {clean(problem)}", file=sys.stderr)


def runs_named(
    names: list[str], runs_dir: Path | None, checkpoint: str, *, together: bool, trust: bool
) -> list[Run]:
    """Return the runs that a command names: one, or with ``--together`` several.

    Raises:
        InputError: their number does not fit.
        RunError: one of them is not there, or has no such checkpoint.
    """
    if together and len(names) < 2:
        raise InputError("--together needs several runs", "Name two or more, such as: RUN RUN --together")
    if together and checkpoint != "best":
        raise InputError("--together takes the best weights of each run", "Leave out --checkpoint")
    if not together and len(names) > 1:
        raise InputError(
            f"got {len(names)} runs, takes one", "With --together several runs count as one model"
        )
    found = [find_run(runs_dir or default_runs_dir(), name) for name in names]
    if checkpoint != "best":
        found = [with_checkpoint(run, checkpoint) for run in found]
    if trust:
        for run in found:
            for member in members_of(run) or [run]:
                trust_config(member.config(), member)
    return found
