"""Values of a narrower type than their declaration says: asserted at run time, known to the type checker."""

from typing import TypeVar

__all__ = ["instance", "some"]

T = TypeVar("T")


def some(value: T | None) -> T:
    """Return a value that has to be there."""
    assert value is not None
    return value


def instance(kind: type[T], value: object) -> T:
    """Return a value that has to be of a class."""
    assert isinstance(value, kind), f"{value!r} is not a {kind.__name__}"
    return value
