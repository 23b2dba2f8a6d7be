"""`tui runs rename`, `tag` and `note`: what runs and studies are called."""

from typing import Annotated

import typer

from core.runs.folder import default_runs_dir
from core.runs.labels import read_labels, write_labels
from tui.cli.app import RunsOption
from tui.cli.commands.runs.trash import find_folder
from tui.cli.run_arguments import RunArgument
from tui.terminal.text import clean

__all__ = ["note", "rename", "tag"]


def rename(
    context: typer.Context,
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help='What to call it; "" takes the name away.')],
    runs: RunsOption = None,
) -> None:
    """Give a run, or a study, a name. Its folder keeps its own.

    Example: tui runs rename latest "wider network"
    """
    write_labels(find_folder(runs or context.obj or default_runs_dir(), run).path, name=name)


def tag(
    context: typer.Context,
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG ...", help="Tags to add.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="Take a tag away; repeatable.")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Tag a run, or a study; without tags, print those that it has.

    Example: tui runs tag latest baseline paper
    """
    folder = find_folder(runs or context.obj or default_runs_dir(), run).path
    kept = [known for known in read_labels(folder).tags if known not in (remove or ())]
    labels = write_labels(folder, tags=[*kept, *(tags or ())]) if tags or remove else read_labels(folder)
    print(clean(" ".join(labels.tags)))


def note(
    context: typer.Context,
    run: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help='The note; "" removes it. Without it, print the note.'),
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Write a note on a run, or a study.

    Example: tui runs note latest "loss rises after epoch 12"
    """
    folder = find_folder(runs or context.obj or default_runs_dir(), run).path
    if text is not None:
        write_labels(folder, note=text)
        return
    for line in read_labels(folder).note.splitlines():
        print(clean(line))
