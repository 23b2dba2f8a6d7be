"""`tui queue`: runs one after the other."""

from typing import Annotated

import typer

from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RUN_HELP, complete_runs
from tui.terminal.text import clean

__all__ = ["queue"]


def queue(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN ...", help=f"In order. {RUN_HELP}", show_default=False, autocompletion=complete_runs
        ),
    ],
    after: Annotated[
        str | None, typer.Option("--after", metavar="RUN", help="Wait first until this run has ended.")
    ] = None,
    as_json: JsonOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Resume runs one after the other, each in a process of its own; one that fails does not end the others.

    Example: tui queue RUN RUN --after latest
    """
    where = runs or default_runs_dir()
    found = list(dict.fromkeys(find_run(where, name) for name in run))
    first = find_run(where, after) if after is not None else None
    from core.runs.summary import summarise
    from tui.runtime.queue_process import train_in_turn

    train_in_turn(found, first, data_root)
    ended = {one.id: summarise(one).status for one in found}
    if as_json:
        from tui.headless.documents.acting import QueueDocument
        from tui.headless.documents.envelope import print_document

        rows = [{"id": name, "status": str(status)} for name, status in ended.items()]
        print_document(QueueDocument(runs=rows))
        return
    for name, status in ended.items():
        print(clean(f"{name}  {status}"))
