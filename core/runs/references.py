"""References: how ``latest``, a name, or a part of one leads to a run or a study."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.errors import RunError
from core.remedies import Hint

__all__ = ["LATEST", "NOBODY", "STUDY", "matches", "resolve"]

LATEST = "latest"
"""Refers to the run, or the study, that was started or resumed last."""
STUDY = "study_"
"""Begins the name of the folder of a study."""
NOBODY: Final[Mapping[str, str]] = {}
"""No name of a user's own."""
DATED = re.compile(rf"^({STUDY})?\d{{4}}-\d\d-\d\d_\d{{4}}_")
MAX_NAMED = 3
"""Largest number of matches that the message of an ambiguous reference lists."""


def matches(reference: str, name: str, prefix: str = "") -> bool:
    """Return whether a reference means this name, perhaps among others."""
    return (
        reference == LATEST
        or name.startswith((reference, prefix + reference))
        or name.endswith(f"_{reference}")
    )


def _undated(name: str) -> str:
    """Return a name without the date before and the letters behind it, such as that which a script has given."""
    return DATED.sub("", name).rpartition("_")[0]


def resolve(
    reference: str,
    names: Sequence[str],
    *,
    started: Callable[[str], float],
    kind: tuple[str, str],
    where: str,
    hint: Hint,
    prefix: str = "",
    called: Mapping[str, str] = NOBODY,
) -> str:
    """Return the name that a reference means.

    A reference is ``latest``, a whole name, the beginning of a name, its last letters after a ``_``, or what lies
    between its date and these. A whole name is never ambiguous, even if other names start with it.

    Args:
        names: in the order in which an ambiguous reference lists them; of names started at the same time ``latest``
            takes the first.
        started: returns when a name was started or resumed last; asked for ``latest`` only.
        kind: what the names belong to, as one and as several: ``("run", "runs")``.
        where: the place that was searched, such as ``in runs``.
        hint: what to do if nothing matches.
        prefix: may be left out at the beginning of a reference.
        called: what users call the names; it counts where the reference is none of the above.

    Raises:
        RunError: the reference is empty, or matches no name or several.
    """
    one, several = kind
    if reference == LATEST:
        if not names:
            raise RunError(f"there are no {several} {where}", hint)
        return max(names, key=started)
    if not reference:
        raise RunError(f"the name of the {one} is empty", hint)
    found = (
        [name for name in names if name == reference]
        or [name for name in names if matches(reference, name, prefix)]
        or [name for name in names if called.get(name) == reference]
        or [name for name in names if called.get(name, "").startswith(reference)]
        or [name for name in names if _undated(name) == reference]
    )
    if not found:
        raise RunError(f"no {one} '{reference}' {where}", hint)
    if len(found) > 1:
        listed = ", ".join(found[:MAX_NAMED]) + ", ..." * (len(found) > MAX_NAMED)
        raise RunError(
            f"'{reference}' is ambiguous: it matches {len(found)} {several} ({listed})",
            "Use a longer prefix",
        )
    return found[0]
