"""A search as the equivalent command."""

import shlex
from pathlib import Path

from core.tuning.search.auto import AUTO
from core.tuning.search.plan import Plan
from tui.forms.command_line import options, place
from tui.forms.option_form import flags_for
from tui.forms.search_texts import ALL, Given, Search

__all__ = ["search_command"]

USUAL = Search({})
SAME = ("name", "method", "pruner", "direction", "timeout", "keep")
"""Settings whose option has their text, where it is not the default."""


def search_command(plan: Plan, search: Search, given: Given, runs_dir: Path) -> str:
    """Return the ``tui tune --no-ui`` command of a valid form, quoted for a shell."""
    parts = ["tui", "tune", "--no-ui", *options(plan.space.base)]
    for name in SAME:
        text = getattr(search, name).strip()
        parts += [f"--{name}", text] if text != getattr(USUAL, name) else []
    parts += ["--metric", plan.metric] if search.metric != AUTO or plan.second else []
    parts += ["--metric", plan.second] if plan.second else []
    for limit in plan.where:
        parts += ["--where", limit]
    parts += ["--trials", search.trials.strip()] if search.trials.strip() not in ("", ALL) else []
    parts += [*_limits(given), *_known(given)]
    parts += ["--confirm", str(given.confirm)] if given.confirm else []
    parts += _place(search, given)
    for path, text in search.ranges.items():
        parts += ["-p", f"{path}={text.strip()}"]
    return shlex.join([*parts, *place(runs_dir)])


def _limits(given: Given) -> list[str]:
    """Return the options that end a study before its last trial."""
    parts = ["--patience", str(given.patience)] if given.patience else []
    return parts + (["--max-epochs", str(given.max_epochs)] if given.max_epochs else [])


def _known(given: Given) -> list[str]:
    """Return the options for what the search knows beforehand."""
    runs = [part for name in given.start_with for part in ("--start-with", name)]
    return runs + [part for name in given.learn_from for part in ("--learn-from", name)]


def _place(search: Search, given: Given) -> list[str]:
    """Return the options for where trials are trained and kept."""
    where = given.where
    parts = ["--executor", where.executor] if where.executor != "local" else []
    parts += flags_for(given.job) if given.job is not None else []
    parts += ["--jobs", search.jobs.strip()] if search.jobs.strip() not in (AUTO, "1") else []
    parts += ["--trial-memory", f"{where.trial_memory:g}"] if where.trial_memory else []
    parts += ["--processes", str(where.processes)] if where.processes > 1 else []
    parts += ["--ray-address", where.ray_address] if where.ray_address else []
    parts += ["--gpus", where.gpus] if where.gpus else []
    parts += ["--gpus-per-trial", f"{where.gpus_per_trial:g}"] if where.gpus_per_trial else []
    return parts + (["--storage", given.storage] if given.storage else [])
