"""Resources that are free where the trials of a study train, and the trials that wait for more: a file of the study.

Whoever follows the study reads it; it says something only while a process works on the study.
"""

import json
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import RunError
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.tuning.executors.protocol import Resources
from core.tuning.study.folder import StudyFolder

__all__ = ["forget_resources", "note_resources", "resources_of"]

MAX_BYTES = 100_000
READER = TypeAdapter(Resources)


def note_resources(folder: StudyFolder, resources: Resources) -> None:
    """Note what is free now; where nothing can be written, do nothing."""
    text = READER.dump_json(resources)
    with suppress(RunError, OSError):
        write_atomically(_file(folder), lambda file: file.write(text))


def forget_resources(folder: StudyFolder) -> None:
    """Note that nothing is known of it; where nothing can be written, do nothing."""
    with suppress(OSError):
        _file(folder).unlink(missing_ok=True)


def resources_of(folder: StudyFolder) -> Resources | None:
    """Return what is free now; None where that is not known, or the file is damaged."""
    try:
        return READER.validate_python(json.loads(read_bytes(_file(folder), limit=MAX_BYTES)))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


def _file(folder: StudyFolder) -> Path:
    return folder.path / "resources.json"
