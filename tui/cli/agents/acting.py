"""Tools that start and stop work. Each takes its minutes and runs off the budget first, and carries them with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.counting import counted
from core.data.dataset import no_progress
from core.errors import InputError, RunError
from core.runs.agents.grants import Grant, give_back, grants_of, take
from core.runs.agents.guard import environment_of, variables_of_waiting
from core.runs.creating import create_run
from core.runs.folder import Run, find_run
from core.runs.labels import AGENT, checked_name, write_labels
from core.runs.origin.environment import write_environment
from core.runs.origin.together import start_of
from core.runs.requests import send
from core.session.repeats import Repeats
from core.tuning.search.auto import AUTO, Method
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan, make_plan
from core.tuning.search.ranges import parse_assignment
from tui.cli.agents.agent import Agent
from tui.cli.agents.bounds import config_of, ensure_agreed, ensure_here, ensure_unlocked, reference_of
from tui.forms.flags import SHORT_NAMES
from tui.headless.documents.acting import RequestDocument
from tui.headless.documents.agents import StartedDocument, started_document
from tui.runtime.hosts.host import WantedRun
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.user_queue.adding import add_runs
from tui.runtime.user_queue.runs import leave_queue
from tui.runtime.user_queue.store import read_lineup

__all__ = ["resume_run", "start_run", "stop", "tune"]

Settings = Annotated[
    Mapping[str, Any],
    Field(
        description="Values by path, such as {'data': 'iris', 'lr': 0.01, 'epochs': 20, 'model.hidden': [64, 32]}; "
        "list_choices tells the paths of each section. What is left out has its default."
    ),
]
Like = Annotated[str, Field(description="A run whose settings to start from; empty for the defaults.")]
Minutes = Annotated[
    float | None,
    Field(
        gt=0,
        description="After which it has ended, saved; at most what is left. By default 10, or half of what is left.",
    ),
]
Why = Annotated[str, Field(max_length=300, description="What it is for, in a line: the user reads it.")]
Name = Annotated[str, Field(description="What to call it, shown wherever it is listed.")]


def start_run(
    agent: Agent,
    settings: Settings = {},  # noqa: B006  # never changed
    like: Like = "",
    name: Name = "",
    seeds: Annotated[
        int, Field(ge=1, le=100, description="Train so many runs, with seeds that count up.")
    ] = 1,
    folds: Annotated[
        int, Field(ge=0, le=100, description="Cross-validate: train a run for each of so many folds.")
    ] = 0,
    minutes: Minutes = None,
    why: Why = "",
) -> StartedDocument:
    """Start training in the background and return at once; show_run waits for the end.

    The run is evaluated on validation, never on test. Several seeds or folds are trained one after the other, in the
    queue of the user, and each counts as a run. When its minutes are over it saves a checkpoint and stops; set
    max_minutes among the settings for it to end before that with an evaluation.
    """
    if seeds > 1 and folds:
        raise InputError("seeds and folds exclude each other", "Give one of them")
    name = checked_name(name)
    config = config_of(_base(agent, like), settings, agent.place)
    configs = [config]
    if seeds > 1 or folds:
        repeats = Repeats("fold", folds) if folds else Repeats("seed", seeds, config.training.seed)
        configs = [repeats.config(config, number) for number in repeats.numbers]
    with _granted(agent, minutes, len(configs), "start_run") as grant:
        together = start_of(()) if len(configs) > 1 else ""
        runs = [_created(agent, one, name, together) for one in configs]
        notes = _launch(agent, runs, grant)
    return started_document(agent.session, grant, runs=[run.id for run in runs], notes=notes)


def resume_run(
    agent: Agent,
    run: Annotated[
        str, Field(description="A run that an agent started and that was stopped or interrupted.")
    ],
    minutes: Minutes = None,
    why: Why = "",
) -> StartedDocument:
    """Resume a run that was stopped before its end, from its last checkpoint, in the background. It counts as a run."""
    found = _own_run(agent, run)
    ensure_agreed(found.config(), found)
    with _granted(agent, minutes, 1, "resume_run") as grant:
        _launch(agent, [found], grant)
    return started_document(agent.session, grant, runs=[found.id])


def tune(
    agent: Agent,
    search: Annotated[
        list[str],
        Field(
            description="Ranges as of `tui tune -p`: lr=log:1e-4..1, batch_size=16..256:16, model.hidden=64,128."
        ),
    ] = [],  # noqa: B006  # never changed
    settings: Settings = {},  # noqa: B006  # never changed
    like: Like = "",
    trials: Annotated[int, Field(ge=1, le=10_000, description="Each counts as a run.")] = 10,
    method: Annotated[Method | Literal["auto"], Field(description="How to search.")] = AUTO,
    metric: Annotated[
        str, Field(description="Of validation, such as accuracy or loss; auto picks one.")
    ] = "auto",
    name: Name = "",
    minutes: Minutes = None,
    why: Why = "",
) -> StartedDocument:
    """Search for good hyper-parameters in the background and return at once; show_study tells how far it is.

    Trials are judged on validation alone. When the minutes are over its trials are saved and no more start.
    """
    from core.tuning.executors.where import Where
    from core.tuning.starting import start_study
    from tui.runtime.study_process import launch

    name = checked_name(name)
    plan = _plan(agent, search, settings, like, trials=trials, method=method, metric=metric)
    with _granted(agent, minutes, plan.trials or trials, "tune") as grant:
        study, notes = start_study(
            agent.place.runs_dir,
            plan,
            None,
            StudyChanges(),
            data_root=agent.place.data_root,
            progress=no_progress,
        )
        write_labels(study.folder.path, name=name, tags=[_tag(agent)])
        agent.started.append(study.name)
        grant.started([study.name])
        launch(
            study.folder,
            Where(1, None, "local", None, 0),
            agent.place.data_root,
            environment=environment_of(grant),
        )
    return started_document(agent.session, grant, runs=[], study=study.name, notes=notes)


def stop(
    agent: Agent,
    target: Annotated[
        str, Field(description="The id of a run, or the name of a study, that an agent started.")
    ],
    why: Why = "",
) -> RequestDocument:
    """Ask a run or a study that an agent started to save and stop; it can be resumed."""
    from core.tuning.study.folder import find_study

    reference = reference_of(target, agent.place)
    try:
        run = _own_run(agent, reference)
    except RunError as error:
        names = {name for grant in grants_of(agent.session) for name in grant.targets}
        try:
            study = find_study(agent.place.runs_dir, reference)
        except RunError:
            raise error from None
        if study.name not in names:
            raise _not_own(study.name) from None
        from core.tuning.study.study import open_study
        from tui.runtime import study_process

        study_process.stop(open_study(agent.place.runs_dir, study.name))
        agent.started.append(study.name)
        return RequestDocument(request="stop", to=study.name)
    if not leave_queue(run):
        send(run, "stop")
    agent.started.append(run.id)
    return RequestDocument(request="stop", to=run.id)


def _base(agent: Agent, like: str) -> dict[str, Any]:
    """Return the settings to start from."""
    if not like:
        return {}
    return configuration.to_given(find_run(agent.place.runs_dir, reference_of(like, agent.place)).config())


def _plan(agent: Agent, search: Sequence[str], settings: Mapping[str, Any], like: str, **given: Any) -> Plan:
    """Return the plan of a study within the bounds of agents."""
    domains = {SHORT_NAMES.get(path, path): domain for path, domain in map(parse_assignment, search)}
    for path, domain in domains.items():
        ensure_unlocked(path)
        ensure_here(domain, agent.place)
    ensure_here(given["metric"], agent.place)
    plan = make_plan(config_of(_base(agent, like), settings, agent.place), domains, **given)
    ensure_agreed(plan.space.base, also=[*domains.values(), given["metric"]])
    return plan


@contextmanager
def _granted(agent: Agent, minutes: float | None, runs: int, tool: str) -> Iterator[Grant]:
    """Context manager with a part of the budget, which goes back if nothing is started with it."""
    grant = take(agent.session, minutes, runs, client=agent.client, tool=tool)
    try:
        yield grant
    except BaseException:
        if not agent.started:
            give_back(grant)
        raise


def _created(agent: Agent, config: TrainConfig, name: str, together: str) -> Run:
    """Return a new run that carries the mark of agents from its first moment on."""

    def document(run: Run) -> None:
        write_environment(run, together)
        write_labels(run.path, name=name, tags=[_tag(agent)])

    return create_run(agent.place.runs_dir, config, document)


def _launch(agent: Agent, runs: Sequence[Run], grant: Grant) -> list[str]:
    """Train runs in the background: one, or several in turn in the queue of the user; return what there is to know."""
    names = [run.id for run in runs]
    grant.started(names)
    agent.started.extend(names)
    place = agent.place
    if len(runs) == 1:
        launch_in_background(runs[0], place.data_root, environment_of(grant))
        return []
    wanted = [WantedRun(run.config(), place.runs_dir, place.data_root, run=run) for run in runs]
    entries = add_runs(wanted, in_turn=True, variables=lambda run: variables_of_waiting(grant, run.id))
    lineup = read_lineup()
    ahead = [entry for entry in lineup.of("running", "waiting") if entry.id < entries[0].id]
    notes = [f"they are entries {entries[0].id} to {entries[-1].id} of the user's queue, one after the other"]
    if lineup.paused or ahead:
        why = "which is paused" if lineup.paused else f"behind {counted(len(ahead), 'other')}"
        notes.append(f"they wait in the queue, {why}; their minutes pass meanwhile")
    return notes


def _own_run(agent: Agent, reference: str) -> Run:
    """Return a run that an agent of this session started.

    Raises:
        RunError: there is none, or it is another one.
    """
    run = find_run(agent.place.runs_dir, reference_of(reference, agent.place))
    if not any(run.id in grant.targets for grant in grants_of(agent.session)):
        raise _not_own(run.id)
    return run


def _not_own(name: str) -> RunError:
    return RunError(f"{name} was not started by an agent of this session", "Leave it to the user")


def _tag(agent: Agent) -> str:
    """Return the tag that marks what agents start, with the name of their program."""
    return f"{AGENT}{re.sub(r'[^A-Za-z0-9._-]+', '-', agent.client)[:30] or 'unknown'}"
