"""A real pseudo-terminal: a program runs in it as for a person, and its screen is read back."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

SECONDS = 300


class Screen(pyte.Screen):
    """A screen whose answers to questions reach the program."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], object]) -> None:
        super().__init__(columns, rows)
        self.answer = answer

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """Runs Python with `arguments`, such as ``-m tui``, in a terminal of `columns` x `rows`."""

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        columns: int = 100,
        rows: int = 32,
        python: str | Path = sys.executable,
    ) -> None:
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "TUI_RUNS": str(folder / "runs"),
            "TUI_CONFIG": str(folder / "settings.json"),
        }
        environment.pop("NO_COLOR", None)
        self.folder = folder
        self.screen = Screen(columns, rows, answer=lambda text: self.process.send(text))
        self.stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(
            str(python),
            arguments,
            env=environment,
            cwd=str(folder),
            dimensions=(rows, columns),
            timeout=SECONDS,
        )

    @property
    def text(self) -> str:
        """Return the text of the screen."""
        return "\n".join(self.screen.display)

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """Read until the screen shows a text, or fulfils a condition; the screen then."""
        matches = wanted if callable(wanted) else lambda text: wanted in text
        deadline = time.monotonic() + SECONDS
        while not matches(self.text):
            if time.monotonic() > deadline:
                raise AssertionError(f"never saw {wanted!r}; the screen:\n{self.text}")
            try:
                self.stream.feed(self.process.read_nonblocking(65536, timeout=SECONDS))
            except (pexpect.TIMEOUT, pexpect.EOF):
                raise AssertionError(f"never saw {wanted!r}; the screen:\n{self.text}") from None
        return self.text

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        self.process.send("".join(keys))

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def end(self) -> int:
        """Read to the end of the program; its exit status."""
        while True:
            try:
                self.stream.feed(self.process.read_nonblocking(65536, timeout=SECONDS))
            except pexpect.EOF:
                break
        self.process.close()
        status: int | None = self.process.exitstatus
        return 128 + int(self.process.signalstatus) if status is None else status

    def is_clean(self) -> bool:
        """Return whether the program has given back the normal screen, the cursor and the mouse."""
        private_modes = {mode >> 5 for mode in self.screen.mode if mode > 31}
        return 25 in private_modes and not private_modes & {1000, 1003, 1006, 1049}
