"""Cross-validation and repeated seeds without screens: one run after the other, then their metrics in one table."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.errors import InputError, ProcessLost
from core.events import Event
from core.metrics import label_of
from core.runs.folder import Run
from core.runs.origin.together import start_of
from core.runs.summary import RunSummary, summarise
from core.session.repeats import Repeats, Spread, metrics_of, pooled_report, spread
from core.torchrun import is_launched
from tui.forms.command_line import resume_command
from tui.headless import train as headless
from tui.headless.documents.envelope import print_document
from tui.headless.documents.lines import FoldsLine, SeedsLine, spreads
from tui.headless.report import report_console
from tui.headless.train_views import View, choose_view
from tui.runtime.console import print_into
from tui.runtime.held_runs import HeldRun
from tui.runtime.hosts.host import Host, WantedRun
from tui.runtime.repeats import begun, called, to_train
from tui.runtime.user_queue.runs import place_in_queue
from tui.terminal.text import clean, number

__all__ = ["train_repeats"]

STOPPED = 128
"""Exit codes above are those of a signal."""
MAX_COLUMNS = 10
"""Maximum number of runs whose values are shown beside mean and deviation."""


def train_repeats(
    wanted: WantedRun,
    repeats: Repeats,
    *,
    as_json: bool,
    quiet: bool,
    host: Host | None = None,
) -> int:
    """Train a run for each fold or seed, print the spread of their metrics, and return the exit code.

    Args:
        wanted: with any of earlier runs to resume; completed ones are not trained again, nor those that another
            process trains. A name gets the fold or seed behind it.
        host: where each is trained, from this terminal; None for this process.

    Raises:
        TorchtuiError: the configuration does not fit; no run was started.
    """
    if is_launched():
        one = "--set data.folds=5 --set data.fold=1" if repeats.kind == "fold" else "--seed 1"
        raise InputError(
            f"--{repeats.kind}s trains in a single process, but torchrun started several",
            f"Leave out torchrun, or train one {repeats.kind} with: {one}; or let us start them: --processes 2",
        )
    known: dict[int, Run] = {}
    if wanted.run is not None:
        repeats, known = begun(repeats, wanted.config, wanted.run)
    todo = {*to_train(repeats, known)}
    if wanted.run is not None and not place_in_queue(wanted.run):  # this process may hold it already
        todo.add(repeats.number(wanted.config))
    wanted = replace(wanted, together=start_of(known.values()))
    training = _Training(wanted, repeats, host, as_json, quiet)
    done: list[RunSummary] = []
    with training.holding({at: run for at, run in known.items() if at in todo and run != wanted.run}):
        for at in repeats.numbers:
            run = known.get(at)
            if run is None or (at in todo and summarise(run).status != "completed"):
                run = training.train(at, run)
            summary = summarise(run) if run is not None else None
            if summary is not None:
                done.append(summary)
            if training.received or summary is None or (at in todo and summary.status == "stopped"):
                break
    if not done:
        raise KeyboardInterrupt
    code = training.code
    if training.received and len(done) < repeats.count:
        code = 128 + training.received[0]
    if as_json:
        print_document(_line(done, repeats))
    elif not quiet:
        _print(done, repeats, host)
    return code


class _Training:
    """Trains one fold or seed after the other.

    Attributes:
        code: the highest exit code so far. received: signals that ask to stop.
    """

    def __init__(
        self, wanted: WantedRun, repeats: Repeats, host: Host | None, as_json: bool, quiet: bool
    ) -> None:
        self.wanted, self.repeats, self.host = wanted, repeats, host
        self.as_json, self.quiet = as_json, quiet
        self.code = 0
        self.received: list[int] = []
        self._held: dict[int, HeldRun] = {}
        self._console = wanted.run.console_file if wanted.run is not None else None

    @contextmanager
    def holding(self, runs: Mapping[int, Run]) -> Iterator[None]:
        """Context manager in which nothing else trains the runs that wait for their turn."""
        with ExitStack() as stack:
            self._held = {at: stack.enter_context(HeldRun(run)) for at, run in runs.items()}
            yield

    def train(self, at: int, run: Run | None) -> Run | None:
        """Train the run of a fold or seed, and return it; None where it got no folder."""
        view = _OneRun(choose_view(as_json=self.as_json, quiet=self.quiet), self._title(at))
        config = self.repeats.config(self.wanted.config, at)
        name = called(self.wanted.name, self.repeats, at)
        wanted = replace(self.wanted, config=config, name=name, run=run)
        if run is not None:
            if self._console is not None:  # of a background process, which the run before prints into
                print_into(run.console_file, self._console)
                self._console = run.console_file
            if at in self._held:
                self._held[at].hand_over()
        try:
            code = self._here(wanted, view) if self.host is None else self._on(self.host, wanted, view)
            self.code = max(self.code, code)
        except KeyboardInterrupt:  # pressed while the run is being prepared, or twice
            self.received.append(signal.SIGINT)
        return view.run

    def _here(self, wanted: WantedRun, view: "_OneRun") -> int:
        return headless.train(
            wanted.config,
            wanted.run,
            runs_dir=wanted.runs_dir,
            data_root=wanted.data_root,
            view=view,
            name=wanted.name,
            together=wanted.together,
            received=self.received,
        )

    def _on(self, host: Host, wanted: WantedRun, view: "_OneRun") -> int:
        """Train in processes that a host starts from this terminal."""
        run = wanted.folder()
        view.announce(run)
        words = wanted.resume_words(run)
        words += ["--json"] if self.as_json else ["--quiet"] if self.quiet else []
        try:
            code = host.execute(words)
        except ProcessLost as lost:  # the others can be trained all the same
            print(f"error: {clean(str(lost))}", file=sys.stderr, flush=True)
            return lost.exit_code
        if code > STOPPED:
            self.received.append(code - STOPPED)
        return code

    def _title(self, at: int) -> str:
        if self.as_json or self.quiet:
            return ""
        kind, count = self.repeats.kind, self.repeats.count
        place = f"{at}, {at - self.repeats.first + 1}" if kind == "seed" else str(at)
        return f"{kind} {place} of {count}"


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


def _print(done: list[RunSummary], repeats: Repeats, host: Host | None) -> None:
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
        where = host.command([]) if host is not None else ()
        command = f"{resume_command('train', done[-1].run.path, where)} --{kind}s {repeats.count}"
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

    def announce(self, run: Run) -> None:
        """Print which run it is."""
        self.run = run
        if self.title:
            print(f"{self.title}: {clean(run.id)}", flush=True)

    def begin(self, run: Run) -> None:
        self.announce(run)
        self.view.begin(run)

    def show(self, event: Event) -> None:
        self.view.show(event)

    def preparing(self, what: str, done: int, total: int) -> None:
        self.view.preparing(what, done, total)

    def close(self) -> None:
        self.view.close()

    def finish(self, run: Run) -> None: ...
