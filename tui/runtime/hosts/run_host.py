"""A run that is trained somewhere, as the screens see it: events come out, requests go in."""

from typing import Protocol

from core.control import Request
from core.events import Event
from core.runs.folder import Run

__all__ = ["RunHost"]


class RunHost(Protocol):
    """One run, wherever it is trained.

    Attributes:
        run: None until its folder exists.
        name: what the run is called.
        note: current step of preparation, such as a download, until the first event after a start or resume.
        error: why it could not start.
        obeys: whether its trainer accepts requests.
        starting: status to show while its note says what is being prepared.
        place: where it trains, if that is not this machine; in one line.
        silent: status to show when nothing trains it and its log does not record how it ended.
    """

    note: str

    @property
    def run(self) -> Run | None:
        """See above."""

    @property
    def starting(self) -> str:
        """See above."""

    @property
    def place(self) -> str:
        """See above."""

    @property
    def silent(self) -> str:
        """See above."""

    @property
    def obeys(self) -> bool:
        """See above."""

    @property
    def error(self) -> BaseException | None:
        """See above."""

    def drain(self) -> list[Event]:
        """Return the events since the last call; never block."""

    def request(self, request: Request) -> None:
        """Send a request to the training process."""

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for training in this process to finish; return whether it has."""

    @property
    def name(self) -> str:
        """See above."""

    @property
    def alive(self) -> bool:
        """Return whether something still trains."""
