"""The columns of a table to choose a target from, in lines: the form and the command line show the same."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.forms.command_line import written
from tui.terminal.text import clean, fit

if TYPE_CHECKING:
    from core.data.tables.targets.choose import Candidate, TargetUnclear

__all__ = ["target_help", "target_lines"]

MAX_LINES, MAX_COMMANDS = 40, 3
NAME_CELLS, HOLDS_CELLS = 32, 16


def target_lines(candidates: "Sequence[Candidate]") -> list[str]:
    """Return a line for each column: its name, what it holds, and why it is not likely."""
    width = min(NAME_CELLS, max((cell_len(clean(each.name)) for each in candidates), default=1))
    return [
        f"{fit(clean(each.name), width)}  {each.holds:<{HOLDS_CELLS}}{each.never}".rstrip()
        for each in candidates
    ]


def target_help(error: "TargetUnclear") -> list[str]:
    """Return the columns, and a command for each of the likeliest, ready to run."""
    shown = target_lines(error.candidates)[:MAX_LINES]
    more = len(error.candidates) - len(shown)
    likely = [each.name for each in error.candidates if not each.never] or [error.candidates[0].name]
    commands = [
        f"  tui train --no-ui --data {shlex.quote(error.path)} --set {shlex.quote('data.target=' + written(name))}"
        for name in likely[:MAX_COMMANDS]
    ]
    return [
        "its columns, most likely first:",
        *(f"  {line}" for line in shown),
        *([f"  and {more:,} more"] if more else []),
        "choose one, for example:",
        *commands,
    ]
