"""A preparation that takes as long as it takes to be stopped, in place of a download."""

import threading
import time
from typing import NoReturn

from core.data.dataset import Progress

__all__ = ["Preparation"]


class Preparation:
    """Stands for ``core.session.session.prepare``.

    Attributes:
        begun: set when it goes on.
        go_on: cleared, it hears of nothing, as between two pieces of a slow download.
    """

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(self, config: object, data_root: object, progress: Progress, **options: object) -> NoReturn:
        progress("downloading", 1, 2)
        self.begun.set()
        while True:
            self.go_on.wait()
            progress("downloading", 1, 2)
            time.sleep(0.001)
