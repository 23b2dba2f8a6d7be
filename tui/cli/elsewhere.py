"""`tui train` in another process, or as a job; or only a look at what would run."""

import shlex
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from core.config.checks import check_compatible
from core.errors import DependencyError, RunError
from core.events import RunFinished
from core.runs.code import programs_of
from core.runs.folder import Run
from core.runs.lock import hold
from core.status import has_failed
from core.user_code.trust import check
from tui.cli.host_options import Place, without_place
from tui.forms.command_line import place as runs_option
from tui.forms.command_line import train_words
from tui.headless.documents.acting import CommandDocument, ElsewhereDocument
from tui.headless.documents.envelope import print_document
from tui.runtime.hosts.host import TUI, Host, Started, WantedRun
from tui.runtime.streams import put_results_back
from tui.terminal.text import clean

if TYPE_CHECKING:
    from core.session.repeats import Repeats

__all__ = ["show_or_start"]

POLL_SECONDS = 0.1


def show_or_start(
    place: Place, wanted: WantedRun, repeats: "Repeats | None" = None, *, as_json: bool, quiet: bool
) -> int:
    """Print what would run, or start it there, and return the exit code.

    Args:
        repeats: which a run is trained for each of; None for one run.

    Raises:
        TorchtuiError: it cannot be started there, or was not prepared.
    """
    host = place.host
    if place.only_shown:
        _show(host, wanted, repeats, as_json=as_json)
        return 0
    if reason := host.unavailable():
        raise DependencyError(f"--run-in {host.host_name}: {reason}")
    check_compatible(repeats.config(wanted.config, repeats.first) if repeats else wanted.config)
    for program in programs_of(wanted.config, wanted.run):
        check(program)
    if repeats is not None:
        return _start_all(host, wanted, repeats, as_json=as_json, quiet=quiet)
    wanted = _returned(wanted)
    if host.HERE:
        put_results_back()
        return host.execute(_typed("--checkpoint"))
    started = host.start(wanted)
    _ensure_started(host, started)
    _tell(host, started, as_json=as_json, quiet=quiet)
    return 0


def _start_all(host: Host, wanted: WantedRun, repeats: "Repeats", *, as_json: bool, quiet: bool) -> int:
    """Start a run for each fold or seed; where all are trained, print their table as if they had been now."""
    from tui.headless.repeats import train_repeats
    from tui.runtime.repeats import wanted_repeats, words_of

    if host.HERE:
        put_results_back()
        return train_repeats(wanted, repeats, as_json=as_json, quiet=quiet, host=host)
    missing, repeats = wanted_repeats(wanted, repeats)
    if not missing:
        return train_repeats(wanted, repeats, as_json=as_json, quiet=quiet)
    started = host.start_all(missing, words_of(repeats, wanted.name))
    _ensure_started(host, started)
    _tell(host, started, repeats, as_json=as_json, quiet=quiet)
    return 0


def _returned(wanted: WantedRun) -> WantedRun:
    """Make a checkpoint that was chosen the last one, from which its run goes on wherever and however often it starts.

    Raises:
        TorchtuiError: the run is being trained, or complete; or the checkpoint cannot be read or written.
    """
    run = wanted.run
    if run is None or run.checkpoint == Run(run.path).checkpoint:
        return wanted
    from core.runs.checkpoints import FolderCheckpoints
    from core.session.resume import resume_state, settle_choice

    with hold(run):
        if state := resume_state(run, wanted.config):
            settle_choice(state, FolderCheckpoints(run, wanted.config.checkpoints))
    return replace(wanted, run=Run(run.path))


def _typed(*without: str) -> list[str]:
    """Return the headless command that was typed, without where it was asked to run, and without further flags."""
    words = without_place(sys.argv[1:], without)
    return [TUI, *words] if "--no-ui" in words else [TUI, *words, "--no-ui"]


def _show(host: Host, wanted: WantedRun, repeats: "Repeats | None", *, as_json: bool) -> None:
    """Print the command or the job script of a run, or those of all folds or seeds."""
    trains = [_typed()]
    if repeats is not None and host.APART:
        from tui.runtime.repeats import wanted_repeats

        missing, repeats = wanted_repeats(wanted, repeats)
        trains = [_words_of(one) for one in missing]
    commands = [shlex.join(host.command(train)) for train in trains]
    scripts = [host.script(train) for train in trains]
    if as_json:
        each = [
            {"command": command, "script": script} for command, script in zip(commands, scripts, strict=True)
        ]
        first = each[0] if each else {"command": "", "script": ""}
        print_document(CommandDocument(run_in=host.host_name, **first, each=each))
    elif not trains:
        print(
            f"nothing is left to train: all {repeats.kind}s are complete or on their way" if repeats else ""
        )
    elif scripts[0]:
        print(scripts[0].rstrip("\n"))
        if len(scripts) > 1:
            print(
                f"one job like this for each {repeats.kind if repeats else ''}, which train:", file=sys.stderr
            )
            print("\n".join(commands), file=sys.stderr)
    else:
        print("\n".join(commands))


def _words_of(wanted: WantedRun) -> list[str]:
    """Return the command that trains one of several."""
    if wanted.run is not None:
        return wanted.resume_words(wanted.run)
    data = ["--data-root", str(wanted.data_root)] if wanted.data_root is not None else []
    return [*train_words(wanted.config, wanted.runs_dir, wanted.name), *data]


def _ensure_started(host: Host, started: Started) -> None:
    """Wait until training has started, where it does so at once.

    Raises:
        RunError: it has not.
    """
    if host.AT_ONCE and (reason := _failure(started)):
        raise RunError(f"the run was not started on --run-in {host.host_name}: {reason}")


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


def _tell(
    host: Host, started: Started, repeats: "Repeats | None" = None, *, as_json: bool, quiet: bool
) -> None:
    run = started.host.run
    assert run is not None
    if as_json:
        print_document(
            ElsewhereDocument(
                run=run.id,
                folder=str(run.path.resolve()),
                run_in=host.host_name,
                message=started.message,
                runs=[run.id, *(other.id for other in started.others)],
            )
        )
    elif not quiet:
        where = runs_option(run.path.parent)
        stop = started.stop or ("tui", "stop", run.id, *(("--group",) if repeats else ()), *where)
        lines = {"": started.message, "follow": shlex.join(["tui", "watch", run.id, *where])}
        lines["stop"] = shlex.join(stop)
        if repeats is not None:
            from tui.runtime.repeats import words_of

            again = ["tui", "train", "--no-ui", "--resume", run.id, *words_of(repeats, ""), *where]
            lines["metrics"] = (
                f"{shlex.join(again)}   once all are trained; before, it trains those that are left"
            )
        for label, line in lines.items():
            print(clean(f"{label:<8}{line}" if label else line))
