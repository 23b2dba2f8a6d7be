"""LogColumns of a table of numbers by step or by epoch: which is which."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["LogColumns", "columns_of", "counts_rows"]

STEPS = (
    *("step", "steps", "global_step", "_step", "trainer/global_step", "train/global_step"),
    *("trainer/step", "train/step", "train_step", "training_step", "optimizer_step"),
    *("iteration", "iter", "iterations", "n_iter", "num_iterations", "it"),
    *("update", "updates", "num_updates", "total_steps", "num_steps"),
    *("timestep", "timesteps", "time/total_timesteps", "total_timesteps"),
    *("env_step", "env_steps", "total_env_steps", "frame", "frames"),
    *("batch", "num_batches", "round"),
)
EPOCHS = (
    *("epoch", "epochs", "train/epoch", "trainer/epoch", "training/epoch"),
    *("epoch_num", "epoch_idx", "epoch_index"),
)
TIMES = ("wall_time", "timestamp", "_timestamp", "time", "time/time_elapsed", "elapsed", "created_at")
SAYS_NOTHING = frozenset(("", "index", "unnamed:_0"))
GAPS = re.compile(r"[\s-]+")


@dataclass(frozen=True)
class LogColumns:
    """Names of the columns that place a row; empty where there is none, and those of its numbers."""

    step: str
    epoch: str
    time: str
    numbers: tuple[str, ...]


def columns_of(names: Iterable[str]) -> LogColumns | None:
    """Return what the columns of these names are; None where no column counts steps or epochs, or none is left."""
    names = tuple(names)
    known = {_plain(name): name for name in reversed(names)}
    step, epoch, time = (
        next((known[name] for name in wanted if name in known), "") for wanted in (STEPS, EPOCHS, TIMES)
    )
    counts = {name for name in names if _plain(name) in (*STEPS, *EPOCHS, *TIMES, *SAYS_NOTHING)}
    numbers = tuple(name for name in names if name not in counts)
    return LogColumns(step, epoch, time, numbers) if (step or epoch) and numbers else None


def counts_rows(name: str) -> bool:
    """Return whether a column of this name counts steps or epochs."""
    return _plain(name) in (*STEPS, *EPOCHS)


def _plain(name: str) -> str:
    """Return a name as the tables above have it: ``Global Step`` and ``global-step`` are ``global_step``."""
    return GAPS.sub("_", name.strip().lower())
