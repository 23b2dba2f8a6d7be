"""Prints of a program as the lines that a terminal would show in the end.

A progress bar that draws itself a thousand times is one line, and nested bars one line each. Colours, titles and other
requests to the terminal are left out: a kept text is only text.
"""

import re
from codecs import getincrementaldecoder

__all__ = ["PrintedLines"]

LONGEST_LINE = 8192
"""Characters; a longer line is broken."""
MAX_REACH = 16
"""Lines above the last one that a program may return to, as nested progress bars do."""
LONGEST_SEQUENCE = 256
"""Characters of a request to the terminal that has not ended yet; a longer one is none."""

ACTING = re.compile(
    r"\x1b\[(?P<count>\d{0,4})(?P<move>[AB])"  # lines up, lines down
    r"|\x1b\[(?P<part>[012]?)K"  # erase in the line
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
UNUSUAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")


class PrintedLines:
    """Follows a stream of bytes, UTF-8 or what comes close; `feed` returns the lines that no longer change.

    Attributes:
        open_text: the last line, which has not ended.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._held = ""  # the beginning of a sequence
        self._rows, self._row, self._column = [""], 0, 0
        self._reach = 0  # how far up the program has gone so far: so many lines may still change

    @property
    def open_text(self) -> str:
        return self._rows[-1]

    def feed(self, printed: bytes) -> list[str]:
        """Take what was printed next; return the lines that are complete."""
        text = self._held + self._decode(printed)
        self._held = ""
        if self._is_plain() and not UNUSUAL.search(text):
            *done, self._rows[0] = (self._rows[0] + text).split("\n")
            self._column = len(self._rows[0])
            return self._without_overlong(done)
        unfinished = UNFINISHED.search(text, max(0, len(text) - LONGEST_SEQUENCE))
        if unfinished:
            self._held, text = text[unfinished.start() :], text[: unfinished.start()]
        done, position = [], 0
        for found in ACTING.finditer(text):
            self._write(text[position : found.start()])
            self._act(found, done)
            position = found.end()
        self._write(text[position:])
        return self._without_overlong(done)

    def end(self) -> list[str]:
        """Return the lines that are left, at the end of the stream; the last one need not have ended."""
        done = [*self.feed(self._decode(b"", final=True).encode()), *self._rows]
        self._rows, self._row, self._column, self._held = [""], 0, 0, ""
        return done if done[-1] else done[:-1]

    def _is_plain(self) -> bool:
        """Return whether the next character comes after all others."""
        return len(self._rows) == 1 and self._reach == 0 and self._column == len(self._rows[0])

    def _write(self, text: str) -> None:
        if text:
            row = self._rows[self._row]
            after = row[self._column + len(text) :]
            self._rows[self._row] = row[: self._column].ljust(self._column) + text + after
            self._column += len(text)

    def _act(self, found: re.Match[str], done: list[str]) -> None:
        control = found[0]
        if control == "\n":
            self._feed_line(done)
        elif control == "\r":
            self._column = 0
        elif control == "\b":
            self._column = max(0, self._column - 1)
        elif found["move"]:
            self._move(int(found["count"] or 1), up=found["move"] == "A")
        elif found["part"] is not None:
            row = self._rows[self._row]
            kept = "" if found["part"] == "2" else " " * self._column + row[self._column :]
            self._rows[self._row] = kept if found["part"] else row[: self._column]

    def _feed_line(self, done: list[str]) -> None:
        self._row, self._column = self._row + 1, 0
        if self._row == len(self._rows):
            self._rows.append("")
        while self._row > self._reach:
            done.append(self._rows.pop(0))
            self._row -= 1

    def _move(self, count: int, *, up: bool) -> None:
        if up:
            self._reach = max(self._reach, min(count, MAX_REACH))
            self._row = max(0, self._row - count)
        else:
            self._row = min(self._row + count, len(self._rows) - 1)

    def _without_overlong(self, done: list[str]) -> list[str]:
        """Break lines that are too long, so that a program that never ends one fills no memory."""
        row = self._rows[self._row]
        if len(row) > LONGEST_LINE and self._row == len(self._rows) - 1:
            done = [*done, *self._rows[:-1], row]
            self._rows, self._row, self._column = [""], 0, 0
        if all(len(line) <= LONGEST_LINE for line in done):
            return done
        return [
            line[start : start + LONGEST_LINE]
            for line in done
            for start in range(0, max(1, len(line)), LONGEST_LINE)
        ]
