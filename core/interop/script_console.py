"""Output of a script, kept with its run while it goes where it always went."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.files.console import ConsoleLog

__all__ = ["ScriptConsole"]


class ScriptConsole:
    """Keeps what is written to ``sys.stdout`` and ``sys.stderr`` from now on; that of a forked process is left out.

    The streams stay the same objects, so that handlers of ``logging`` that were made before are heard, too. What C
    libraries and other processes write to the descriptors is not seen.
    """

    def __init__(self, path: Path) -> None:
        self._log = ConsoleLog(path)
        self._lock, self._process = threading.Lock(), os.getpid()
        self._before = [(stream, vars(stream).get("write")) for stream in (sys.stdout, sys.stderr) if stream]
        for stream, _ in self._before:
            self._listen(stream)

    def close(self) -> None:
        """Keep no more."""
        for stream, write in self._before:
            del vars(stream)["write"]
            if write is not None:  # of another one that listens
                vars(stream)["write"] = write
        with self._lock:
            self._log.close()

    def _listen(self, stream: Any) -> None:
        write: Callable[[str], Any] = stream.write

        def write_and_keep(text: str) -> Any:
            written = write(text)
            if os.getpid() == self._process:
                with self._lock:
                    self._log.write(text.encode(errors="replace"))
            return written

        stream.write = write_and_keep
