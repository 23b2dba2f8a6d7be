"""Images, texts and histograms of any run, of our own and of other tools."""

from core.events import MediaLogged
from core.interop.readers.following import ForeignLog
from core.interop.readers.importing import original_of
from core.runs.folder import Run
from core.runs.media.stored import Medium, read_medium

__all__ = ["medium_of"]


def medium_of(owner: Run | ForeignLog, event: MediaLogged) -> Medium:
    """Return an image, a text or a histogram; of a copy of a log as the log has it.

    Raises:
        RunDamaged: its file is missing or damaged.
        DependencyError: it needs a package that is not installed.
    """
    log = owner if isinstance(owner, ForeignLog) else original_of(owner)
    if log is not None:
        return log.read_medium(event)
    assert isinstance(owner, Run)
    return read_medium(owner, event)
