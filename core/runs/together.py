"""Runs that stand for several others, whose scores they average: their members are in the section ``together``."""

from core.config.yaml_files import read_yaml
from core.errors import ConfigError
from core.runs.folder import Run, find_run

__all__ = ["BY", "SECTION", "members_of"]

SECTION, BY = "together", "an evaluation of several runs"


def members_of(run: Run) -> list[Run]:
    """Return the runs that a run stands for; empty for one that was trained or written by a script.

    Raises:
        RunError: a member is not there any more.
    """
    try:
        values = read_yaml(run.config_file, follow_links=False)
    except ConfigError:  # of a damaged run, which is reported where it is used
        return []
    section = values.get(SECTION)
    names = section.get("runs") if isinstance(section, dict) else None
    return [find_run(run.path.parent, str(name)) for name in names] if isinstance(names, list) else []
