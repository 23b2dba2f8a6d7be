"""`tui tune`: search for good hyper-parameters, headless with --no-ui."""

import sys
from typing import Annotated, Any

import typer

from core.errors import InputError
from core.runs.folder import default_runs_dir
from core.runs.labels import checked_name
from core.runs.references import LATEST
from core.slurm.settings import SlurmSettings
from core.tuning.executors.where import Where
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.tuning import studies
from tui.cli.commands.tuning.options import Continue, Pause, Resume, Stop, Storage, Study, Try
from tui.cli.commands.tuning.place import place_of_trials
from tui.cli.commands.tuning.requests import add_trials, ask
from tui.cli.commands.tuning.search import Search
from tui.cli.config_options import with_config
from tui.cli.gathered import gathers
from tui.cli.job_options import with_job
from tui.cli.json_option import json_option
from tui.cli.lazy import Command, Group
from tui.cli.run_arguments import NameOption

__all__ = ["app"]

app = typer.Typer(cls=Group, invoke_without_command=True)
app.command(cls=Command)(studies.compare)
app.command(cls=Command)(studies.plot)


@app.callback()
@with_config
@gathers("search", Search)
@gathers("place", place_of_trials)
@with_job
def tune(
    values: dict[str, Any],
    context: typer.Context,
    *,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Tune headless, without the app.")] = False,
    search: Search,
    try_values: Try = None,
    study: Study = LATEST,
    place: Where,
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
    job: SlurmSettings | None,
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
    requests = {"--pause": pause, "--continue": unpause, "--stop": stop}
    if any(study is not None for study in requests.values()):
        return ask(runs_dir, storage, requests, as_json)
    if try_values:
        return add_trials(runs_dir, storage, study, try_values, as_json)
    if not no_ui:
        raise InputError("`tui tune` works headless", "Use: tui tune --no-ui [options]")
    called, seconds = checked_name(name or ""), search.seconds
    plan = None
    if resume is None:
        plan = search.plan(values, trust_code=trust_code)
    else:
        search.ensure_only_changes(values)
    from tui.headless import tune as headless

    changes = search.changes(is_new=resume is None)
    asked = headless.Asked(
        plan, resume or "", seconds, storage, place, runs_dir, data_root, search.confirm, changes, called
    )
    if place.executor == "slurm":
        sys.exit(headless.submit(asked, job or SlurmSettings(), as_json=as_json, quiet=quiet))
    if job is not None:
        raise InputError("settings of a job of Slurm need --executor slurm", "Add --executor slurm")
    sys.exit(headless.tune(asked, as_json=as_json, quiet=quiet))
