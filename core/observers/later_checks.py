"""The checks of the splits of known image sets, put off until the first epoch of a run is over.

They take as long as some epochs of a small network, and nothing that they find stops a run.
"""

from collections.abc import Callable

from core.control import RunControl
from core.data.dataset import Dataset
from core.data.registry import DataConfig
from core.data.suspicions.report import suspicions
from core.errors import RunError
from core.events import EpochFinished, Event, Notice
from core.runs.data_facts import keep_warnings
from core.runs.folder import Run

__all__ = ["checking_later"]

Emit = Callable[[Event], None]


def checking_later(data: Dataset, config: DataConfig, run: Run, emit: Emit, control: RunControl) -> Emit:
    """Return `emit`, which checks the splits after the first epoch that it takes; what is found is kept with the run.

    Nothing that goes wrong there ends the run. One that is to stop is not checked: it is when it is resumed.
    """
    is_checked = False

    def checking(event: Event) -> None:
        nonlocal is_checked
        emit(event)
        if is_checked or not isinstance(event, EpochFinished) or control.stop_requested:
            return
        is_checked = True
        emit(Notice(level="info", message="checking the splits"))
        found = _found(data, config)
        for line in found:
            emit(Notice(level="warning", message=line))
        try:
            keep_warnings(run, [*data.warnings, *found])
        except RunError as error:
            emit(Notice(level="error", message=f"warnings about the splits not saved: {error}"))

    return checking


def _found(data: Dataset, config: DataConfig) -> tuple[str, ...]:
    """Return what looks suspicious, or why that is not known: the run goes on without."""
    try:
        return suspicions(data, config)
    except Exception as error:
        return (f"splits not checked: {type(error).__name__}: {error}",)
