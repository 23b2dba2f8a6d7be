"""The app behind a browser: it quits with its client, as it does with its terminal elsewhere."""

import os
import signal

from textual.drivers.web_driver import WebDriver

__all__ = ["ClientDriver"]


class ClientDriver(WebDriver):
    """Treats end of input, which the server closes or abandons, as a lost terminal.

    The run of the app then continues in a background process, as after SIGHUP. Ctrl-C in the terminal of the server
    also reaches the apps; only the server obeys it, and they quit with their clients.
    """

    def start_application_mode(self) -> None:
        super().start_application_mode()
        signal.signal(
            signal.SIGINT, lambda *_: None
        )  # ignoring it would be inherited by the processes that the app starts

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)
