"""New run folders: named, filled, and there whole or not at all.

The schema and what reads user code are imported when they are needed: a script that only logs does without them.
"""

import errno
import re
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.yaml_files import sections_to_yaml
from core.files.atomic import creating, write_atomically
from core.files.temporary import hidden_folder, sweep_folders, sync_folder
from core.runs.folder import DELETED, LOCK, MINUTE_FORMAT, Run
from core.runs.labels import write_labels
from core.runs.origin.announcing import announce

if TYPE_CHECKING:
    from core.config.schema import TrainConfig

__all__ = ["ALPHABET", "create_folder", "create_run", "name_of", "write_config", "write_sections"]

NEW = ".new-"
"""Prefix of the hidden name of an incomplete folder."""
TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}
"""Errors of renaming a folder to a name that something has."""
MAX_CHARACTERS = 40
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that are not mistaken for each other, of which names of folders end in some."""


def name_of(config: "TrainConfig") -> str:
    """The part of a folder's name that says what is trained on what; nothing in it acts on a shell or a file system."""
    data = re.sub(r"[^\w.+-]+", "_", config.data.title)[:MAX_CHARACTERS].strip("._-")
    return f"{data or config.data.name}-{config.model.name}"


def create_run(
    runs_dir: Path,
    config: "TrainConfig",
    also: Callable[[Run], object] = lambda run: None,
    name: str = "",
) -> Run:
    """A new folder, named by date, data, model and three random letters, with the configuration in it.

    User files that it names are copied, so that the run can be rebuilt after they have changed.

    Args:
        also: writes what else is in it from its first moment on.
        name: what the user calls it, see `core.runs.labels`.

    Raises:
        RunError: the folder cannot be written.
        InputError: the name does not fit.
        UserCodeError: such a file cannot be read.
    """

    from core.user_code.loading import program_of, references
    from core.user_code.source import copy_source
    from core.user_code.trust import agree, is_trusted

    def fill(run: Run) -> None:
        write_config(run, config)
        for used in references(config):
            program = program_of(used.reference)
            copy_source(program.source, run.code_folder / used.folder)
            if is_trusted(program):  # also if it was only named: another process may resume with these bytes
                agree([program])
        also(run)
        if name:
            write_labels(run.path, name=name)

    run = create_folder(runs_dir, name_of(config), fill)
    announce(run)
    return run


def create_folder(runs_dir: Path, name: str, fill: Callable[[Run], object], *, id: str = "") -> Run:
    """A new folder, named by date, a name and three random letters, which is there whole or not at all.

    Args:
        fill: writes what is in it, while it still has a hidden name.
        id: what it is called instead, unless a folder has this name.

    Raises:
        RunError: it cannot be made.
    """
    stamp = time.strftime(MINUTE_FORMAT)
    with creating(runs_dir):
        runs_dir.mkdir(parents=True, exist_ok=True)
        sweep_folders(runs_dir, DELETED)
        with hidden_folder(runs_dir, NEW, lock_name=LOCK) as hidden:
            fill(Run(hidden))
            while True:
                tail = "".join(secrets.choice(ALPHABET) for _ in range(3))
                run, id = Run(runs_dir / (id or f"{stamp}_{name}_{tail}")), ""
                try:
                    hidden.rename(run.path)
                except OSError as error:
                    if error.errno not in TAKEN:
                        raise
                    continue
                sync_folder(runs_dir)
                return run


def write_config(run: Run, config: "TrainConfig") -> None:
    """Write ``config.yaml``.

    Raises:
        RunError: it cannot be written.
    """
    from core.config.schema import to_given

    write_sections(run, to_given(config))


def write_sections(run: Run, sections: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Write ``config.yaml`` from plain values in sections.

    Raises:
        RunError: it cannot be written.
    """
    text = sections_to_yaml(sections)
    write_atomically(run.config_file, lambda file: file.write(text.encode()))
