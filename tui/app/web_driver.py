"""The app behind a browser: it quits with its client, as it does with its terminal elsewhere."""

import asyncio
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
        """Start, and let the signals be handled as on a terminal.

        The handlers of the event loop would also hear what is sent to a worker that user code forked: it shares the
        loop's socket.
        """
        on_terminate = signal.getsignal(signal.SIGTERM)
        super().start_application_mode()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        signal.signal(signal.SIGTERM, on_terminate)
        # Ignoring it would be inherited by the processes that the app starts.
        signal.signal(signal.SIGINT, lambda *_: None)

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)
