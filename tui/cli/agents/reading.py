"""Tools that read: lists, one run, curves, comparisons, choices, the session. None shows test numbers."""

import time
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.config.schema import FAMILIES
from core.errors import InputError
from core.options import choices
from core.palette import MAX_MEMBERS, MAX_RUNS
from core.runs.folder import Run, all_runs, find_run
from core.runs.problems import problems
from core.runs.query.language import parse
from core.runs.summary import RunSummary, summarise
from core.status import is_active
from tui.cli.agents.agent import Agent
from tui.cli.agents.bounds import is_of_test, reference_of, without_test
from tui.cli.run_arguments import refresh_logs
from tui.headless.documents.agents import HistoryDocument, SessionDocument, session_document
from tui.headless.documents.comparing import ComparisonDocument, comparison_document
from tui.headless.documents.looking_up import ChoicesDocument, choices_document
from tui.headless.documents.runs import (
    RunDocument,
    RunsDocument,
    StudyDocument,
    run_document,
    runs_document,
    study_document,
)
from tui.runtime.user_queue.runs import as_queued, waiting_runs

__all__ = ["compare_runs", "list_choices", "list_runs", "metric_history", "session", "show_run", "show_study"]

RunName = Annotated[
    str, Field(description="Its id, the beginning or the last letters of one, its name, or latest.")
]
POLL_SECONDS = 0.25


def list_runs(
    agent: Agent,
    filter: Annotated[
        str,
        Field(
            description="Runs that match, as in: status=completed accuracy>0.9 lr<=0.01 data:iris age<1d tag:agent"
        ),
    ] = "",
    limit: Annotated[int, Field(ge=1, le=1000, description="At most so many, the newest first.")] = 20,
    settings: Annotated[
        bool, Field(description="Also give all settings of each; show_run does for one.")
    ] = False,
) -> RunsDocument:
    """List runs, the newest first, with their validation metrics at the best epoch."""
    query, where = parse(filter), agent.place.runs_dir
    refresh_logs(where)
    found: list[RunSummary] = []
    waiting = waiting_runs()
    for run in all_runs(where):
        summary = without_test(as_queued(summarise(run), waiting))
        if query.matches(summary):
            found.append(summary if settings else replace(summary, config=_named(summary)))
        if len(found) == limit:
            break
    return runs_document(found)


def _named(summary: RunSummary) -> dict[str, dict[str, Any]]:
    """Return the settings that say which data and which model a run has, and nothing else."""
    kept = {"name", "path", "log"}
    parts = {section: summary.config.get(section, {}) for section in ("data", "model", "script")}
    return {
        section: {key: fields[key] for key in kept & {*fields}} for section, fields in parts.items() if fields
    }


def show_run(
    agent: Agent,
    run: RunName,
    wait_seconds: Annotated[
        float, Field(ge=0, le=50, description="Wait at most so long for the run to end.")
    ] = 0,
) -> RunDocument:
    """Show one run: its status, epochs, validation metrics, settings, what went wrong, and which files are damaged."""
    found, until = _run(agent, run), time.monotonic() + wait_seconds
    while (
        is_active((summary := as_queued(summarise(found), waiting_runs())).status)
        and time.monotonic() < until
    ):
        time.sleep(POLL_SECONDS)
    return run_document(without_test(summary), problems(found))


def metric_history(
    agent: Agent,
    run: RunName,
    names: Annotated[
        list[str],
        Field(
            max_length=50,
            description="Curves such as 'validation loss'; none gives those of validation and train.",
        ),
    ] = [],  # noqa: B006  # pydantic copies it
    axis: Annotated[
        Literal["epoch", "step", "time"], Field(description="What the points are counted in.")
    ] = "epoch",
    points: Annotated[int, Field(ge=2, le=2000, description="At most so many of each curve.")] = 50,
) -> HistoryDocument:
    """Give the curves of a run as numbers: losses, metrics, learning rate by epoch, step or seconds of training."""
    from core.runs.comparison.curves import curve, curve_names
    from core.runs.comparison.entries import EntryReader

    entry = EntryReader(_run(agent, run)).read()
    known = [name for name in curve_names([entry]) if not is_of_test(name)]
    for name in names:
        if name not in known:
            raise InputError(
                f"names: no curve '{name}'", f"There is {', '.join(known) or 'none in this run yet'}"
            )
    usual = [name for name in known if name.startswith(("validation ", "train ")) and "by step" not in name]
    curves, thinned = {}, False
    for name in names or usual or known:
        x, y = curve(entry, name, axis)
        kept = np.unique(np.linspace(0, len(x) - 1, min(points, len(x))).round().astype(int))
        thinned |= len(kept) < len(x)
        curves[name] = {"x": x[kept].round(6).tolist(), "y": [float(f"{value:.6g}") for value in y[kept]]}
    return HistoryDocument(
        run=entry.run.id, status=entry.summary.status, axis=axis, names=known, curves=curves, thinned=thinned
    )


def compare_runs(
    agent: Agent,
    runs: Annotated[list[RunName], Field(min_length=2, max_length=MAX_MEMBERS)],
    each: Annotated[
        bool, Field(description="Compare each run, also those that differ in their seed alone.")
    ] = False,
) -> ComparisonDocument:
    """Compare runs on validation: metrics with 95 % intervals, which differences chance explains, settings that differ.

    Runs that differ in their seed alone count as one: mean and standard deviation.
    """
    from core.runs.comparison.entries import EntryReader
    from core.runs.comparison.groups import grouped

    found = list(dict.fromkeys(_run(agent, run) for run in runs))
    if len(found) < 2:
        raise InputError("a comparison takes two or more different runs, got 1", "Name another one")
    groups = grouped([EntryReader(run).read() for run in found], apart=found if each else ())
    if len(groups) > MAX_RUNS:
        raise InputError(f"a comparison takes at most {MAX_RUNS} runs, got {len(groups)}", "Name fewer runs")
    return comparison_document(groups, "validation")


def show_study(
    agent: Agent,
    study: Annotated[str, Field(description="Its name, the beginning or the last letters of it, or latest.")],
    wait_seconds: Annotated[
        float, Field(ge=0, le=50, description="Wait at most so long for its trials to end.")
    ] = 0,
) -> StudyDocument:
    """Show a study: its metric and each trial with its values, state and validation metric."""
    from core.tuning.study.study import open_study
    from tui.runtime.study_process import is_worked_on
    from tui.runtime.study_queue import workers_now

    found, until = (
        open_study(agent.place.runs_dir, reference_of(study, agent.place)),
        time.monotonic() + wait_seconds,
    )
    while is_worked_on(found.folder) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    return study_document(found, workers_now(found.folder))


def list_choices(
    agent: Agent,
    family: Annotated[
        Literal["data", "model", "loss", "optimizer", "schedule"],
        Field(description="Section of the configuration."),
    ],
    name: Annotated[
        str, Field(description="One of them, to get its settings with defaults and meaning.")
    ] = "",
) -> ChoicesDocument:
    """List what can be chosen for a section of the configuration; with a name, all settings of that choice."""
    known = choices(FAMILIES[family])
    if not name:
        found = choices_document(family, known)
        return replace(found, choices=[replace(choice, fields=[]) for choice in found.choices])
    if name not in known:
        raise InputError(f"name: no {family} '{name}'", f"There is {', '.join(known)}")
    return choices_document(family, {name: known[name]})


def session(agent: Agent) -> SessionDocument:
    """Tell what is left of the budget, what still runs, and whether the user has stopped the session."""
    return session_document(agent.session, 20)


def _run(agent: Agent, reference: str) -> Run:
    """Return a run in the folder of runs.

    Raises:
        RunError: there is none, or more than one.
    """
    where = agent.place.runs_dir
    refresh_logs(where)
    return find_run(where, reference_of(reference, agent.place))
