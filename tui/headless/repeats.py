"""Cross-validation and repeated seeds without screens: one run after the other, then their metrics in one table."""

import signal
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.config.schema import TrainConfig
from core.errors import InputError
from core.events import Event
from core.metrics import label_of
from core.runs.folder import Run
from core.runs.summary import RunSummary, summarise
from core.session.repeats import Repeats, Spread, metrics_of, pooled_report, runs_of, seeds_of, spread
from core.torchrun import is_launched
from tui.forms.command_line import resume_command
from tui.headless import train as headless
from tui.headless.documents.envelope import print_document
from tui.headless.documents.lines import FoldsLine, SeedsLine, spreads
from tui.headless.report import report_console
from tui.headless.train_views import View, choose_view
from tui.terminal.text import clean, number

__all__ = ["train_repeats"]

MAX_COLUMNS = 10
"""Maximum number of runs whose values are shown beside mean and deviation."""


def train_repeats(
    config: TrainConfig,
    repeats: Repeats,
    run: Run | None,
    *,
    runs_dir: Path,
    data_root: Path | None,
    as_json: bool,
    quiet: bool,
    name: str = "",
) -> int:
    """Train a run for each fold or seed, print the spread of their metrics, and return the exit code.

    Args:
        run: any of earlier ones to resume; completed runs are not trained again.
        name: what the user calls them; each gets its fold or seed behind it.

    Raises:
        TorchtuiError: the configuration does not fit; no run was started.
    """
    if is_launched():
        one = "--set data.folds=5 --set data.fold=1" if repeats.kind == "fold" else "--seed 1"
        raise InputError(
            f"--{repeats.kind}s trains in a single process, but torchrun started several",
            f"Leave out torchrun, or train one {repeats.kind} with: {one}",
        )
    known: dict[int, Run] = {}
    if run is not None:
        repeats, known = _begun(config, repeats, run)
    done: list[RunSummary] = []
    received: list[int] = []
    train = partial(headless.train, runs_dir=runs_dir, data_root=data_root, received=received)
    code = 0
    for place, at in enumerate(repeats.numbers, start=1):
        summary = summarise(known[at]) if at in known else None
        if summary is None or summary.status != "completed":
            plain = choose_view(as_json=as_json, quiet=quiet)
            title = f"{repeats.kind} {at}" if repeats.kind == "seed" else f"fold {at} of {repeats.count}"
            if repeats.kind == "seed":
                title += f", {place} of {repeats.count}"
            view = _OneRun(plain, "" if as_json or quiet else title)
            asked = repeats.config(config, at)
            try:
                called = f"{name} {repeats.kind} {at}" if name else ""
                code = max(code, train(asked, known.get(at), view=view, name=called))
            except KeyboardInterrupt:  # pressed while the run is being prepared, or twice
                received.append(signal.SIGINT)
            summary = summarise(view.run) if view.run else None
        if summary is not None:
            done.append(summary)
        if received or summary is None or summary.status == "stopped":
            break
    if not done:
        raise KeyboardInterrupt
    if received and len(done) < repeats.count:
        code = 128 + received[0]
    if as_json:
        print_document(_line(done, repeats))
    elif not quiet:
        _print(done, repeats)
    return code


def _title(repeats: Repeats, number: int, place: int) -> str:
    of = f"of {repeats.count}"
    return f"fold {number} {of}" if repeats.kind == "fold" else f"seed {number}, {place} {of}"


def _begun(config: TrainConfig, repeats: Repeats, run: Run) -> tuple[Repeats, dict[int, Run]]:
    """The earlier runs that one belongs to, by fold or seed."""
    if repeats.kind == "fold" and config.data.folds != repeats.count:
        had = f"{config.data.folds} folds" if config.data.folds else "no folds"
        raise InputError(
            f"--folds: got {repeats.count}, {run.id} was started with {had}", "Give the same number"
        )
    if config != run.config():
        raise InputError(
            f"--{repeats.kind}s with --resume keeps the configuration of the runs",
            "To change settings, start anew",
        )
    runs_dir = run.path.parent
    if repeats.kind == "seed":
        repeats = seeds_of(config, repeats.count, runs_dir)
    return repeats, runs_of(repeats, config, runs_dir)


def _line(done: list[RunSummary], repeats: Repeats) -> FoldsLine | SeedsLine:
    complete = [summary for summary in done if summary.status == "completed"]
    others = [summary.status for summary in done if summary.status != "completed"]
    facts: dict[str, Any] = {
        "status": "completed" if len(complete) == repeats.count else others[-1] if others else "stopped",
        "completed": len(complete),
        "metrics": spreads(_spread_of(complete, "validation")),
        "runs": [summary.run.id for summary in done],
    }
    if repeats.kind == "seed":
        return SeedsLine(**facts, seeds=repeats.count, test=spreads(_spread_of(complete, "test")))
    samples, intervals = pooled_report([summary.run for summary in complete])
    return FoldsLine(**facts, folds=repeats.count, samples=samples, intervals=intervals)


def _spread_of(complete: list[RunSummary], split: str) -> dict[str, Spread]:
    return spread([metrics_of(summary, split) for summary in complete])


def _print(done: list[RunSummary], repeats: Repeats) -> None:
    """Print the tables, the runs, and how to resume if some are missing."""
    console = report_console()
    complete = [summary for summary in done if summary.status == "completed"]
    kind = repeats.kind
    console.print(Text(f"\n{len(complete)} of {repeats.count} {kind}s are complete", "bold"))
    if complete:
        (_print_folds if kind == "fold" else _print_seeds)(complete, repeats, console)
    for summary in done:
        number = summary.config.get("data" if kind == "fold" else "training", {}).get(kind, "?")
        line = f"{kind} {number}  {summary.status}  {clean(str(summary.run.path))}"
        console.print(Text(line), soft_wrap=True)
    if len(complete) < repeats.count:
        command = f"{resume_command('train', done[-1].run.path)} --{kind}s {repeats.count}"
        console.print(Text(f"resume  {command}"), soft_wrap=True)


def _print_folds(complete: list[RunSummary], repeats: Repeats, console: Console) -> None:
    samples, intervals = pooled_report([summary.run for summary in complete])
    console.print(_table("validation", complete, repeats, intervals))
    if samples:
        console.print(
            Text(
                f"rests on {samples} validation samples, each scored by a network that was not trained on it; "
                f"{_chosen_epochs(complete)}",
                "dim",
            ),
            soft_wrap=True,
        )


def _chosen_epochs(complete: list[RunSummary]) -> str:
    """How the epochs were chosen, which is what can make the numbers better than they are."""
    if any(summary.config.get("training", {}).get("patience") for summary in complete):
        return "patience looked at the samples that are scored, so the numbers are a little too good"
    return "the last epoch counts, so that the samples that are scored have chosen nothing"


def _print_seeds(complete: list[RunSummary], repeats: Repeats, console: Console) -> None:
    for split in ("validation", "test"):
        if _spread_of(complete, split):
            console.print(_table(split, complete, repeats, {}))


def _table(
    split: str, complete: list[RunSummary], repeats: Repeats, intervals: Mapping[str, Sequence[float]]
) -> Table:
    """A row for each metric: mean, deviation, the interval where there is one, and the values of a few runs."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(split)
    kind = repeats.kind
    section = "data" if kind == "fold" else "training"
    shown = (
        [str(summary.config[section][kind]) for summary in complete] if repeats.count <= MAX_COLUMNS else []
    )
    spreads = [f"95 % of {kind}s together"] if intervals else []
    for name in ("mean", "deviation", *spreads, *(f"{kind} {one}" for one in shown)):
        table.add_column(name, justify="right")
    for name, values in _spread_of(complete, split).items():
        ends = [" … ".join(map(number, intervals[name])) if name in intervals else ""] if intervals else []
        numbers = (values.mean, values.deviation)
        row = [*map(number, numbers), *ends, *map(number, values.values if shown else ())]
        table.add_row(clean(label_of(name)), *row)
    return table


class _OneRun:
    """View of one of the runs, with a title in place of the results."""

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
