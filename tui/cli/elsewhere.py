"""`tui train` in another process, or as a job; or only a look at what would run."""

import shlex
import sys
import time

from core.config.checks import check_compatible
from core.errors import DependencyError, RunError
from core.events import RunFinished
from core.runs.code import programs_of
from core.status import has_failed
from core.user_code.trust import check
from tui.cli.host_options import Place, without_place
from tui.forms.command_line import place as runs_option
from tui.headless.documents.acting import CommandDocument, ElsewhereDocument
from tui.headless.documents.envelope import print_document
from tui.runtime.hosts.host import TUI, Host, Started, WantedRun
from tui.runtime.streams import put_results_back
from tui.terminal.text import clean

__all__ = ["show_or_start"]

POLL_SECONDS = 0.1


def show_or_start(place: Place, wanted: WantedRun, *, as_json: bool, quiet: bool) -> int:
    """Print what would run, or start it there, and return the exit code.

    Raises:
        TorchtuiError: it cannot be started there, or was not prepared.
    """
    host = place.host
    if place.only_shown:
        _show(host, as_json=as_json)
        return 0
    if reason := host.unavailable():
        raise DependencyError(f"--run-in {host.host_name}: {reason}")
    check_compatible(wanted.config)
    for program in programs_of(wanted.config, wanted.run):
        check(program)
    if host.HERE:
        put_results_back()
        return host.execute(_typed())
    started = host.start(wanted)
    if host.AT_ONCE and (reason := _failure(started)):
        raise RunError(f"the run was not started on --run-in {host.host_name}: {reason}")
    _tell(host, started, as_json=as_json, quiet=quiet)
    return 0


def _typed() -> list[str]:
    """Return the headless command that was typed, without where it was asked to run."""
    words = without_place(sys.argv[1:])
    return [TUI, *words] if "--no-ui" in words else [TUI, *words, "--no-ui"]


def _show(host: Host, *, as_json: bool) -> None:
    command, script = shlex.join(host.command(_typed())), host.script(_typed())
    if as_json:
        print_document(CommandDocument(run_in=host.host_name, command=command, script=script))
    else:
        print(script.rstrip("\n") or command)


def _failure(started: Started) -> str:
    """Wait until training has started, and return why it did not; empty once it trains, or after Ctrl-C."""
    host = started.host
    try:
        while True:
            events = host.drain()
            if host.error is not None:
                return str(host.error)
            ended = next((event for event in events if isinstance(event, RunFinished)), None)
            if ended is not None and has_failed(ended.status):
                return ended.error
            if not host.note:
                return ""
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:  # it trains on: that is what was asked for
        return ""


def _tell(host: Host, started: Started, *, as_json: bool, quiet: bool) -> None:
    run = started.host.run
    assert run is not None
    if as_json:
        print_document(
            ElsewhereDocument(
                run=run.id, folder=str(run.path.resolve()), run_in=host.host_name, message=started.message
            )
        )
    elif not quiet:
        where = runs_option(run.path.parent)
        print(clean(started.message))
        print(clean(f"follow  {shlex.join(['tui', 'watch', run.id, *where])}"))
        stop = started.stop or ("tui", "stop", run.id, *where)
        print(clean(f"stop    {shlex.join(stop)}"))
