"""Optimizers whose step computes loss and gradient itself, several times, by calling a function: L-BFGS and its kin."""

import inspect
from typing import Any

__all__ = ["needs_closure"]


def needs_closure(kind: type[Any]) -> bool:
    """Return whether the steps of a class of optimizers cannot be taken without a closure."""
    try:
        parameter = inspect.signature(kind.step).parameters.get("closure")
    except (AttributeError, TypeError, ValueError):
        return False
    return parameter is not None and parameter.default is parameter.empty
