"""Cross-validation without screens: the runs of all folds one after the other, then their metrics in one table."""

import json
import signal
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.table import Table
from rich.text import Text

from core.config.schema import TrainConfig
from core.errors import InputError
from core.events import VERSION, Event
from core.runs.folder import Run
from core.runs.summary import RunSummary, summarise
from core.session.folds import Spread, fold_config, fold_metrics, runs_of_folds, spread
from core.torchrun import is_launched
from tui.forms.command_line import resume_command
from tui.headless import train as headless
from tui.headless.report import report_console
from tui.headless.train_views import View, choose_view
from tui.runtime.streams import print_result
from tui.terminal.text import clean, number

__all__ = ["cross_validate"]

MAX_COLUMNS = 10
"""Maximum number of folds whose values are shown beside mean and deviation."""


def cross_validate(
    config: TrainConfig,
    folds: int,
    run: Run | None,
    *,
    runs_dir: Path,
    data_root: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Train a run for each fold, print the spread of their metrics, and return the exit code.

    Args:
        run: any fold of an earlier cross-validation to resume; completed folds are not trained again.

    Raises:
        TorchtuiError: the configuration does not fit; no run was started.
    """
    if is_launched():
        raise InputError(
            "--folds trains in a single process, but torchrun started several",
            "Leave out torchrun, or train one fold with: --set data.folds=5 --set data.fold=1",
        )
    known = _begun(config, folds, run) if run is not None else {}
    done: list[RunSummary] = []
    received: list[int] = []
    train = partial(headless.train, runs_dir=runs_dir, data_root=data_root, received=received)
    code = 0
    for fold in range(1, folds + 1):
        summary = summarise(known[fold]) if fold in known else None
        if summary is None or summary.status != "completed":
            plain = choose_view(as_json=as_json, quiet=quiet)
            view = _OneFold(plain, "" if as_json or quiet else f"fold {fold} of {folds}")
            asked = fold_config(config, fold, folds)
            try:
                code = max(code, train(asked, known.get(fold), view=view))
            except KeyboardInterrupt:  # pressed while the fold is being prepared, or twice
                received.append(signal.SIGINT)
            summary = summarise(view.run) if view.run else None
        if summary is not None:
            done.append(summary)
        if received or summary is None or summary.status == "stopped":
            break
    if not done:
        raise KeyboardInterrupt
    if received and len(done) < folds:
        code = 128 + received[0]
    if as_json:
        print_result(json.dumps(_event(done, folds)))
    elif not quiet:
        _print(done, folds)
    return code


def _begun(config: TrainConfig, folds: int, run: Run) -> dict[int, Run]:
    """The runs of an earlier cross-validation."""
    if config.data.folds != folds:
        had = f"{config.data.folds} folds" if config.data.folds else "no folds"
        raise InputError(f"--folds: got {folds}, {run.id} was started with {had}", "Give the same number")
    if config != run.config():
        raise InputError(
            "--folds with --resume keeps the configuration of the runs",
            "To change settings, start a new cross-validation",
        )
    return runs_of_folds(config, folds, run.path.parent)


def _spread_of(done: list[RunSummary]) -> dict[str, Spread]:
    return spread([fold_metrics(summary) for summary in done if summary.status == "completed"])


def _event(done: list[RunSummary], folds: int) -> dict[str, object]:
    complete = [summary for summary in done if summary.status == "completed"]
    others = [summary.status for summary in done if summary.status != "completed"]
    return {
        "v": VERSION,
        "event": "folds_finished",
        "time": time.time(),
        "status": "completed" if len(complete) == folds else others[-1] if others else "stopped",
        "folds": folds,
        "completed": len(complete),
        "metrics": {name: asdict(values) for name, values in _spread_of(done).items()},
        "runs": [summary.run.id for summary in done],
    }


def _print(done: list[RunSummary], folds: int) -> None:
    """Print the table, the runs, and how to resume if folds are missing."""
    console = report_console()
    complete = [summary for summary in done if summary.status == "completed"]
    metrics = _spread_of(done)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("validation")
    shown = [str(summary.config["data"]["fold"]) for summary in complete] if folds <= MAX_COLUMNS else []
    for name in ("mean", "deviation", *(f"fold {fold}" for fold in shown)):
        table.add_column(name, justify="right")
    for name, values in metrics.items():
        numbers = (values.mean, values.deviation, *(values.values if shown else ()))
        table.add_row(clean(name), *(number(value) for value in numbers))
    console.print(Text(f"\n{len(complete)} of {folds} folds are complete", "bold"))
    if complete:
        console.print(table)
    for summary in done:
        fold = summary.config.get("data", {}).get("fold", "?")
        line = f"fold {fold}  {summary.status}  {clean(str(summary.run.path))}"
        console.print(Text(line), soft_wrap=True)
    if len(complete) < folds:
        console.print(
            Text(f"resume  {resume_command('train', done[-1].run.path)} --folds {folds}"), soft_wrap=True
        )


class _OneFold:
    """View of one fold's run, with a title in place of the results."""

    def __init__(self, view: View, title: str) -> None:
        self.view, self.title = view, title
        self.run: Run | None = None

    def begin(self, run: Run) -> None:
        self.run = run
        if self.title:
            print(f"{self.title}: {clean(run.id)}", flush=True)
        self.view.begin(run)

    def show(self, event: Event) -> None:
        self.view.show(event)

    def preparing(self, what: str, done: int, total: int) -> None:
        self.view.preparing(what, done, total)

    def close(self) -> None:
        self.view.close()

    def finish(self, run: Run) -> None: ...
