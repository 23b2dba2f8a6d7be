"""Private parts of Optuna. Without them a study says the same, but reads more from its storage."""

from optuna import storages
from optuna.storages import BaseStorage

__all__ = ["remember_trials"]


def remember_trials(storage: BaseStorage) -> BaseStorage:
    """Return a storage that keeps finished trials in memory, for whoever reads it without a study.

    Optuna puts this around the database of each study; then both are the same object, and what one has read the
    other knows. The function that does so is "only for internal usage"; without it each has its own view.
    """
    wrap = getattr(storages, "get_storage", None)
    return storage if wrap is None else wrap(storage)
