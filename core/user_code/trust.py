"""Trust in Python files of users: those that the user has named, and those that ran before, by SHA-256.

A run folder or a configuration can come from anybody. What only such a file names is not run before the user has
been asked.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from core.errors import RunError, UntrustedCode
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.remedies import TRUST
from core.user_code.source import UserSource

__all__ = ["check", "config_folder", "is_trusted", "trust"]

_named: set[Path] = set()
"""Files that the user has named to this process: they may change and run again."""


def config_folder() -> Path:
    """Return the folder of this user's settings: that of ``TUI_CONFIG``, or the platform's."""
    given = os.environ.get("TUI_CONFIG")
    return Path(given).parent if given else platformdirs.user_config_path("torchtui")


def trust(path: Path) -> None:
    """The user has named a file, or has agreed that it runs: also when it changes while this process lives."""
    _named.add(path.expanduser().resolve())


def is_trusted(source: UserSource) -> bool:
    """Return whether the user has named this file, or has run all of it before."""
    return source.path in _named or set(source.hashes.values()) <= _known()


def check(source: UserSource) -> None:
    """Let a file run, and remember that it did.

    Raises:
        UntrustedCode: the user has neither named it nor run it before.
    """
    if not is_trusted(source):
        raise UntrustedCode(
            f"{source.path} is a program that you have neither named nor run before",
            ("Read it, then name it yourself or ", TRUST),
        )
    new = set(source.hashes.values()) - _known()
    if new:
        with suppress(RunError):  # a folder that cannot be written: the user is asked once more
            _remember(new)


def _file() -> Path:
    return config_folder() / "trusted_code.json"


def _known() -> set[str]:
    """The hashes of what ran before; none when the list is missing or damaged, since one can be asked again."""
    try:
        hashes = json.loads(read_bytes(_file(), follow_links=True))["sha256"]
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    return {value for value in hashes if isinstance(value, str)} if isinstance(hashes, list) else set()


def _remember(new: set[str]) -> None:
    text = json.dumps({"sha256": sorted(_known() | new)}, indent=1)
    with creating(_file()):
        _file().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(_file(), lambda file: file.write(text.encode()), private=True)
