"""Trust in programs of users: those that the user has named, has agreed to, or has run before.

A run folder or a configuration can come from anybody. What only such a file names is not run before the user has
been asked. What the user agrees to is a `Program`: these bytes, with all that they import beside them, and that name
in them. Whatever changes is another program, also while a process lives, and needs new consent. A file that the user
names, on the command line or by typing its path, is the user's own: it may change and run again.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from core.errors import RunError, UntrustedCode
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.remedies import TRUST

if TYPE_CHECKING:  # the settings, and so the first paint, need this module
    from core.user_code.source import Program

__all__ = ["AGREED", "agree", "check", "config_folder", "is_trusted", "take_over", "trust"]

AGREED = "TUI_AGREED_CODE"
"""Environment variable with the digests of programs that the process which started this one may run."""
_named: set[Path] = set()
"""Files that the user has named to this process."""
_agreed: set[str] = set()
"""Digests of programs that ran, or that the user has agreed to, in this process: the list on disk may be read-only."""


def config_folder() -> Path:
    """Return the folder of this user's settings: that of ``TUI_CONFIG``, or the platform's."""
    given = os.environ.get("TUI_CONFIG")
    return Path(given).parent if given else platformdirs.user_config_path("torchtui")


def trust(path: Path) -> None:
    """Note that the user has named a file: it may run, also when it changes while this process lives."""
    _named.add(path.expanduser().resolve())


def is_trusted(program: "Program") -> bool:
    """Return whether the user has named the file of this program, has agreed to the program, or has run it before."""
    return program.source.path in _named or program.digest in _known()


def agree(programs: "Iterable[Program]") -> None:
    """Note that the user agrees that these programs run, as they were read, from now on and in every process."""
    take_over(program.digest for program in programs)
    new = _agreed - _listed()
    if new:
        with suppress(RunError):  # a folder that cannot be written: another process asks once more
            _write(_listed() | new)


def take_over(digests: Iterable[str]) -> None:
    """Note what another process of the user has consent for, in this process alone."""
    _agreed.update(digests)


def check(program: "Program") -> None:
    """Let a program run, and remember that it did.

    Raises:
        UntrustedCode: the user has neither named it, nor agreed to it, nor run it before.
    """
    if not is_trusted(program):
        raise UntrustedCode(
            f"{program} is a program that you have neither named nor run before",
            ("Read it, then name it yourself or ", TRUST),
        )
    if program.digest not in _agreed:
        agree([program])


def _known() -> set[str]:
    return _agreed | _listed() | set(os.environ.get(AGREED, "").split())


def _file() -> Path:
    return config_folder() / "trusted_code.json"


def _listed() -> set[str]:
    """The digests of what ran before; none when the list is missing or damaged, since one can be asked again."""
    try:
        digests = json.loads(read_bytes(_file(), follow_links=True))["programs"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return set()
    return {value for value in digests if isinstance(value, str)} if isinstance(digests, list) else set()


def _write(digests: set[str]) -> None:
    text = json.dumps({"programs": sorted(digests)}, indent=1)
    with creating(_file()):
        _file().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(_file(), lambda file: file.write(text.encode()), private=True)
