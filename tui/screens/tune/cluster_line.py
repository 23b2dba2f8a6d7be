"""The line below the settings of the search: resources that are free on the Ray cluster that a study would train on."""

import threading
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from core.errors import RunError
from tui.forms.remedies import error_in_app
from tui.runtime.ray_cluster import ask_cluster
from tui.terminal.text import clean
from tui.widgets.field import LABEL_CELLS

__all__ = ["ClusterLine"]

ASK_SECONDS = 0.6
"""The cluster is asked once its address has not changed for so long."""
NONE_RUNS = "none runs here: the study starts one"


class ClusterLine(Static):
    """Asks a cluster what is free, on a thread; hidden while no study would train on one."""

    @dataclass
    class Answered(Message):
        """The cluster, or its absence, is known."""

        address: str
        text: str

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.display = False
        self._address: str | None = None
        self._unwanted = threading.Event()
        self._timer: Timer | None = None

    def on_unmount(self) -> None:
        self._unwanted.set()

    def ask(self, address: str | None) -> None:
        """Show what is free on the cluster at an address, empty for the one that runs here; None for no cluster."""
        if address == self._address:
            return
        self._address = address
        self._unwanted.set()
        if self._timer is not None:
            self._timer.stop()
        self.display = address is not None
        if address is not None:
            self._tell("asking ...")
            self._timer = self.set_timer(ASK_SECONDS, partial(self._ask, address))

    def _ask(self, address: str) -> None:
        self._unwanted = unwanted = threading.Event()

        def ask() -> None:
            try:
                text = ask_cluster(address, unwanted.is_set)
            except RunError as error:
                text = f"✗ {error_in_app(error)}" if address else NONE_RUNS
            self.post_message(self.Answered(address, text))

        self.run_worker(ask, thread=True, name="cluster")

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        if event.address == self._address and event.text:
            self._tell(event.text)

    def _tell(self, text: str) -> None:
        color = "$text-error" if text.startswith("✗") else "$foreground 80%"
        label = Content.styled(f"  {'cluster':<{LABEL_CELLS - 2}}", "$foreground")
        self.update(Content.assemble(label, Content.styled(clean(text), color)))
