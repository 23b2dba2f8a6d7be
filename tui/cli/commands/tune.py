"""`tui tune`: search for good hyper-parameters, headless with --no-ui."""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from core.config import schema as configuration
from core.config.yaml_files import read_yaml
from core.errors import InputError, RunError
from core.runs.code import trust_config
from core.runs.folder import default_runs_dir
from core.runs.labels import checked_name
from core.runs.references import LATEST
from core.slurm.settings import SlurmSettings
from core.tuning.executors.where import Where
from core.tuning.search.auto import AUTO
from core.tuning.search.changes import StudyChanges
from core.tuning.search.objectives import COSTS
from core.tuning.search.plan import ExecutorName, Plan, make_plan
from core.tuning.search.points import parse_point
from core.tuning.search.ranges import parse_assignment
from core.user_code.loading import trust_named
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands import studies
from tui.cli.commands.tune_options import (
    DEFAULT_TRIALS,
    Confirm,
    Continue,
    Direction,
    Executor,
    Gpus,
    GpusPerTrial,
    Jobs,
    Keep,
    LearnFrom,
    Limits,
    MaxEpochs,
    Method,
    Metric,
    Patience,
    Pause,
    Processes,
    Pruner,
    Ranges,
    RayAddress,
    Resume,
    Space,
    StartWith,
    Stop,
    Storage,
    Study,
    Timeout,
    TrialMemory,
    Trials,
    Try,
)
from tui.cli.config_options import with_config
from tui.cli.job_options import with_job
from tui.cli.json_option import json_option
from tui.cli.lazy import Command, Group
from tui.cli.run_arguments import NameOption
from tui.forms.durations import parse_duration
from tui.forms.flags import SHORT_NAMES
from tui.headless.documents.acting import RequestDocument
from tui.headless.documents.envelope import print_document

__all__ = ["app"]

app = typer.Typer(cls=Group, invoke_without_command=True)
app.command(cls=Command)(studies.compare)
app.command(cls=Command)(studies.plot)


@app.callback()
@with_config
@with_job
def tune(
    values: dict[str, Any],
    job: SlurmSettings | None,
    context: typer.Context,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Tune headless, without the app.")] = False,
    ranges: Ranges = None,
    space: Space = None,
    method: Method = None,
    pruner: Pruner = None,
    trials: Trials = None,
    timeout: Timeout = None,
    metric: Metric = None,
    where: Limits = None,
    direction: Direction = None,
    keep: Keep = None,
    confirm: Confirm = None,
    patience: Patience = None,
    max_epochs: MaxEpochs = None,
    start_with: StartWith = None,
    learn_from: LearnFrom = None,
    try_values: Try = None,
    study: Study = LATEST,
    jobs: Jobs = None,
    trial_memory: TrialMemory = None,
    executor: Executor = "local",
    ray_address: RayAddress = None,
    gpus_per_trial: GpusPerTrial = None,
    gpus: Gpus = None,
    processes: Processes = None,
    storage: Storage = None,
    resume: Resume = None,
    pause: Pause = None,
    unpause: Continue = None,
    stop: Stop = None,
    name: NameOption = None,
    as_json: Annotated[bool, json_option("Print one JSON object per finished trial.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Search for good hyper-parameters. Trials are judged on validation data only.

    Examples: tui tune --no-ui --data digits --trials 30 -p lr=log:1e-4..1 -p model.hidden=64,128

    tui tune --no-ui --resume latest --jobs 2

    tui tune --pause latest
    """
    if context.invoked_subcommand is not None:
        context.obj = runs
        return None
    runs_dir = runs or default_runs_dir()
    others = {"--pause": pause, "--continue": unpause, "--stop": stop}
    if any(study is not None for study in others.values()):
        return _ask(runs_dir, storage, others, as_json)
    if try_values:
        return _add_trials(runs_dir, storage, study, try_values, as_json)
    if not no_ui:
        raise InputError("`tui tune` works headless", "Use: tui tune --no-ui [options]")
    called = checked_name(name or "")
    search = _search(metric or [], method=method, pruner=pruner, direction=direction, keep=keep, where=where)
    seconds = None if timeout is None else parse_duration("--timeout", timeout)
    domains = _domains(ranges or [], space)
    place = _place(jobs, trial_memory, executor, ray_address, gpus_per_trial, gpus, processes)
    if resume is None:
        if trials is None and method != "grid" and not (timeout or patience or max_epochs):
            trials = DEFAULT_TRIALS
        limits = {"trials": trials, "patience": patience or 0, "max_epochs": max_epochs}
        plan = _plan(values, domains, {"method": AUTO, **search, **limits}, trust_code=trust_code)
    else:
        plan = None
        _ensure_not_given(search, values)
    from tui.headless import tune as headless

    changes = StudyChanges(start_with or (), learn_from or (), trials, patience, max_epochs, domains)
    asked = headless.Asked(
        plan, resume or "", seconds, storage, place, runs_dir, data_root, confirm, changes, called
    )
    if executor == "slurm":
        sys.exit(headless.submit(asked, job or SlurmSettings(), as_json=as_json, quiet=quiet))
    if job is not None:
        raise InputError("settings of a job of Slurm need --executor slurm", "Add --executor slurm")
    sys.exit(headless.tune(asked, as_json=as_json, quiet=quiet))


def _place(
    jobs: int | None,
    trial_memory: float | None,
    executor: ExecutorName,
    ray_address: str | None,
    gpus_per_trial: float | None,
    gpus: str | None,
    processes: int | None,
) -> Where:
    """Return where trials are trained."""
    if executor != "ray" and (ray_address or gpus_per_trial):
        raise InputError("--ray-address and --gpus-per-trial need a Ray cluster", "Add --executor ray")
    if executor != "local" and gpus is not None:
        raise InputError(
            "--gpus names GPUs of this machine, and the cluster chooses its own",
            "Use --gpus-per-trial with Ray, --gpus-per-node with Slurm",
        )
    if executor != "local" and processes is not None:
        raise InputError(
            "--processes starts the processes of each trial on this machine, and the cluster places its own",
            "Use --executor local, or leave --processes out",
        )
    return Where(jobs, trial_memory, executor, ray_address, gpus_per_trial or 0, gpus, processes or 1)


def _search(metrics: list[str], **given: Any) -> dict[str, Any]:
    """Return how to search, as far as it was given; own metrics are trusted, since their files were named."""
    for name in metrics:
        trust_named(name)
    return {key: value for key, value in {**given, **_objectives(metrics)}.items() if value not in (None, [])}


def _objectives(metrics: list[str]) -> dict[str, str]:
    """Return the metric, and the second objective; a cost is the second one wherever it stands.

    Raises:
        InputError: they are not one or two, or none is a metric of validation.
    """
    ordered = sorted(metrics, key=lambda name: name in COSTS)
    if len(ordered) > 2:
        raise InputError(f"--metric takes one or two, got {len(ordered)}", "Leave some out")
    if ordered and ordered[0] in COSTS:
        raise InputError(
            f"--metric: {ordered[0]} alone is not what a network is trained for", "Add one such as accuracy"
        )
    return dict(zip(("metric", "second"), ordered, strict=False))


def _ensure_not_given(*search: object) -> None:
    """Refuse a search beside ``--resume``."""
    if any(search):
        raise InputError(
            "--resume keeps the study's own search",
            "Only ranges, --trials, --timeout, --patience, --max-epochs, --start-with, --learn-from, --confirm and "
            "where it runs can change; for anything else start a new study",
        )


def _ask(runs_dir: Path, storage: str | None, given: Mapping[str, str | None], as_json: bool) -> None:
    """Pause, continue or stop a study in all processes that work on it; `given` holds its name by flag."""
    (flag, reference), *more = ((flag, study) for flag, study in given.items() if study is not None)
    if more:
        raise InputError(f"{flag} and {more[0][0]} cannot be used together", "Give one of them")
    from core.tuning.study.study import open_study
    from tui.runtime import study_process
    from tui.runtime.study_jobs import cancel_waiting
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    waiting = cancel_waiting(study.folder) if flag == "--stop" else 0
    if not (waiting or study.storage_url or study_process.is_worked_on(study.folder)):
        raise RunError(f"no process works on {study.name}", "`tui tune --no-ui --resume STUDY` resumes one")
    asked: dict[str, tuple[Callable[[], None], str]] = {
        "--pause": (study.pause, "is paused"),
        "--continue": (study.go_on, "continues"),
        "--stop": (partial(study_process.stop, study), "was asked to save and stop"),
    }
    act, outcome = asked[flag]
    act()
    if as_json:
        print_document(RequestDocument(request=flag.removeprefix("--"), to=study.name))
    else:
        print(f"{clean(study.name)} {outcome}")


def _plan(
    values: dict[str, Any], domains: dict[str, Any], given: dict[str, Any], *, trust_code: bool
) -> Plan:
    """Return the plan that was asked for, checked before anything heavy is imported."""
    plan = make_plan(configuration.from_dict(values), domains, **given)
    if trust_code:
        trust_config(plan.space.base)
    return plan


def _domains(ranges: Iterable[str], space: Path | None) -> dict[str, Any]:
    """Return the plain domains by path of a file and of ranges on the command line, which count more."""
    of_file = read_yaml(space).items() if space is not None else ()
    return {
        SHORT_NAMES.get(path, path): domain for path, domain in (*of_file, *map(parse_assignment, ranges))
    }


def _add_trials(
    runs_dir: Path, storage: str | None, reference: str, texts: Iterable[str], as_json: bool
) -> None:
    """Add trials with values that people chose to a study."""
    from core.tuning.study.priors import add_trial
    from core.tuning.study.study import open_study
    from tui.runtime.study_process import is_worked_on
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    points = [parse_point(study.plan.space, text, SHORT_NAMES) for text in texts]
    added = [add_trial(study, point) for point in points]
    if as_json:
        print_document(RequestDocument(request="try", to=study.name, trials=added))
        return
    for number in added:
        print(f"trial {number} was added to {clean(study.name)}")
    if not (study.storage_url or is_worked_on(study.folder)):
        print("no process works on it: `tui tune --no-ui --resume STUDY` trains it")
