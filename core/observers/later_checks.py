"""The checks of the splits of known image sets, put off until the first epoch of a run is over.

They take as long as some epochs of a small network, and nothing that they find stops a run.
"""

from collections.abc import Callable

from core.data.dataset import Dataset
from core.data.registry import DataConfig
from core.data.suspicions.report import suspicions
from core.errors import RunError
from core.events import EpochFinished, Event, Notice
from core.runs.data_facts import keep_warnings
from core.runs.folder import Run

__all__ = ["checking_later"]

Emit = Callable[[Event], None]


def checking_later(data: Dataset, config: DataConfig, run: Run, emit: Emit) -> Emit:
    """Return `emit`, which checks the splits after the first epoch that it takes; what is found is kept with the run.

    Nothing that goes wrong there ends the run.
    """
    is_checked = False

    def checking(event: Event) -> None:
        nonlocal is_checked
        emit(event)
        if is_checked or not isinstance(event, EpochFinished):
            return
        is_checked = True
        try:
            found = suspicions(data, config)
            for line in found:
                emit(Notice(level="warning", message=line))
            keep_warnings(run, [*data.warnings, *found])
        except RunError as error:
            emit(Notice(level="error", message=f"warnings about the splits not saved: {error}"))
        except Exception as error:  # the run goes on without
            emit(Notice(level="warning", message=f"splits not checked: {type(error).__name__}: {error}"))

    return checking
