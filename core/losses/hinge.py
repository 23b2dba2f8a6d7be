"""Hinge losses: classes are separated by a margin between their scores."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.losses.base import TargetFacts
from core.losses.classes import ClassLoss

if TYPE_CHECKING:
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["Hinge"]


class Hinge(ClassLoss):
    """Penalises wrong classes that score within the margin of the true one: max(0, margin - s_true + s_wrong)^power."""

    name: Literal["hinge"] = "hinge"
    margin: Annotated[float, Field(gt=0)] = 1.0
    """Margin by which the true class must lead for the loss to be zero."""
    power: Literal[1, 2] = 1
    """1 is the plain hinge, 2 the squared one."""
    variant: Literal["weston_watkins", "crammer_singer"] = "weston_watkins"
    """Which wrong classes count: all, summed and divided by the classes (1999), or the worst one alone (2001)."""

    def losses(self, targets: TargetFacts) -> "LossFunction":
        from torch.nn.functional import multi_margin_loss

        def crammer_singer(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            true = targets.unsqueeze(1)
            wrong = outputs.scatter(1, true, -float("inf")).amax(dim=1)
            lack = (self.margin - outputs.gather(1, true).squeeze(1) + wrong).clamp(min=0)
            return lack**self.power

        def weston_watkins(outputs: "Tensor", targets: "Tensor") -> "Tensor":
            return multi_margin_loss(outputs, targets, self.power, self.margin, reduction="none")

        return crammer_singer if self.variant == "crammer_singer" else weston_watkins
