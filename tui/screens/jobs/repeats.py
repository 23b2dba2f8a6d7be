"""Jobs that train several runs: one for each fold, or for each seed."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.config.schema import TrainConfig
from core.counting import counted
from core.data.dataset import Progress
from core.errors import InputError
from core.metrics import HEADLINES, in_order, label_of
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.origin.together import one_of, start_of
from core.runs.summary import RunSummary, summarise
from core.session.repeats import RepeatKind, Repeats, Spread, metrics_of, runs_of, seeds_of, spread
from tui.forms.command_line import command_line, place
from tui.forms.option_form import flags_for
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Host, WantedRun
from tui.runtime.queue import Waiting
from tui.runtime.repeats import wanted_repeats
from tui.screens.jobs.job import Answers, Done, Job, Question
from tui.terminal.text import number

__all__ = ["Starting", "outcome", "repeats_job"]

USUAL, MIN_COUNT, MAX_COUNT = 5, 2, 1000
MAX_METRICS = 3
"""Metrics in the sentence that tells how repeats ended."""


@dataclass(frozen=True)
class Starting:
    """How the runs are started.

    Attributes:
        hosts: where they can train, by name; the app among them. usual: the one that is chosen at first.
        enqueue: takes the runs that the app trains one after the other.
        elsewhere: starts them on another host.
    """

    hosts: Mapping[str, Host]
    usual: str
    enqueue: Callable[[list[Waiting]], object]
    elsewhere: Callable[[Host, list[WantedRun], Repeats], object]


def repeats_job(kind: RepeatKind, wanted: WantedRun, starting: Starting) -> Job:
    """Return the job that trains a run for each fold or seed.

    Args:
        wanted: what to train, with its run if it counts as one of them. A name gets the fold or seed behind it.
    """
    config, run, runs_dir = wanted.config, wanted.run, wanted.runs_dir

    def command(answers: Answers) -> str:
        host = starting.hosts[answers["host"]]
        there = [] if isinstance(host, Here) else ["--run-in", host.host_name, *flags_for(host)]
        end = [*there, f"--{kind}s", answers["count"] or "N"]
        if run is not None and kind == "seed":
            return shlex.join(["tui", "train", "--no-ui", "--resume", run.id, *end, *place(runs_dir)])
        whole = config.model_copy(update={"data": config.data.model_copy(update={"folds": 0, "fold": 1})})
        return f"{command_line(whole if kind == 'fold' else config, runs_dir)} {shlex.join(end)}"

    def work(answers: Answers, progress: Progress) -> Done:
        count = _whole(answers["count"], f"{kind}s")
        progress("looking for runs", 0, 0)
        repeats = Repeats("fold", count) if kind == "fold" else Repeats(kind, count, config.training.seed)
        if kind == "seed" and run is not None:
            repeats = seeds_of(run, count)
        known = runs_of(repeats, config, runs_dir, run) if run is not None else {}
        missing, _ = wanted_repeats(wanted, repeats, known)
        if not missing:
            text, _ = outcome(repeats, config, runs_dir, start_of(known.values()))
            return Done(f"{text}: all are trained. 6 compares them")
        host = starting.hosts[answers["host"]]
        if not isinstance(host, Here):
            return Done(host.TITLE, then=lambda: starting.elsewhere(host, missing, repeats))
        items = [_waiting(one, repeats) for one in missing]
        order = ", one after the other" if len(items) > 1 else ""
        told = f"{counted(len(items), 'run')}{order}: {_named(items)}"
        return Done(told, then=lambda: starting.enqueue(items))

    word = "Cross-validate" if kind == "fold" else "Train again with other seeds:"
    of = title_of(run.path) if run is not None else "the form"
    usual = config.data.folds if kind == "fold" and config.data.folds else USUAL
    asked = Question("count", f"{kind}s", str(usual), hint=f"{MIN_COUNT} ... {MAX_COUNT}")
    names = {name: host.TITLE for name, host in starting.hosts.items()}
    there = Question("host", "run in", starting.usual, choices=names)
    return Job(f"{word} {of}", "Start", (asked, there), command, work)


def _waiting(one: WantedRun, repeats: Repeats) -> Waiting:
    label = f"{repeats.kind} {repeats.number(one.config)}"
    return Waiting(one.config, one.name, label, one.run, repeats, one.together)


def outcome(repeats: Repeats, config: TrainConfig, runs_dir: Path, together: str) -> tuple[str, list[Run]]:
    """Return mean and deviation of the headline metrics of validation in one line, and the complete runs.

    Args:
        together: their start, see `core.runs.origin.together`.
    """
    one = one_of(together, runs_dir)
    found = runs_of(repeats, repeats.config(config, repeats.first), runs_dir, one)
    summaries = [summarise(run) for at, run in sorted(found.items()) if at in repeats.numbers]
    complete = [summary for summary in summaries if summary.status == "completed"]
    text = f"{len(complete)} of {repeats.count} {repeats.kind}s"
    return f"{text}: {_spread_text(complete)}" if complete else text, [summary.run for summary in complete]


def _spread_text(complete: list[RunSummary]) -> str:
    spreads = spread([metrics_of(summary) for summary in complete])
    names = [*in_order(spreads, HEADLINES)[: MAX_METRICS - 1], "loss"]
    return "validation " + ", ".join(
        f"{label_of(name)} {_mean_text(spreads[name])}" for name in names if name in spreads
    )


def _mean_text(values: Spread) -> str:
    return (
        number(values.mean)
        if values.deviation is None
        else f"{number(values.mean)} ± {number(values.deviation)}"
    )


def _named(items: list[Waiting]) -> str:
    names = [item.label for item in items]
    return f"{names[0]} to {names[-1].rpartition(' ')[2]}" if len(names) > 1 else names[0]


def _whole(text: str, what: str) -> int:
    if not text.isdecimal() or not MIN_COUNT <= int(text) <= MAX_COUNT:
        raise InputError(f"{what}: got '{text}'", f"Takes a whole number from {MIN_COUNT} to {MAX_COUNT}")
    return int(text)
