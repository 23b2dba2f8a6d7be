"""`tui train`: in the app, or headless with --no-ui."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.errors import InputError
from core.runs.code import trust_config
from core.runs.folder import Run, default_runs_dir, find_run, with_checkpoint
from core.runs.labels import checked_name, write_labels
from core.runs.origin.launch import run_of_this_launch
from core.runs.problems import LENGTHS
from core.torchrun import restarts_done
from tui.cli.app import DataRootOption, RunsOption, TrustOption, open_app
from tui.cli.config_options import with_config
from tui.cli.extras_options import with_extras
from tui.cli.host_options import Place, with_host
from tui.cli.json_option import json_option
from tui.cli.run_arguments import NameOption, complete_runs

__all__ = ["train"]


@with_config
@with_extras
@with_host
def train(
    values: dict[str, Any],
    place: Place,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Train headless, without the app.")] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Resume a run exactly where it stopped.",
            autocompletion=complete_runs,
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="NAME",
            help="With --resume: the checkpoint to return to, such as epoch-10. Later epochs are done again.",
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", min=2, max=1000, metavar="N", help="Cross-validate: a run for each of N folds."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            min=2,
            max=1000,
            metavar="N",
            help="Train a run for each of N seeds, from the configured one on.",
        ),
    ] = None,
    name: NameOption = None,
    as_json: Annotated[bool, json_option("Print events as JSON, one per line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    no_preflight: Annotated[
        bool, typer.Option("--no-preflight", help="Start without trying own networks on a few batches.")
    ] = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Train a model and evaluate it.

    Examples: tui train --no-ui --data iris --optimizer adam --lr 0.01 --epochs 50

    tui train --no-ui --config run.yaml --set model.hidden=[256,128] --json
    """
    if no_preflight and resume is None:
        values = configuration.set_path(values, "training.preflight=false")
    name = checked_name(name or "")
    if no_ui or place.is_elsewhere:
        where = runs or default_runs_dir(), data_root
        begun = run_of_this_launch(where[0]) if resume is None else None
        config, run = (begun.config(), begun) if begun else _asked(values, resume, where[0])
        if run is not None and name and folds is None and seeds is None:
            write_labels(run.path, name=name)
        if checkpoint is not None and not restarts_done():
            run = _returned(run, checkpoint)
        if trust_code:
            trust_config(config, run)
        if place.is_elsewhere:
            sys.exit(_elsewhere(place, config, run, folds, seeds, name, as_json, quiet, *where))
        if folds is None and seeds is None:
            sys.exit(_headless(config, run, name, as_json, quiet, *where))
        sys.exit(_repeat(config, run, folds, seeds, name, as_json, quiet, *where))
    several = (folds, "--folds"), (seeds, "--seeds")
    for given, flag in ((resume, "--resume"), *several, (as_json, "--json"), (quiet, "--quiet")):
        if given:
            raise InputError(f"{flag} needs --no-ui", f"Use: tui train --no-ui {flag} ...")
    config = configuration.from_dict(values)
    if trust_code:
        trust_config(config)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "`tui train` opens the app, which needs a terminal", "Without one: tui train --no-ui [options]"
        )
    open_app(runs=runs, data_root=data_root, values=values, start=True, name=name)


def _asked(values: dict[str, Any], resume: str | None, runs: Path) -> tuple[TrainConfig, Run | None]:
    """Return the configuration and the run to resume, checked before torch is imported."""
    run = find_run(runs, resume) if resume is not None else None
    if run is None:
        return configuration.from_dict(values), None
    if set(values) <= {"training"} and set(values.get("training", {})) <= LENGTHS:
        merged = configuration.merge(configuration.to_given(run.config()), values)
        return configuration.from_dict(merged), run
    raise InputError(
        "--resume keeps the run's own configuration; only --epochs, max_minutes and patience can change",
        "For other settings, start a new run",
    )


def _returned(run: Run | None, checkpoint: str) -> Run:
    """Return the run to resume from one of its earlier checkpoints."""
    if run is None:
        raise InputError("--checkpoint needs a run to resume", "Add --resume RUN")
    if checkpoint == "best":
        raise InputError(
            "--checkpoint: best holds weights alone", "Give last, or a kept epoch such as epoch-10"
        )
    return with_checkpoint(run, checkpoint)


def _headless(
    config: TrainConfig,
    run: Run | None,
    name: str,
    as_json: bool,
    quiet: bool,
    runs: Path,
    data_root: Path | None,
) -> int:
    """Train, and return the exit code."""
    from tui.headless.train import train as train_headless
    from tui.headless.train_views import choose_view

    view = choose_view(as_json=as_json, quiet=quiet)
    return train_headless(config, run, runs_dir=runs, data_root=data_root, view=view, name=name)


def _elsewhere(
    place: Place,
    config: TrainConfig,
    run: Run | None,
    folds: int | None,
    seeds: int | None,
    name: str,
    as_json: bool,
    quiet: bool,
    runs: Path,
    data_root: Path | None,
) -> int:
    """Start the run on another host, or show what would run, and return the exit code."""
    from tui.cli.elsewhere import show_or_start
    from tui.runtime.hosts.host import WantedRun

    for count, flag in ((folds, "--folds"), (seeds, "--seeds")):
        if count is not None and not place.only_shown:
            raise InputError(f"{flag} trains one run after the other in this command", "Leave out --run-in")
    wanted = WantedRun(config, runs, data_root, name, run)
    return show_or_start(place, wanted, as_json=as_json, quiet=quiet)


def _repeat(
    config: TrainConfig,
    run: Run | None,
    folds: int | None,
    seeds: int | None,
    name: str,
    as_json: bool,
    quiet: bool,
    runs: Path,
    data_root: Path | None,
) -> int:
    """Train a run for each fold or seed, and return the exit code."""
    from core.session.repeats import Repeats
    from tui.headless.repeats import train_repeats

    if folds is not None and seeds is not None:
        raise InputError("--folds and --seeds exclude each other", "Give one of them")
    repeats = Repeats("fold", folds) if folds else Repeats("seed", seeds or 1, config.training.seed)
    return train_repeats(
        config, repeats, run, runs_dir=runs, data_root=data_root, as_json=as_json, quiet=quiet, name=name
    )
