"""Types of the fixtures that many tests share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from core.control import RunControl
    from core.data.dataset import Dataset
    from core.events import Event
    from core.runs.folder import Run
    from tests.conftest import Action, Trained
    from tests.support.terminal import Terminal

__all__ = ["LoadData", "OpenTerminal", "TrainRun", "WriteRun"]


class WriteRun(Protocol):
    """See the fixture `write_run`."""

    def __call__(
        self,
        name: str,
        losses: Sequence[float],
        *,
        values: dict[str, Any] | None = None,
        seconds: float = 2.0,
        accuracy: float | None = None,
        finished: bool = True,
    ) -> "Run": ...


class TrainRun(Protocol):
    """See the fixture `train_run`."""

    def __call__(
        self,
        values: dict[str, Any] | None = None,
        *,
        run: "Run | None" = None,
        at_step: "tuple[int, Action] | None" = None,
        on_event: "Callable[[Event, RunControl], None]" = ...,
    ) -> "Trained": ...


class LoadData(Protocol):
    """See the fixture `load_data`."""

    def __call__(self, name: str, **fields: Any) -> "Dataset": ...


class OpenTerminal(Protocol):
    """See the fixture `terminal`."""

    def __call__(
        self, *arguments: str, script: Path | None = None, columns: int = 100, rows: int = 32
    ) -> "Terminal": ...
