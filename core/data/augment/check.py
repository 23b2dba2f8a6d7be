"""Check that an augmentation fits the data and the loss, before anything is trained."""

from collections.abc import Sequence
from typing import Any

from core.data.augment.options import Augmentation, parse
from core.data.kinds.registry import KindName, kind_of
from core.errors import ConfigError
from core.losses import LossConfig
from core.options import choices
from core.tasks.losses import check_soft_targets
from core.tasks.registry import task_of

__all__ = ["check_augment"]


def check_augment(options: Any, loss: LossConfig, kind: KindName, task: str) -> None:
    """Make sure that the augmentation in the options of a data set fits.

    Args:
        options: of any data set; one that knows no augmentation fits.
        kind: of the samples, as the data set turned out to be.

    Raises:
        ConfigError: it does not.
    """
    asked = [parse(text) for text in getattr(options, "augment", ())]
    known = kind_of(kind).augmentations
    strange = next((one.name for one in asked if one.name not in known), "")
    if strange:
        raise ConfigError(
            f"data.augment: {strange} does not fit {kind_of(kind).samples}",
            f"Takes {', '.join(known)}" if known else "Leave it empty",
            field="data.augment",
        )
    if task_of(task).on_images:
        _check_moved(asked)
    mixing = next((one.name for one in asked if one.mixes), "")
    if not mixing:
        return
    if not task_of(task).mixes:
        raise ConfigError(
            f"data.augment: {mixing} mixes classes, but this is a {task} task",
            "Leave it out",
            field="data.augment",
        )
    check_soft_targets(loss, task, f"{mixing} mixes two, which data.augment can leave out")


def _check_moved(asked: Sequence[Augmentation]) -> None:
    """Refuse what would change images and leave their masks where they are."""
    for one in asked:
        if one.masks == "unknown":
            fitting = [
                name
                for name, option in choices(Augmentation).items()
                if getattr(option, "masks", "") != "unknown"
            ]
            raise ConfigError(
                f"data.augment: {one.name} would move the pixels of images, but not of masks",
                f"Those that fit: {', '.join(fitting)}",
                field="data.augment",
            )
