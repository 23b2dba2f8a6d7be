"""The run that the processes of one launch train, which they resume after one of them was lost.

The agents of ``torchrun`` on several machines may count restarts differently, and many launches may have one name: the
store that the first agent keeps knows the run. Our own launcher keeps none, but gives each launch a name of its own.
"""

import json
import os
import platform
from pathlib import Path

from core.errors import RunError
from core.files.reading import read_text
from core.remedies import RESUME
from core.runs.folder import Run, all_runs, find_run
from core.torchrun import agent_store, launch_id, restarts_done

__all__ = ["note_run_of_this_launch", "run_of_this_launch"]

RUN_KEY = "run"


def note_run_of_this_launch(run: Run) -> None:
    """Let later attempts of this launch know which run it trains, if something that outlives its processes can."""
    if (store := agent_store()) is not None:
        store.set(RUN_KEY, str(run.path))


def run_of_this_launch(runs_dir: Path, *, is_told: bool = False) -> Run | None:
    """Return the run that an earlier attempt of this launch has trained; None in the first, or if it had none.

    Args:
        is_told: the command says which run to resume in each attempt.

    Raises:
        RunError: its folder is gone; or the first agent was replaced, with whose store went which run it was.
    """
    store = agent_store()
    if store is None:
        return _named_run(runs_dir)
    if store.check([RUN_KEY]):
        return find_run(runs_dir, store.get(RUN_KEY).decode())
    own_agent = f"agent/{platform.node()}/{os.getppid()}"
    if not restarts_done():
        store.set(own_agent, "")
    elif not is_told and not store.check([own_agent]):
        raise RunError(
            "torchrun's first machine was replaced, which alone knew the run of this launch",
            (RESUME,),
        )
    return None


def _named_run(runs_dir: Path) -> Run | None:
    """Return the run that a launch of this name has started before one of its processes was lost."""
    launch = launch_id() if restarts_done() else ""
    if not launch:
        return None
    for run in all_runs(runs_dir):
        try:
            facts = json.loads(read_text(run.environment_file))
        except (OSError, ValueError):
            continue
        if isinstance(facts, dict) and facts.get("launch") == launch:
            return run
    return None
