"""`tui queue`: commands and runs that wait for a free device; or runs one after the other, here."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir, find_run
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.config_options import with_config
from tui.cli.json_option import JsonOption
from tui.cli.lazy import Command, Group, _load
from tui.cli.run_arguments import RUN_HELP, complete_runs
from tui.terminal.text import clean

if TYPE_CHECKING:
    from tui.runtime.user_queue.entries import Lineup

__all__ = ["app"]

TAKEN = ("train", "tune")
"""Commands that can wait."""
HERE = "run"
"""The command that trains runs here, which need not be named."""
NUMBERS = typer.Argument(metavar="ID ...", help="Numbers of entries, as `tui queue` lists them.")
NUMBER = typer.Argument(metavar="ID", help="Number of the entry, as `tui queue` lists it.")


class _Commands(Group):
    """The commands of the queue; runs alone are trained here, one after the other."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values = [place + 1 for place, word in enumerate(args) if word in ("--runs", "--data-root")]
        plain = (word for place, word in enumerate(args) if not word.startswith("-") and place not in values)
        first = next(plain, None)
        if first is not None and first not in self.commands:
            args = [HERE, *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(cls=_Commands, invoke_without_command=True)


@app.callback()
def queue(
    context: typer.Context,
    as_json: JsonOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """List what waits for a free device, what runs, and what has ended; or add, move, remove, stop, pause.

    Example: tui queue add train --data digits --epochs 50
    """
    if context.invoked_subcommand is None:
        from tui.runtime.user_queue.store import read_lineup

        _show(read_lineup(), as_json)
    else:
        context.obj = (runs, data_root)


@app.command(cls=Command, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def add(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND ...", help="A train or tune command, a configuration file, or runs to resume."
        ),
    ],
    gpus: Annotated[
        int | None,
        typer.Option(
            "--gpus",
            min=0,
            max=64,
            help="GPUs that it needs; 0 for none.",
            show_default="1 where there are some",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a command wait for a free device. It is trained without this terminal, also after you log out.

    Examples: tui queue add train --data digits --epochs 50

    tui queue add --gpus 2 tune --data cifar10 --trials 40 --jobs 2

    tui queue add run.yaml
    """
    from tui.runtime.user_queue.adding import add as add_to_queue
    from tui.runtime.user_queue.adding import add_run
    from tui.runtime.user_queue.store import read_lineup

    runs, data_root = context.obj or (None, None)
    first = words[1:] if words[0] == "tui" else words
    if not first:
        raise InputError("nothing to add", "Give a command: tui queue add train --data digits")
    if first[0] in TAKEN or Path(first[0]).suffix in (".yaml", ".yml"):
        command = first if first[0] in TAKEN else ["train", "--config", *first]
        needed = _gpus_of(command) if gpus is None else gpus
        checked, repeated = _checked(command, runs, data_root)
        if repeated:
            _add_each(checked, needed)
        else:
            add_to_queue(checked, _title(command), gpus=needed)
    else:
        from tui.runtime.hosts.host import WantedRun

        where = runs or default_runs_dir()
        for run in [find_run(where, name) for name in first]:
            add_run(WantedRun(run.config(), where, data_root, run=run), gpus)
    _show(read_lineup(), as_json)


@app.command(cls=Command)
def move(
    entry: Annotated[int, NUMBER],
    where: Annotated[Literal["up", "down", "first"], typer.Argument(help="Where to.")],
    as_json: JsonOption = False,
) -> None:
    """Move an entry that waits: up, down, or before all others.

    Example: tui queue move 4 first
    """
    from tui.runtime.user_queue import adding

    _show(adding.move(entry, where), as_json)


@app.command(cls=Command)
def remove(entry: Annotated[list[int], NUMBERS], as_json: JsonOption = False) -> None:
    """Remove entries that wait or have ended; a run that one would resume stays where it is.

    Example: tui queue remove 4 5
    """
    from tui.runtime.user_queue import adding
    from tui.runtime.user_queue.store import read_lineup

    for number in entry:
        adding.remove(number)
    _show(read_lineup(), as_json)


@app.command(cls=Command)
def stop(entry: Annotated[list[int], NUMBERS], as_json: JsonOption = False) -> None:
    """Ask entries that run to save and stop; the next one starts then.

    Example: tui queue stop 3
    """
    from tui.runtime.user_queue import adding
    from tui.runtime.user_queue.store import read_lineup

    for number in entry:
        adding.stop(number)
        if not as_json:
            print(f"asked entry {number} to save and stop")
    _show(read_lineup(), as_json)


@app.command(cls=Command)
def pause(as_json: JsonOption = False) -> None:
    """Start nothing more; what runs goes on.

    Example: tui queue pause
    """
    from tui.runtime.user_queue import adding

    _show(adding.pause(), as_json)


@app.command(cls=Command)
def resume(as_json: JsonOption = False) -> None:
    """Start what waits again: after a pause, or after the machine was restarted.

    Example: tui queue resume
    """
    from tui.runtime.user_queue import adding

    _show(adding.resume(), as_json)


@app.command(cls=Command)
def slots(
    count: Annotated[int, typer.Argument(min=1, max=1024, metavar="N", help="Runs at once.")],
    as_json: JsonOption = False,
) -> None:
    """Set how many entries train on the processor at once; each GPU has one.

    Example: tui queue slots 2
    """
    from tui.runtime.user_queue import adding

    _show(adding.set_slots(count), as_json)


@app.command(cls=Command, hidden=True)
def work() -> None:
    """Start what waits until nothing is left; the queue starts this itself.

    Example: tui queue work
    """
    from tui.runtime.user_queue.work import work as start_what_waits

    start_what_waits()


@app.command(HERE, cls=Command)
def run_here(
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
    """Resume runs one after the other from this terminal; one that fails does not end the others.

    Example: tui queue RUN RUN --after latest
    """
    where = runs or default_runs_dir()
    found = list(dict.fromkeys(find_run(where, name) for name in run))
    first = find_run(where, after) if after is not None else None
    from core.runs.summary import summarise
    from tui.runtime.in_turn import train_in_turn

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


def _add_each(command: list[str], gpus: int | None) -> None:
    """Add an entry for each fold or seed of a command, so that each takes a device as soon as one is free."""
    needed = [] if gpus is None else ["--gpus-needed", str(gpus)]
    train = _load("tui.cli.commands.train:train")
    try:
        train.main(args=[*command[1:], "--run-in", "queue", "--quiet", *needed], standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise


def _checked(command: list[str], runs: Path | None, data_root: Path | None) -> tuple[list[str], bool]:
    """Return a headless command, after its flags and its configuration were found to be right.

    Returns:
        Its words, and whether it trains a run for each of several folds or seeds.

    Raises:
        TorchtuiError, click.UsageError: they are not.
    """
    given = [("--runs", runs), ("--data-root", data_root)]
    more = [text for flag, path in given if path is not None for text in (flag, str(path))]
    name, *flags = command
    words = [*more, *([] if "--no-ui" in flags else ["--no-ui"]), *flags]
    target = {"train": "tui.cli.commands.train:train", "tune": "tui.cli.commands.tuning.tune:app"}[name]
    parsed = _load(target).make_context(name, [*words])
    known = {"config_file", "assignments"}
    values = {key: value for key, value in parsed.params.items() if key in known or key.endswith("_flag")}
    if values["config_file"] is not None:
        values["config_file"] = Path(values["config_file"])
    if not parsed.params["resume"]:
        _check(**values)
    repeated = name == "train" and any(parsed.params[each] is not None for each in ("folds", "seeds"))
    return [name, *words], repeated


@with_config
def _check(values: dict[str, Any]) -> None:
    from core.config import schema as configuration

    configuration.from_dict(values)


def _title(command: list[str]) -> str:
    """Return what lists call a command: the name that it gives, or its words."""
    if "--name" in command[:-1]:
        return command[command.index("--name") + 1]
    return " ".join(word for word in command if word != "--no-ui")


def _gpus_of(command: list[str]) -> int | None:
    """Return 0 for a command that names the processor; None where the queue decides."""
    is_cpu = ("--device", "cpu") in pairwise(command) or {"--device=cpu", "training.device=cpu"} & {*command}
    return 0 if is_cpu else None


def _show(lineup: "Lineup", as_json: bool) -> None:
    from tui.runtime.user_queue.store import worked_on_by

    by = worked_on_by()
    if as_json:
        from tui.headless.documents.acting import queue_document
        from tui.headless.documents.envelope import print_document

        print_document(queue_document(lineup, by))
        return
    from tui.runtime.user_queue.texts import lines_of

    for line in lines_of(lineup, by):
        print(clean(line))
