"""`tui watch` and `tui stop`: follow or stop a run that any process trains."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError, RunError
from core.runs.folder import Run, default_runs_dir, find_run, is_run
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption, json_option
from tui.cli.opening import open_app
from tui.cli.run_arguments import RUN_HELP, RunArgument, complete_runs

if TYPE_CHECKING:
    from core.interop.readers.following import ForeignLog

__all__ = ["stop", "watch"]

STOP_SECONDS = 60.0
"""For which the run of a job may save before its job is left to end by itself."""
LOG_HELP = f"{RUN_HELP} Or a log of another tool, or a folder with one: see docs/logs.md."


def watch(
    run: Annotated[str, typer.Argument(help=LOG_HELP, autocompletion=complete_runs)] = "latest",
    as_json: Annotated[
        bool, json_option("Print its events as JSON, one per line, to its end; no app.")
    ] = False,
    runs: RunsOption = None,
) -> None:
    """Follow a run live, whichever process is training it.

    Examples: tui watch latest

    tui watch lightning_logs/version_0

    tui watch runs/detect/train/results.csv
    """
    path = Path(run).expanduser()
    if path.exists() and not is_run(path):
        from core.interop.readers.logs import find_log

        found: ForeignLog | Run = find_log(path)
    else:
        found = _run_or_file(run, runs or default_runs_dir())
    if as_json:
        from tui.headless.documents.following import print_events

        print_events(found)
    else:
        open_app(runs=runs, data_root=None, follow=found)


def _run_or_file(reference: str, runs_dir: Path) -> Run:
    """Return the run that is meant.

    Raises:
        InputError: it looks like a file, which is not there.
        RunError: no run is called so.
    """
    try:
        return find_run(runs_dir, reference)
    except RunError:
        path = Path(reference).expanduser()
        if path.suffix and not path.exists():
            raise InputError(
                f"there is no file {reference}, and no run is called so", "Give the path of a log, or a run"
            ) from None
        raise


def stop(
    run: RunArgument,
    group: Annotated[
        bool, typer.Option("--group", help="Also all others of its folds or seeds that train or wait.")
    ] = False,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Ask the process that is training a run to save and stop; one that waits leaves its queue.

    Examples: tui stop latest

    tui stop latest --group
    """
    from tui.runtime.hosts.job_host import stop_job
    from tui.terminal.text import clean

    found = find_run(runs or default_runs_dir(), run)
    stopped = [found]
    if group:
        from tui.runtime.stopping import stop_group

        stopped = stop_group(found, STOP_SECONDS)
    else:
        stop_job(found, STOP_SECONDS)
    if as_json:
        from tui.headless.documents.acting import RequestDocument
        from tui.headless.documents.envelope import print_document

        print_document(RequestDocument(request="stop", to=found.id))
        return
    for one in stopped:
        print(f"asked {clean(one.id)} to save and stop")
