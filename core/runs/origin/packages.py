"""Packages that are installed here, with their versions."""

import re
import sys
from functools import cache
from pathlib import Path

__all__ = ["installed_packages"]

NAMED = re.compile(r"([A-Za-z0-9][\w.]*?)-([^-]+)\.dist-info")


@cache
def installed_packages() -> dict[str, str]:
    """Return name -> version of all packages that Python finds here, as the names of their folders say.

    Reading the metadata of hundreds of packages would take longer than the first epoch of a small network.
    """
    found: dict[str, str] = {}
    for place in sys.path:
        folder = Path(place or ".")
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        for match in filter(None, map(NAMED.fullmatch, names)):
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
    return dict(sorted(found.items()))
