"""L-BFGS: steps that know the curvature, for small networks and large batches."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.errors import ConfigError
from core.optimizers.base import LearningRate, OptimizerOptions

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Lbfgs"]


class Lbfgs(OptimizerOptions):
    """L-BFGS: quasi-Newton steps from the last gradients, best on large batches (Liu and Nocedal 1989)."""

    name: Literal["lbfgs"] = "lbfgs"
    lr: LearningRate = 1.0
    """Learning rate: step size along the search direction, or the first one that the line search tries."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Maximum iterations per step, all on the same batch."""
    history: Annotated[int, Field(ge=1, le=1000)] = 10
    """Past updates used to estimate the curvature; each stores two numbers per weight."""
    line_search: Literal["strong_wolfe", "none"] = "strong_wolfe"
    """Line search for the step size; none uses the learning rate."""

    @property
    def closure(self) -> bool:
        return True

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import LBFGS

        if len(groups := self.param_groups(model)) > 1 and isinstance(groups[0], dict):
            raise ConfigError(
                "optimizer.groups: lbfgs takes one learning rate for all weights",
                "Freeze some, or choose another optimizer",
                field="optimizer.groups",
            )
        search = None if self.line_search == "none" else self.line_search
        return LBFGS(
            groups,
            lr=self.lr,
            max_iter=self.iterations,
            history_size=self.history,
            line_search_fn=search,
        )

    def numbers_kept(self) -> int:
        return 2 * self.history + 2  # and the last gradient and direction
