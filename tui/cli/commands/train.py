"""`tui train`: in the app, or headless with --no-ui."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.errors import InputError
from core.runs.code import trust_config
from core.runs.folder import Run, default_runs_dir, find_run, with_checkpoint
from core.runs.labels import checked_name, write_labels
from core.runs.origin.launch import run_of_this_launch
from core.runs.problems import LENGTHS
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.train_options import (
    AsJson,
    Checkpoint,
    Folds,
    NoPreflight,
    NoUi,
    Quiet,
    Resume,
    Seeds,
)
from tui.cli.config_options import with_config
from tui.cli.extras_options import with_extras
from tui.cli.host_options import Place, with_host
from tui.cli.opening import open_app
from tui.cli.run_arguments import NameOption
from tui.runtime.hosts.host import WantedRun

if TYPE_CHECKING:
    from core.session.repeats import Repeats

__all__ = ["train"]


@with_config
@with_extras
@with_host
def train(
    values: dict[str, Any],
    place: Place,
    no_ui: NoUi = False,
    resume: Resume = None,
    checkpoint: Checkpoint = None,
    folds: Folds = None,
    seeds: Seeds = None,
    name: NameOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    no_preflight: NoPreflight = False,
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
    if not (no_ui or place.is_elsewhere):
        several = {"--resume": resume, "--checkpoint": checkpoint, "--folds": folds, "--seeds": seeds}
        _ensure_headless({**several, "--json": as_json, "--quiet": quiet})
        _open(values, name, trust_code, runs, data_root)
        return
    runs = runs or default_runs_dir()
    begun = run_of_this_launch(runs, is_told=resume is not None and checkpoint is None)
    config, run = (begun.config(), begun) if begun else _asked(values, resume, runs)
    repeats = _repeats(config, folds, seeds, checkpoint)
    if run is not None and name and repeats is None:
        write_labels(run.path, name=name)
    if checkpoint is not None and begun is None:
        run = _returned(run, checkpoint)
    if trust_code:
        trust_config(config, run)
    wanted = WantedRun(config, runs, data_root, name, run)
    if place.is_elsewhere:
        from tui.cli.elsewhere import show_or_start

        sys.exit(show_or_start(place, wanted, repeats, as_json=as_json, quiet=quiet))
    sys.exit(_headless(wanted, repeats, as_json, quiet))


def _ensure_headless(given: Mapping[str, object]) -> None:
    """Refuse options without ``--no-ui`` that only a headless training has; `given` holds their values by flag."""
    for flag, value in given.items():
        if value:
            raise InputError(f"{flag} needs --no-ui", f"Use: tui train --no-ui {flag} ...")


def _open(
    values: dict[str, Any], name: str, trust_code: bool, runs: Path | None, data_root: Path | None
) -> None:
    """Open the app, in which the training starts at once."""
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


def _repeats(
    config: TrainConfig, folds: int | None, seeds: int | None, checkpoint: str | None
) -> "Repeats | None":
    """Return the repeats that are asked for; what they need is loaded for them alone.

    Raises:
        InputError: they do not fit what else is asked for.
    """
    if folds is None and seeds is None:
        return None
    if checkpoint is not None:
        flag = "--folds" if folds is not None else "--seeds"
        raise InputError(f"--checkpoint returns one run, and {flag} is of several", f"Leave out {flag}")
    from tui.runtime.repeats import repeats_asked

    return repeats_asked(config, folds, seeds)


def _headless(wanted: WantedRun, repeats: "Repeats | None", as_json: bool, quiet: bool) -> int:
    """Train here, and return the exit code."""
    if repeats is not None:
        from tui.headless.repeats import train_repeats

        return train_repeats(wanted, repeats, as_json=as_json, quiet=quiet)
    from tui.headless.train import train as train_headless
    from tui.headless.train_views import choose_view

    return train_headless(
        wanted.config,
        wanted.run,
        runs_dir=wanted.runs_dir,
        data_root=wanted.data_root,
        view=choose_view(as_json=as_json, quiet=quiet),
        name=wanted.name,
    )
