"""Options of `tui train` beside those of a configuration and of a host."""

from typing import Annotated

import typer

from tui.cli.json_option import json_option
from tui.cli.run_arguments import complete_runs

__all__ = ["AsJson", "Checkpoint", "Folds", "NoPreflight", "NoUi", "Quiet", "Resume", "Seeds"]

MAX_REPEATS = 1000

NoUi = Annotated[bool, typer.Option("--no-ui", help="Train headless, without the app.")]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume", metavar="RUN", help="Resume a run exactly where it stopped.", autocompletion=complete_runs
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        metavar="NAME",
        help="With --resume: the checkpoint to return to, such as epoch-10. Later epochs are done again.",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds", min=2, max=MAX_REPEATS, metavar="N", help="Cross-validate: a run for each of N folds."
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        min=2,
        max=MAX_REPEATS,
        metavar="N",
        help="Train a run for each of N seeds, from the configured one on.",
    ),
]
AsJson = Annotated[bool, json_option("Print events as JSON, one per line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
NoPreflight = Annotated[
    bool, typer.Option("--no-preflight", help="Start without trying own networks on a few batches.")
]
