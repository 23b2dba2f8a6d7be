"""`tui tune`: search for good hyper-parameters, headless with --no-ui."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from core.config import schema as configuration
from core.errors import InputError, RunError
from core.runs.code import trust_config
from core.runs.folder import default_runs_dir
from core.runs.labels import checked_name
from core.runs.references import LATEST
from core.tuning.search.auto import AUTO
from core.tuning.search.objectives import COSTS
from core.tuning.search.plan import ExecutorName, Plan, make_plan
from core.tuning.search.points import parse_point
from core.tuning.search.ranges import parse_assignment
from core.user_code.loading import trust_named
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands import studies
from tui.cli.config_options import with_config
from tui.cli.json_option import json_option
from tui.cli.lazy import Command, Group
from tui.cli.run_arguments import NameOption
from tui.forms.flags import FLAGS

__all__ = ["app"]

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
DEFAULT_TRIALS = 30
SHORT = {flag.removeprefix("--").replace("-", "_"): path for flag, path in FLAGS.items()}
"""Flag name, without dashes, to the path it sets."""


def _option(*names: str, panel: str = "Search", **facts: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **facts)


Ranges = Annotated[
    list[str] | None,
    _option(
        *("--param", "-p"),
        metavar="PATH=RANGE",
        help="Range to search, such as lr=log:1e-4..1, batch_size=16..256:16 or model.hidden=64,128; repeatable. "
        "Default: ranges that suit the model and the optimizer.",
    ),
]
Space = Annotated[
    Path | None,
    _option(
        "--space",
        metavar="FILE",
        help="YAML file that gives each path {low, high, log, step} or {choices: [..]}.",
    ),
]
Method = Annotated[
    str | None,
    _option(
        "--method",
        metavar="NAME",
        show_default="auto",
        help="auto chooses one of grid, random, bayes (TPE) and gp, and says why.",
    ),
]
Pruner = Annotated[
    str | None,
    _option(
        "--pruner",
        metavar="NAME",
        show_default="none",
        help="Stops unpromising trials early: none, median, asha or hyperband.",
    ),
]
Trials = Annotated[
    int | None,
    _option(
        "--trials",
        show_default=f"{DEFAULT_TRIALS}, or the whole grid",
        help="Number of trials in the whole study.",
    ),
]
Timeout = Annotated[
    str | None, _option("--timeout", metavar="TIME", help="Stop after this time, such as 90s, 10m or 2h.")
]
Metric = Annotated[
    list[str] | None,
    _option(
        "--metric",
        metavar="NAME",
        show_default="loss",
        help="Validation metric to optimize: loss, accuracy, r2, f1_macro, roc_auc, FILE.py:NAME ... Given twice, the "
        "second may be a cost too: parameters, seconds (of an epoch), latency (of a sample) or size (of its file).",
    ),
]
Where = Annotated[
    list[str] | None,
    _option(
        "--where",
        metavar="LIMIT",
        help="Limit that the best trials keep to, such as 'parameters<100000' or 'accuracy>=0.9'; repeatable.",
    ),
]
Direction = Annotated[
    str | None,
    _option("--direction", metavar="WAY", show_default="found from the metric", help="minimize or maximize."),
]
Keep = Annotated[
    int | None,
    _option("--keep", show_default="5", help="Keep the checkpoints of this many best trials."),
]
Confirm = Annotated[
    int | None,
    _option(
        "--confirm",
        min=2,
        metavar="SEEDS",
        help="At the end train the best three trials again with this many other seeds each: the best mean wins, and is "
        "evaluated on the test split, once. With --resume also of a study that is complete.",
    ),
]
Jobs = Annotated[
    int | None,
    _option(
        "--jobs",
        min=1,
        panel="Where",
        show_default="1; on Ray as many as fit",
        help="Trials to run at once, as far as memory allows; the cores are divided among them.",
    ),
]
TrialMemory = Annotated[
    float | None,
    _option(
        "--trial-memory",
        metavar="GB",
        min=0.001,
        panel="Where",
        show_default="estimated",
        help="Memory that a local trial needs, in GB; it limits --jobs.",
    ),
]
Executor = Annotated[
    ExecutorName,
    _option(
        "--executor",
        panel="Where",
        help="Train in local processes, or on a Ray cluster.",
    ),
]
RayAddress = Annotated[
    str | None,
    _option("--ray-address", metavar="ADDRESS", panel="Where", help="The cluster; auto finds a running one."),
]
Gpus = Annotated[
    float | None,
    _option("--gpus-per-trial", min=0, panel="Where", help="GPUs per trial on Ray; fractions are allowed."),
]
Storage = Annotated[
    str | None,
    _option(
        "--storage",
        metavar="URL",
        panel="Where",
        show_default="a file in the study's folder",
        help="Database that several machines can reach, such as postgresql://user@host/db.",
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="STUDY",
        help="Resume or join a study: its name, a prefix or the last letters of the name, a path, or `latest` "
        "(started or resumed last).",
    ),
]

Pause = Annotated[
    str | None,
    typer.Option(
        "--pause",
        metavar="STUDY",
        help="Pause a study, wherever it runs: its trials wait after their current batch.",
    ),
]
Continue = Annotated[str | None, typer.Option("--continue", metavar="STUDY", help="Continue a paused study.")]
Stop = Annotated[
    str | None,
    typer.Option(
        "--stop",
        metavar="STUDY",
        help="Ask every process that works on a study, wherever it is, to save its trials and stop.",
    ),
]


Patience = Annotated[
    int | None,
    _option(
        "--patience",
        metavar="TRIALS",
        min=0,
        help="Stop after so many trials without an improvement beyond the noise.",
    ),
]
MaxEpochs = Annotated[
    int | None,
    _option("--max-epochs", min=1, help="Start no more trials after so many epochs of all trials together."),
]
StartWith = Annotated[
    list[str] | None,
    _option(
        "--start-with",
        metavar="RUN",
        help="Try the values of a run first; repeatable. The current configuration is always the first trial.",
    ),
]
LearnFrom = Annotated[
    list[str] | None,
    _option(
        "--learn-from",
        metavar="STUDY",
        help="Let the search know the trials of an earlier study on the same data with the same metric; repeatable.",
    ),
]
Try = Annotated[
    list[str] | None,
    typer.Option(
        "--try",
        metavar="VALUES",
        help="Add a trial to --study, such as lr=0.01,model.hidden=[64,32]; values left out are drawn. Whoever works "
        "on it trains it next.",
    ),
]
Study = Annotated[
    str, typer.Option("--study", metavar="STUDY", help="The study that --try adds to.", show_default=True)
]

app = typer.Typer(cls=Group, invoke_without_command=True)
app.command(cls=Command)(studies.compare)
app.command(cls=Command)(studies.plot)


@app.callback()
@with_config
def tune(
    values: dict[str, Any],
    context: typer.Context,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Tune headless, without the app.")] = False,
    ranges: Ranges = None,
    space: Space = None,
    method: Method = None,
    pruner: Pruner = None,
    trials: Trials = None,
    timeout: Timeout = None,
    metric: Metric = None,
    where: Where = None,
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
    gpus_per_trial: Gpus = None,
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
    others = {"--pause": pause, "--continue": unpause, "--stop": stop}
    if any(study is not None for study in others.values()):
        return _ask(runs or default_runs_dir(), storage, others)
    if try_values:
        return _add_trials(runs or default_runs_dir(), storage, study, try_values)
    if not no_ui:
        raise InputError("`tui tune` works headless", "Use: tui tune --no-ui [options]")
    if executor != "ray" and (ray_address or gpus_per_trial):
        raise InputError("--ray-address and --gpus-per-trial need a Ray cluster", "Add --executor ray")
    called = checked_name(name or "")
    search = {
        "method": method,
        "pruner": pruner,
        "direction": direction,
        "keep": keep,
        "where": where or None,
    }
    given = {
        key: value for key, value in {**search, **_objectives(metric or [])}.items() if value is not None
    }
    for name in metric or []:
        trust_named(name)
    seconds = None if timeout is None else _seconds(timeout)
    if resume is None:
        if trials is None and method != "grid" and not (timeout or patience or max_epochs):
            trials = DEFAULT_TRIALS
        limits = {"trials": trials, "patience": patience or 0, "max_epochs": max_epochs}
        plan = _plan(values, ranges or [], space, {"method": AUTO, **given, **limits}, trust_code=trust_code)
    else:
        plan = None
        _ensure_not_given(given, values)
    from tui.headless import tune as headless

    place = headless.Where(jobs, trial_memory, executor, ray_address, gpus_per_trial or 0)
    asked = headless.Asked(
        plan, resume or "", trials, seconds, storage, place, runs or default_runs_dir(), data_root, confirm
    )
    changes = headless.Changes(
        *(start_with or (), learn_from or ()),
        patience=patience,
        max_epochs=max_epochs,
        ranges=_domains(ranges or [], space) if resume is not None else {},
    )
    asked = replace(asked, changes=changes, name=called)
    sys.exit(headless.tune(asked, as_json=as_json, quiet=quiet))


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


def _ask(runs_dir: Path, storage: str | None, given: Mapping[str, str | None]) -> None:
    """Pause, continue or stop a study in all processes that work on it; `given` holds its name by flag."""
    (flag, reference), *more = ((flag, study) for flag, study in given.items() if study is not None)
    if more:
        raise InputError(f"{flag} and {more[0][0]} cannot be used together", "Give one of them")
    from core.tuning.study.study import open_study
    from tui.runtime import study_process
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    if not (study.storage_url or study_process.is_worked_on(study.folder)):
        raise RunError(f"no process works on {study.name}", "`tui tune --no-ui --resume STUDY` resumes one")
    asked: dict[str, tuple[Callable[[], None], str]] = {
        "--pause": (study.pause, "is paused"),
        "--continue": (study.go_on, "continues"),
        "--stop": (partial(study_process.stop, study), "was asked to save and stop"),
    }
    act, outcome = asked[flag]
    act()
    print(f"{clean(study.name)} {outcome}")


def _plan(
    values: dict[str, Any],
    ranges: Iterable[str],
    space: Path | None,
    given: dict[str, Any],
    *,
    trust_code: bool,
) -> Plan:
    """Return the plan that was asked for, checked before anything heavy is imported."""
    plan = make_plan(configuration.from_dict(values), _domains(ranges, space), **given)
    if trust_code:
        trust_config(plan.space.base)
    return plan


def _domains(ranges: Iterable[str], space: Path | None) -> dict[str, Any]:
    """Return the plain domains by path of a file and of ranges on the command line, which count more."""
    of_file = configuration.read_yaml(space).items() if space is not None else ()
    return {SHORT.get(path, path): domain for path, domain in (*of_file, *map(parse_assignment, ranges))}


def _add_trials(runs_dir: Path, storage: str | None, reference: str, texts: Iterable[str]) -> None:
    """Add trials with values that people chose to a study."""
    from core.tuning.study.priors import add_trial
    from core.tuning.study.study import open_study
    from tui.runtime.study_process import is_worked_on
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    for point in [parse_point(study.plan.space, text, SHORT) for text in texts]:
        print(f"trial {add_trial(study, point)} was added to {clean(study.name)}")
    if not (study.storage_url or is_worked_on(study.folder)):
        print("no process works on it: `tui tune --no-ui --resume STUDY` trains it")


def _seconds(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``10m`` or ``2h``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if found is None or not 0 < float(found[1]) < math.inf:
        raise InputError(f"--timeout: got '{text}'", "It takes a time such as 90s, 10m or 2h")
    return float(found[1]) * SECONDS[found[2]]
