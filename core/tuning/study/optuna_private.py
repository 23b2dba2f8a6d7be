"""Private parts of Optuna. Without them a study says the same, but reads more from its storage, and its search method
knows less of trials that pause or fail.
"""

from collections.abc import Callable, Container
from copy import deepcopy as deep_copy
from typing import Any

from optuna import Study, storages
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

__all__ = ["SeenStudy", "remember_trials"]


def remember_trials(storage: BaseStorage) -> BaseStorage:
    """Return a storage that keeps finished trials in memory, for whoever reads it without a study.

    Optuna puts this around the database of each study; then both are the same object, and what one has read the
    other knows. The function that does so is "only for internal usage"; without it each has its own view.
    """
    wrap = getattr(storages, "get_storage", None)
    return storage if wrap is None else wrap(storage)


class SeenStudy(Study):
    """A study whose trials appear in another way to whoever reads them, such as a sampler; all else is the study's.

    Samplers read trials by a private method of a study. Without it they see those of the storage, every attempt as a
    trial of its own.

    Args:
        see: returns the trials that there seem to be.
    """

    def __init__(self, study: Study, see: Callable[[list[FrozenTrial]], list[FrozenTrial]]) -> None:
        vars(self).update(vars(study))
        self._seen = see(study.get_trials(deepcopy=False))

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
        **more: Any,
    ) -> list[FrozenTrial]:
        found = [trial for trial in self._seen if states is None or trial.state in states]
        return deep_copy(found) if deepcopy else found
