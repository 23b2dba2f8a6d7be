"""Completes the path of a file while it is typed; the right arrow accepts the suggestion."""

import asyncio
import os
from collections.abc import Sequence

from textual.suggester import Suggester

__all__ = ["PathSuggester", "complete_path"]

MAX_ENTRIES = 10_000
"""Maximum number of entries of a folder that are read."""


class PathSuggester(Suggester):
    """Suggests folders, and files with certain suffixes.

    Args:
        endings: such as ``.csv``.
    """

    def __init__(self, endings: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.endings = tuple(endings)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete_path, value, self.endings)


def complete_path(text: str, endings: Sequence[str]) -> str | None:
    """Return the first file, or else folder, that starts with `text`; None if there is none or nothing was typed."""
    folder, start = os.path.split(text)
    if not start:
        return None
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            near = [
                entry
                for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False)
                if entry.name.startswith(start)
            ]
            files = sorted(entry.name for entry in near if entry.name.lower().endswith(tuple(endings)))
            folders = sorted(entry.name + os.sep for entry in near if entry.is_dir())
    except OSError:  # the text does not lead to a folder yet
        return None
    found = [name for name in (*files, *folders) if name != start]
    return os.path.join(folder, found[0]) if found and start not in files else None
