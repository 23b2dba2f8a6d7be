"""Runs for each fold or seed: what options ask for, and which are still to be trained, wherever that will be."""

from collections.abc import Mapping
from dataclasses import replace

from core.config.schema import TrainConfig
from core.errors import InputError
from core.runs.folder import Run
from core.runs.origin.together import start_of
from core.session.repeats import Repeats, left, runs_of, seeds_of
from tui.runtime.hosts.host import WantedRun
from tui.runtime.user_queue.runs import place_in_queue

__all__ = ["begun", "called", "repeats_asked", "to_train", "wanted_repeats", "words_of"]


def repeats_asked(config: TrainConfig, folds: int | None, seeds: int | None) -> Repeats | None:
    """Return the repeats that two options ask for; None without them.

    Raises:
        InputError: both are given.
    """
    if folds is not None and seeds is not None:
        raise InputError("--folds and --seeds exclude each other", "Give one of them")
    if folds is not None:
        return Repeats("fold", folds)
    return Repeats("seed", seeds, config.training.seed) if seeds is not None else None


def begun(repeats: Repeats, config: TrainConfig, run: Run) -> tuple[Repeats, dict[int, Run]]:
    """Return the repeats that a run was started as one of, and their runs so far by fold or seed.

    Raises:
        InputError: it was started with another number of folds, or settings have changed.
    """
    if repeats.kind == "fold" and config.data.folds != repeats.count:
        had = f"{config.data.folds} folds" if config.data.folds else "no folds"
        raise InputError(
            f"--folds: got {repeats.count}, {run.id} was started with {had}", "Give the same number"
        )
    if config != run.config():
        raise InputError(
            f"--{repeats.kind}s with --resume keeps the configuration of the runs",
            "To change settings, start anew",
        )
    runs_dir = run.path.parent
    if repeats.kind == "seed":
        repeats = seeds_of(run, repeats.count)
    return repeats, runs_of(repeats, config, runs_dir, run)


def called(name: str, repeats: Repeats, number: int) -> str:
    """Return what to call the run of a fold or seed; empty where the user gives no name."""
    return f"{name} {repeats.kind} {number}" if name else ""


def words_of(repeats: Repeats, name: str) -> list[str]:
    """Return the options with which a command goes on with these repeats, of this name."""
    return [f"--{repeats.kind}s", str(repeats.count), *(("--name", name) if name else ())]


def wanted_repeats(
    wanted: WantedRun, repeats: Repeats, known: Mapping[int, Run] | None = None
) -> tuple[list[WantedRun], Repeats]:
    """Return the runs that are not trained yet, and the repeats with their first number.

    Args:
        wanted: with any of the runs there are, to go on with them; without one all are new.
        known: those there are by fold or seed; None to look for them.

    Raises:
        InputError: the run was not started as one of these repeats.
    """
    if known is None:
        known = {}
        if wanted.run is not None:
            repeats, known = begun(repeats, wanted.config, wanted.run)
    wanted = replace(wanted, together=start_of(known.values()))
    return [_one(wanted, repeats, at, known.get(at)) for at in to_train(repeats, known)], repeats


def to_train(repeats: Repeats, known: Mapping[int, Run]) -> list[int]:
    """Return the folds or seeds whose run is neither complete, nor trained now, nor waiting, also in the queue."""
    return [at for at in left(repeats, known) if at not in known or not place_in_queue(known[at])]


def _one(wanted: WantedRun, repeats: Repeats, at: int, run: Run | None) -> WantedRun:
    config, name = repeats.config(wanted.config, at), called(wanted.name, repeats, at)
    return replace(wanted, config=config, name=name, run=run)
