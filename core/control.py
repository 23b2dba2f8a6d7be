"""Requests to a training loop: plain flags, safe to set from any thread or signal handler."""

import time
from typing import Literal, assert_never

__all__ = ["Request", "RunControl"]

Request = Literal["pause", "resume", "stop", "checkpoint", "watch_layers"]

PAUSE_POLL_SECONDS = 0.05


class RunControl:
    """Requests to a running loop, which looks at `attention` once a step.

    Plain flags and no locks: a lock taken in a signal handler could wait for the very thread it interrupted.

    Attributes:
        waited: seconds that the loop has spent in pauses.
    """

    def __init__(self) -> None:
        self._stop = False
        self._paused = False
        self._checkpoint = False
        self._layers = False
        self.waited = 0.0

    def stop(self) -> None:
        """End after the current batch; a paused loop ends too."""
        self._stop = True

    def pause(self) -> None:
        """Wait after the current batch until `resume` or `stop`."""
        self._paused = True

    def resume(self) -> None:
        """Resume after `pause`."""
        self._paused = False

    def checkpoint(self) -> None:
        """Save a checkpoint after the current batch."""
        self._checkpoint = True

    def watch_layers(self) -> None:
        """Report norms and dead units of the layers from now on."""
        self._layers = True

    def obey(self, request: Request) -> None:
        """Carry out a request given by its name."""
        match request:
            case "pause":
                self.pause()
            case "resume":
                self.resume()
            case "stop":
                self.stop()
            case "checkpoint":
                self.checkpoint()
            case "watch_layers":
                self.watch_layers()
            case _:
                assert_never(request)

    @property
    def attention(self) -> bool:
        """Return whether anything was asked for."""
        return self._stop or self._paused or self._checkpoint or self._layers

    @property
    def stop_requested(self) -> bool:
        """Return whether the loop shall end."""
        return self._stop

    @property
    def paused(self) -> bool:
        """Return whether the loop shall wait."""
        return self._paused and not self._stop

    def wait_while_paused(self) -> None:
        """Return as soon as `resume`, `stop` or `checkpoint` was called; a checkpoint is possible in a pause."""
        began = time.monotonic()
        while self.paused and not self._checkpoint:
            time.sleep(PAUSE_POLL_SECONDS)
        self.waited += time.monotonic() - began

    def take_checkpoint_request(self) -> bool:
        """Return whether a checkpoint was asked for since the last call; called by the loop."""
        asked, self._checkpoint = self._checkpoint, False
        return asked

    def take_layers_request(self) -> bool:
        """Return whether the layers were asked for since the last call; called by the loop."""
        asked, self._layers = self._layers, False
        return asked
