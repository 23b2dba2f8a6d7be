"""A terminal that goes away does not end a training: the run goes on in a background process."""

import os
import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app import TuiApp

__all__ = ["survive_hangup"]


def survive_hangup(app: "TuiApp") -> None:
    """On SIGHUP (the connection dropped) save the run and go on with it in the background; then leave.

    SIGTERM saves it and leaves. Nothing more is drawn: nobody is there to see it.
    """

    def hung_up(number: int, frame: FrameType | None) -> None:
        app.detach()
        os._exit(128 + number)

    def terminated(number: int, frame: FrameType | None) -> None:
        app.stop_training()
        os._exit(128 + number)

    signal.signal(signal.SIGHUP, hung_up)
    signal.signal(signal.SIGTERM, terminated)
