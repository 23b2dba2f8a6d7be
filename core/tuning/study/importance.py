"""Importance of each searched path for the metric."""

import warnings

from optuna.trial import TrialState

from core.tuning.study.storage import reading
from core.tuning.study.study import TuningStudy

__all__ = ["importance"]

LEAST_TRIALS = 4


def importance(study: TuningStudy) -> dict[str, float]:
    """Share of each path, largest first, adding up to 1; empty while too few trials have completed.

    By PED-ANOVA (Watanabe et al. 2023), which also knows paths that only some trials have.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    from optuna.importance import get_param_importances  # brings a terminal library along

    with reading(study.name), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        completed = study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(completed) < LEAST_TRIALS:
            return {}
        found = get_param_importances(study.optuna)
    return {path: share for path, share in found.items() if path in study.plan.space.domains}
