"""Options of the evaluation of a run that is complete."""

from typing import Literal

from core.options import Options

__all__ = ["Evaluated"]


class Evaluated(Options):
    """Splits on which the best weights are evaluated when the run is complete; validation always is."""

    test: Literal["end", "never"] = "end"
    """When to evaluate on the test split: at the end of the run, or never, until you open it yourself."""
