"""Parts shared by the headless views of runs and of studies."""

import os
import sys
from typing import Literal, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from tui.terminal.text import clean

__all__ = ["Choice", "LineView", "LiveView", "SilentView", "choose"]

STYLES = {"info": "dim", "warning": "yellow", "error": "red"}

Choice = Literal["json", "quiet", "live", "plain"]


class Message(Protocol):
    """A notice of a run or of a study."""

    @property
    def level(self) -> Literal["info", "warning", "error"]: ...

    @property
    def message(self) -> str: ...


def choose(*, as_json: bool, quiet: bool) -> Choice:
    """Choose JSON lines or nothing when asked for, a progress bar on a terminal, plain lines elsewhere."""
    if as_json:
        return "json"
    if quiet:
        return "quiet"
    return "live" if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else "plain"


def message_text(notice: Message) -> str:
    """Return a notice as a line."""
    return f"{notice.level}: {clean(notice.message)}"


class SilentView:
    """Base of the views that show no preparation and leave nothing on the terminal."""

    def preparing(self, what: str, done: int, total: int) -> None: ...

    def close(self) -> None: ...


class LineView(SilentView):
    """Base of the views that print lines without control characters, fit for a file or a batch system's log."""

    def __init__(self) -> None:
        self._prepared = ""

    def print(self, line: str) -> None:
        """Print a line at once."""
        print(line, flush=True)

    def print_message(self, notice: Message) -> None:
        """Print a notice."""
        self.print(message_text(notice))

    def preparing(self, what: str, done: int, total: int) -> None:
        """Print each step of the preparation once."""
        if what != self._prepared:
            self.print(clean(what))
            self._prepared = what


class LiveView:
    """Base of the views with a progress bar: a title, the bar, and facts beside it.

    It is drawn on the calling thread when events arrive: a second thread would take time from training.
    """

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.bar = Progress(
            TextColumn("{task.fields[title]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[facts]}"),
            console=self.console,
            auto_refresh=False,
            transient=True,
        )

    def print_message(self, notice: Message) -> None:
        """Print a notice above the bar."""
        self.console.print(Text(message_text(notice), STYLES[notice.level]))

    def start(self, total: float | None, completed: int = 0, title: str = "") -> None:
        """Start the bar."""
        self.bar.add_task("", total=total, completed=completed, title=title, facts="")
        self.bar.start()

    def draw(self, total: float | None, completed: float, title: str, facts: str) -> None:
        """Draw the bar anew."""
        task = self.bar.tasks[0].id
        self.bar.update(task, total=total, completed=completed, title=title, facts=facts)
        self.bar.refresh()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.bar.stop()
