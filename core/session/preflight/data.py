"""Samples of a user's own data in another process: sets of strings come in another order in each."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.data.fingerprint import fingerprint
from core.data.registry import load
from core.errors import DataError, TorchtuiError
from core.session.preflight.finding import Finding, failed
from core.user_code.loading import load_object, references, source_of

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["class_order"]

UNSORTED = re.compile(r"(?<!sorted\()(?<![\w.])set\(")
"""A set whose order may matter."""


def class_order(prepared: "Prepared") -> Finding | None:
    """Load own data again, with the sets of strings in its code in another order; None where it makes no sets."""
    named = [used.reference for used in references(prepared.config) if used.section == "data"]
    place = _place(named[0]) if named else ""
    if not place:
        return None
    name = "data is the same in every process"
    try:
        with _other_order(named[0]):
            again = load(prepared.config.data, None)
    except TorchtuiError:  # it looks at the type of a set, or reads what can be read once
        return None
    given = prepared.data
    if again.class_names == given.class_names and fingerprint(again) == fingerprint(given):
        return Finding(name)
    return failed(
        name,
        DataError(
            f"data.path: classes or samples differ between processes, as a set of strings has no order{place}",
            "Use sorted(set(...))",
        ),
    )


def _place(reference: str) -> str:
    """Return where the code of some data makes a set; empty if it makes none."""
    for file, content in source_of(reference).files.items():
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            if UNSORTED.search(line.partition("#")[0]):
                return f" ({file.rpartition('/')[2]}, line {number})"
    return ""


class _Reversed(set[Any]):
    """A set whose strings come in the opposite order; numbers have the same order in all processes."""

    def __iter__(self) -> Iterator[Any]:
        items = [*super().__iter__()]
        return iter(items[::-1] if any(isinstance(item, str | bytes) for item in items) else items)


@contextmanager
def _other_order(reference: str) -> Iterator[None]:
    """Context manager in which the code of a reference makes sets with another order."""
    module = sys.modules[load_object(reference).__module__]
    names = vars(module)["__builtins__"]
    before = names["set"]
    names["set"] = _Reversed
    try:
        yield
    finally:
        names["set"] = before
