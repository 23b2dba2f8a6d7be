"""Losses and metrics that name targets before outputs, as those of scikit-learn and Keras do: what gives them away."""

import inspect
import math
import re
from collections.abc import Callable
from typing import Any

__all__ = ["needs_reverse", "reversed_names"]

TARGETS = re.compile("y|y_true|true|(ground_)?truth|gt|targets?|labels?|actuals?|observed|expected")
OUTPUTS = re.compile(
    "y_(pred|hat|score|prob)|yhat|preds?|predicted|predictions?|forecast|estimate|outputs?|out|inputs?|logits?|scores?|"
    "prob(s|abilities)?"
)
"""Names of parameters that leave no doubt, if one of these follows one of those."""


def reversed_names(called: Callable[..., Any]) -> tuple[str, str] | None:
    """Return the names of the first two parameters of what is called, if they mean targets and outputs; else None."""
    try:
        names = [*inspect.signature(getattr(called, "forward", called)).parameters][:2]
    except (TypeError, ValueError):  # it is written in C
        return None
    if len(names) == 2 and TARGETS.fullmatch(names[0].lower()) and OUTPUTS.fullmatch(names[1].lower()):
        return names[0], names[1]
    return None


def needs_reverse(value: Callable[[Any, Any], float], outputs: Any, targets: Any) -> bool:
    """Return whether what names targets first needs them first.

    It does not if both orders give the same, as those of a squared error, or only the other one works.

    Args:
        value: calls it with two arguments, and returns its answer as a number.
    """
    try:
        reverse = value(targets, outputs)
    except Exception:  # the user's own code raises whatever it likes
        return False
    try:
        given = value(outputs, targets)
    except Exception:  # as above
        return True
    return not math.isclose(given, reverse, rel_tol=1e-5) and not math.isnan(given)
