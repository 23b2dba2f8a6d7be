"""The run that the processes of one launch train, which they resume after one of them was lost.

The agents of ``torchrun`` on several machines may count restarts differently, and its rendezvous may have no name: the
store that the first agent keeps knows the run. Where there is no such store, the name of the launch tells.
"""

import json
from pathlib import Path

from core.files.reading import read_text
from core.runs.folder import Run, all_runs, find_run
from core.torchrun import agent_store, launch_id, restarts_done

__all__ = ["note_run_of_this_launch", "run_of_this_launch"]

RUN_KEY = "torchtui/run"


def note_run_of_this_launch(run: Run) -> None:
    """Let later attempts of this launch know which run it trains, if something that outlives its processes can."""
    if (store := agent_store()) is not None:
        store.set(RUN_KEY, str(run.path))


def run_of_this_launch(runs_dir: Path) -> Run | None:
    """Return the run that an earlier attempt of this launch has trained; None in the first, or if it had none.

    Raises:
        RunError: its folder is gone.
    """
    store = agent_store()
    if store is not None and store.check([RUN_KEY]):
        return find_run(runs_dir, store.get(RUN_KEY).decode())
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
