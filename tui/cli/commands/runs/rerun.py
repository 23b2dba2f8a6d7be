"""`tui runs rerun`: a run trained again as it was, and how far the numbers of both are equal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from core.counting import counted
from core.errors import RunError
from core.runs.folder import Run, default_runs_dir, find_run
from core.runs.labels import MAX_NAME, title_of
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import RunArgument
from tui.headless.documents.envelope import print_document
from tui.terminal.text import clean

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.events import Event
    from core.runs.origin.equal import Equality
    from tui.headless.train_views import View

__all__ = ["rerun"]


def rerun(
    context: typer.Context,
    run: RunArgument,
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Train a run again, as a new one, and report whether all numbers are equal; exit code 1 if not.

    Example: tui runs rerun latest
    """
    runs_dir = runs or context.obj or default_runs_dir()
    first = find_run(runs_dir, run)
    config = _as_it_was(first)
    if trust_code:
        from core.runs.code import trust_config

        trust_config(config)
    second, code = _train_again(config, first, runs_dir, data_root, as_json=as_json)
    if second is None or code:
        sys.exit(code or 1)
    from core.runs.origin.equal import compare_results

    equality = compare_results(first, second)
    if as_json:
        from tui.headless.documents.comparing import rerun_document

        print_document(rerun_document(second, first, equality))
    else:
        print(_verdict(equality, first, second))
    sys.exit(0 if equality.is_equal else 1)


def _as_it_was(run: Run) -> "TrainConfig":
    """The configuration of a run, with its own code, and the number of threads that it chose.

    Raises:
        RunError: it was never trained.
    """
    from core.events import RunStarted
    from core.runs.code import from_copies
    from core.runs.log import all_events

    config = from_copies(run.config(), run)
    started = next((event for event in all_events(run.log_file) if isinstance(event, RunStarted)), None)
    if started is None:
        raise RunError(f"{run.id} was never trained", "There is nothing to compare with")
    threads = {"threads": started.threads} if started.threads else {}
    return config.model_copy(update={"training": config.training.model_copy(update=threads)})


class _Remembering:
    """A view that remembers which run it showed.

    Args:
        view: shows it.
    """

    def __init__(self, view: "View") -> None:
        self._view = view
        self.run: Run | None = None

    def begin(self, run: Run) -> None:
        self.run = run
        self._view.begin(run)

    def show(self, event: "Event") -> None:
        self._view.show(event)

    def preparing(self, what: str, done: int, total: int) -> None:
        self._view.preparing(what, done, total)

    def close(self) -> None:
        self._view.close()

    def finish(self, run: Run) -> None:
        self._view.finish(run)


def _train_again(
    config: "TrainConfig", first: Run, runs_dir: Path, data_root: Path | None, *, as_json: bool
) -> tuple[Run | None, int]:
    """Train a new run of a configuration, and return it with the exit code; None if it never started.

    Raises:
        TorchtuiError: the configuration does not fit.
    """
    from tui.headless.train import train
    from tui.headless.train_views import choose_view

    view = _Remembering(choose_view(as_json=False, quiet=as_json))
    name = f"rerun of {title_of(first.path)}"[:MAX_NAME]
    code = train(config, None, runs_dir=runs_dir, data_root=data_root, view=view, name=name)
    return view.run, code


def _verdict(equality: "Equality", first: Run, second: Run) -> str:
    """One line on how far two runs are equal."""
    weights = {True: "and the best weights are", False: "but the best weights are not", None: "are"}
    if equality.differs_at is None:
        equal = (
            f"all {equality.numbers} numbers of {counted(equality.epochs, 'epoch')} "
            f"{weights[equality.weights]} equal"
        )
        return f"{equal}: {first.id} and {second.id}"
    where = f"epoch {equality.differs_at}" if equality.differs_at else "its evaluation"
    return (
        f"not equal, from {where} on: {clean(equality.what)} {equality.first!r} and {equality.second!r}, "
        f"the largest difference {equality.largest:.3g}; see tui runs diff {first.id} {second.id}"
    )
