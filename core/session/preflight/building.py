"""Building a network, and what its constructor does to settings that all networks share."""

import torch
from torch import nn

from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.events import Notice
from core.models.own.python import Python
from core.models.registry import build
from core.session.preflight.places import place_of
from core.session.preflight.surroundings import changed_settings, ensure_unchanged, settings
from core.user_code.loading import dtype_set_by

__all__ = ["build_watched"]


def build_watched(config: TrainConfig, data: Dataset, outputs: int) -> tuple[nn.Module, tuple[Notice, ...]]:
    """Return the network of a new run, and what to report about its constructor; global settings stay as they are.

    Args:
        outputs: how many numbers it gives for one sample.

    Raises:
        ModelError: it cannot take this data, or changes a setting that every computation depends on.
    """
    before = settings()
    try:
        model = build(config.model, data, config.training.seed, outputs)
    finally:
        changed = changed_settings(before)
    dtype = dtype_set_by(config.model.path) if isinstance(config.model, Python) else None
    if dtype is not None:
        changed["default dtype"] = dtype
    ensure_unchanged(changed, "the network's code", model, config)
    if config.model.STATIC or torch.initial_seed() == config.training.seed:
        return model, ()
    where = place_of("seed", model, config)
    message = (
        f"the network's constructor sets the seed{where}: training.seed does not change its initial weights"
    )
    return model, (Notice(level="warning", message=message),)
