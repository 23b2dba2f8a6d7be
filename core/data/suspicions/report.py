"""All that looks suspicious about a data set's splits, a line each with what to do; nothing of it stops a run."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.data.suspicions.columns import checked
from core.data.suspicions.duplicates import duplicates, near_duplicates
from core.data.suspicions.giveaways import giveaways
from core.data.suspicions.names import dates, repeated_ids
from core.data.suspicions.shifts import shifts

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from core.data.options import DataOptions

__all__ = ["examined", "suspicions"]


def examined(data: "Dataset", options: "DataOptions") -> "Dataset":
    """Return a data set with what looks suspicious about it, and without what only that needs."""
    return replace(data, warnings=(*data.warnings, *suspicions(data, options)), raw=None)


def suspicions(data: "Dataset", options: "DataOptions") -> tuple[str, ...]:
    """Return what looks suspicious. Takes a time that is linear in the samples, and bounded beyond some thousands."""
    if data.is_streamed:
        return ()  # they are read while they are trained on
    if not len(data.train) or not (len(data.validation) or len(data.test)):
        return ()
    columns = checked(data)
    lines, exact = duplicates(data, columns)
    lines += near_duplicates(data, exact)
    if not options.group and not options.split:
        lines += repeated_ids(columns)
    by_chance = not (options.time or options.split)
    if by_chance and not options.group:
        lines += dates(columns)
    lines += giveaways(columns)
    if options.time or options.split or _is_apart(data):
        lines += shifts(data, columns)
    return tuple(lines)


def _is_apart(data: "Dataset") -> bool:
    """Return whether the test samples come from another source: their positions are those of training samples, too."""
    return bool(len(data.test)) and bool(np.isin(data.test.indices, data.train.indices).any())
