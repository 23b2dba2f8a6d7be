"""The run that the processes of one launch trained before one of them was lost."""

import json
from pathlib import Path

from core.files.reading import read_text
from core.runs.folder import Run, all_runs
from core.torchrun import launch_id, restarts_done

__all__ = ["run_of_this_launch"]


def run_of_this_launch(runs_dir: Path) -> Run | None:
    """Return the run that an earlier attempt of this launch has made; None in the first, or if it made none."""
    launch = launch_id()
    if not launch or not restarts_done():
        return None
    for run in all_runs(runs_dir):
        try:
            facts = json.loads(read_text(run.environment_file))
        except (OSError, ValueError):
            continue
        if isinstance(facts, dict) and facts.get("launch") == launch:
            return run
    return None
