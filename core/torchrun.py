"""Detection of ``torchrun``, from what it leaves in the environment: known before torch is imported."""

import os

__all__ = ["is_first", "is_launched"]


def is_launched() -> bool:
    """Return whether this is one of several processes that ``torchrun`` started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def is_first() -> bool:
    """Return whether this is the only process, or the first of several."""
    return not is_launched() or int(os.environ["RANK"]) == 0
