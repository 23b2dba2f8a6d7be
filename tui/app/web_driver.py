"""The app behind a browser: it ends with its client as it ends with its terminal elsewhere."""

import os
import signal

from textual.drivers.web_driver import WebDriver

__all__ = ["ClientDriver"]


class ClientDriver(WebDriver):
    """Takes the end of the input, which the server closes or leaves behind, for a terminal that goes away.

    What the app trains then goes on in a background process, as after SIGHUP anywhere. Ctrl-C in the terminal of the
    server reaches the apps too; the server alone obeys it, and they end with their clients.
    """

    def start_application_mode(self) -> None:
        super().start_application_mode()
        signal.signal(
            signal.SIGINT, lambda *_: None
        )  # ignored for good, it would be in what the app starts too

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)
