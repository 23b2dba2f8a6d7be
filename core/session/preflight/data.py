"""Samples of a user's own data in another process: sets of strings come in another order in each."""

import linecache
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from core.data.fingerprint import fingerprint
from core.data.registry import load
from core.errors import DataError, TorchtuiError
from core.session.preflight.finding import Finding, failed
from core.user_code.loading import load_object, module_of, references
from core.user_code.reach import reached

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["class_order"]

UNSORTED = re.compile(r"(?<!sorted\()(?<![\w.])set\(")
"""A set whose order may matter."""


def class_order(prepared: "Prepared") -> Finding | None:
    """Load own data again, with the sets of strings in its code in another order; None where it makes no sets.

    It takes as long as loading did. A single process needs it too: whatever evaluates or goes on with the run is
    another one. It is not done beside the training, which draws from the same random numbers and may use the same
    code, nor in a process beside it, which would import torch and hold the data a second time. So it is left out
    where nothing that the function may run makes such a set.
    """
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
    """Return where code that makes some data makes a set; empty if none does."""
    for code in reached(load_object(reference), module_of(reference)):
        for number in sorted({line for *_, line in code.co_lines() if line is not None}):
            line = linecache.getline(code.co_filename, number)
            if "set" in code.co_names and UNSORTED.search(line.partition("#")[0]):
                return f" ({PurePath(code.co_filename).name}, line {number})"
    return ""


class _Reversed(set[Any]):
    """A set whose strings come in the opposite order; numbers have the same order in all processes."""

    def __iter__(self) -> Iterator[Any]:
        items = [*super().__iter__()]
        return iter(items[::-1] if any(isinstance(item, str | bytes) for item in items) else items)


@contextmanager
def _other_order(reference: str) -> Iterator[None]:
    """Context manager in which the code of a reference makes sets with another order."""
    names = vars(module_of(reference))["__builtins__"]
    before = names["set"]
    names["set"] = _Reversed
    try:
        yield
    finally:
        names["set"] = before
