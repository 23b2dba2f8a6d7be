"""`tui profile`: where the time and the memory of a training go, and what would help."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.errors import InputError, TorchtuiError
from core.processes.endings import end_with_launcher
from core.runs.code import from_copies, trust_config
from core.runs.folder import default_runs_dir, find_run
from core.torchrun import is_launched
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.config_options import with_config
from tui.cli.json_option import JsonOption
from tui.forms.remedies import command_line_words

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["profile"]

TRIED = "threads,workers,batch,precision"
"""Compiling takes half a minute, so it is tried when it is asked for."""


@with_config
def profile(
    values: dict[str, Any],
    run: Annotated[
        str,
        typer.Argument(metavar="[RUN]", help="Profile the configuration of this run.", show_default=False),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds of steps that are timed.")] = 3.0,
    alternatives: Annotated[
        str,
        typer.Option(
            "--try",
            metavar="LIST",
            help="Settings to try: threads, workers, batch, precision, compile; or none.",
        ),
    ] = TRIED,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="F.json", help="Write a trace of some steps for Perfetto.", show_default=False),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            min=1, max=1024, metavar="N", help="Time steps in several processes that share each batch."
        ),
    ] = 1,
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Show where the time and the memory of a training go, and which settings would make it faster.

    Trains copies for some seconds. Nothing is written but the trace.

    Examples: tui profile --data mnist --model cnn

    tui profile latest --trace steps.json

    tui profile latest --processes 2
    """
    wanted = _wanted(alternatives)
    config = _config(values, run, runs or default_runs_dir())
    if trust_code:
        trust_config(config)
    if processes > 1 or is_launched():
        for option, is_given in (
            ("--trace", trace is not None),
            ("--try", alternatives not in (TRIED, "none")),
        ):
            if is_given:
                raise InputError(f"{option} is of one process", "Leave out --processes")
        sys.exit(_in_several(config, processes, seconds, data_root, as_json))
    _in_one(config, seconds, wanted, trace, data_root, as_json)


def _in_one(
    config: TrainConfig,
    seconds: float,
    wanted: tuple[str, ...],
    trace: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Time steps in this process, and print what was found."""
    prepared = _prepare(config, data_root, as_json)

    from core.profiling.profile import profile as measure
    from tui.terminal.text import clean

    def tell(what: str) -> None:
        if not as_json and sys.stderr.isatty():
            print(f"{what} ...", file=sys.stderr, flush=True)

    found = measure(
        prepared,
        seconds=seconds,
        alternatives=wanted,
        trace_file=trace,
        on_progress=tell,
        should_stop=lambda: False,
    )
    assert found is not None
    if as_json:
        from tui.headless.documents.envelope import print_document
        from tui.headless.documents.profiling import profile_document

        print_document(profile_document(found, str(prepared.device), str(trace or "")))
        return
    from tui.terminal.profile_text import profile_lines, where

    print(f"{clean(prepared.config.data.title)}, {prepared.config.model.name} on {where(prepared.device)}")
    if config.training.shard != "none":
        print("one process keeps all weights: --processes shows a training that divides them")
    for line in profile_lines(found, command_line_words):
        print(line.rstrip())
    if trace is not None:
        print(f"\n{clean(str(trace))} opens in https://ui.perfetto.dev")


def _in_several(
    config: TrainConfig, processes: int, seconds: float, data_root: Path | None, as_json: bool
) -> int:
    """Start the processes, or time steps as one of them; return the exit code."""
    if not is_launched():
        from tui.runtime.hosts.host import TUI
        from tui.runtime.hosts.processes import Processes
        from tui.runtime.streams import put_results_back

        put_results_back()
        return Processes(processes=processes).execute([TUI, *sys.argv[1:]])
    from core.session.preload import load_backend

    end_with_launcher()
    load_backend()

    from core.data.dataset import no_progress
    from core.profiling.together import measure_together
    from core.session import session
    from core.session.other_ranks import prepare_on_all_ranks
    from core.training.distributed import process_group, reports_failure

    with process_group() as group:
        try:
            with reports_failure(group):
                prepare = partial(session.prepare, config, data_root, ranks=group)
                prepared = prepare_on_all_ranks(group, prepare, no_progress)
                session.training_context(prepared, None)
                found = measure_together(prepared, seconds)
        except TorchtuiError as error:
            if group.rank:  # the first one reports it
                return error.exit_code
            raise
    if group.rank:
        return 0
    from tui.headless.documents.envelope import print_document
    from tui.headless.documents.profiling import together_document
    from tui.terminal.profile_text import together_lines, where
    from tui.terminal.text import clean

    if as_json:
        print_document(together_document(found, str(prepared.device)))
        return 0
    each = f"{where(prepared.device)} each"
    print(f"{clean(prepared.config.data.title)}, {prepared.config.model.name} on {each}")
    for line in together_lines(found):
        print(line.rstrip())
    return 0


def _wanted(text: str) -> tuple[str, ...]:
    """Return the settings to try.

    Raises:
        InputError: there is no such setting.
    """
    from core.profiling.names import ALTERNATIVES

    names = tuple(name.strip() for name in text.split(",") if name.strip() and name.strip() != "none")
    unknown = [name for name in names if name not in ALTERNATIVES]
    if unknown:
        raise InputError(f"--try {unknown[0]} is not known", f"Takes {', '.join(ALTERNATIVES)}, or none")
    return names


def _config(values: dict[str, Any], run: str, runs_dir: Path) -> TrainConfig:
    if not run:
        return configuration.from_dict(values)
    found = find_run(runs_dir, run)
    config = from_copies(found.config(), found)
    return configuration.from_dict(configuration.merge(configuration.to_given(config), values))


def _prepare(config: TrainConfig, data_root: Path | None, as_json: bool) -> "Prepared":
    from core.session.preload import load_backend

    load_backend()

    from core.session import session
    from tui.headless.train_views import choose_view

    view = choose_view(as_json=False, quiet=as_json)
    try:
        prepared = session.prepare(config, data_root, view.preparing)
    finally:
        view.close()
    session.training_context(prepared, None)  # sets the number of threads that a run would take
    return prepared
