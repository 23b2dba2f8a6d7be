"""`tui runs rename`, `tag` and `note`: what runs and studies are called."""

from typing import Annotated

import typer

from core.runs.folder import Run, default_runs_dir
from core.runs.labels import RunLabels, read_labels, write_labels
from tui.cli.app import RunsOption
from tui.cli.commands.runs.trash import find_folder
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument
from tui.headless.documents.envelope import print_document
from tui.headless.documents.runs import labels_document
from tui.terminal.text import clean

__all__ = ["note", "rename", "tag"]


def rename(
    context: typer.Context,
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help='What to call it; "" takes the name away.')],
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Give a run, or a study, a name. Its folder keeps its own.

    Example: tui runs rename latest "wider network"
    """
    found = find_folder(runs or context.obj or default_runs_dir(), run)
    _report(found, write_labels(found.path, name=name), as_json, "")


def tag(
    context: typer.Context,
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG ...", help="Tags to add.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="Take a tag away; repeatable.")
    ] = None,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Tag a run, or a study; without tags, print those that it has.

    Example: tui runs tag latest baseline paper
    """
    found = find_folder(runs or context.obj or default_runs_dir(), run)
    labels = read_labels(found.path)
    if tags or remove:
        kept = [known for known in labels.tags if known not in (remove or ())]
        labels = write_labels(found.path, tags=[*kept, *(tags or ())])
    _report(found, labels, as_json, " ".join(labels.tags) + "\n")


def note(
    context: typer.Context,
    run: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help='The note; "" removes it. Without it, print the note.'),
    ] = None,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Write a note on a run, or a study.

    Example: tui runs note latest "loss rises after epoch 12"
    """
    found = find_folder(runs or context.obj or default_runs_dir(), run)
    if text is not None:
        _report(found, write_labels(found.path, note=text), as_json, "")
    else:
        labels = read_labels(found.path)
        _report(found, labels, as_json, labels.note)


def _report(run: Run, labels: RunLabels, as_json: bool, text: str) -> None:
    """Print all labels as JSON, or else a text."""
    if as_json:
        print_document(labels_document(run, labels))
        return
    for line in text.splitlines():
        print(clean(line))
