"""A user's loss, from a Python file."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.errors import ConfigError
from core.losses.base import ALL_KINDS, Loss, Scorer, TargetFacts
from core.user_code.arguments import check_arguments
from core.user_code.loading import Reference, call, load_object

if TYPE_CHECKING:
    from core.losses.own_loss import OwnLoss

__all__ = ["PythonLoss"]


class PythonLoss(Loss):
    """A loss of your own: a function of outputs and targets, or a class of such, in a Python file."""

    takes = ALL_KINDS
    soft_targets = True
    STATIC: ClassVar = False
    GIVEN: ClassVar = 2
    """Arguments of a function that are not settings: outputs and targets."""
    FILLED: ClassVar = dict.fromkeys(
        ("num_classes", "n_classes", "class_counts", "target_mean", "target_std"), True
    )
    """Arguments that the data fills when the signature has them, unless they are given."""

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your class or function: FILE.py:NAME, such as myloss.py:Loss."""
    arguments: dict[str, Any] = {}
    """Its arguments; num_classes, class_counts, target_mean and target_std are filled from the data."""
    activation: Literal["auto", "softmax", "sigmoid", "identity"] = "auto"
    """How outputs become scores: auto is its own `scores`, or softmax of classes, sigmoid of labels, identity."""

    def build(self, targets: TargetFacts) -> "OwnLoss":
        from core.losses.own_loss import OwnLoss

        return OwnLoss(self._function(targets), self.path, self.activation, targets.kind)

    def weighted(self, targets: TargetFacts) -> "OwnLoss":
        return self.build(targets)

    def scorer(self, targets: TargetFacts) -> Scorer:
        return self.build(targets)

    def outputs(self, needed: int) -> int:
        asked = getattr(self._found(), "outputs", None)
        return asked if isinstance(asked, int) and asked > 0 else needed

    def _found(self) -> Callable[..., Any]:
        if not self.path:
            raise ConfigError(
                "loss.path: no file is given", "Give FILE.py:NAME, such as myloss.py:Loss", field="loss.path"
            )
        return load_object(self.path)

    def _function(self, targets: TargetFacts) -> Callable[..., Any]:
        """The loss as a function of outputs and targets."""
        found = self._found()
        classes = len(targets.class_counts)
        facts = (
            classes,
            classes,
            list(targets.class_counts),
            _one_or_all(targets.mean),
            _one_or_all(targets.std),
        )
        filled: dict[str, Any] = dict(zip(self.FILLED, facts, strict=True))
        if inspect.isclass(found):
            made: Callable[..., Any] = call(
                self.path, **check_arguments(found, self.arguments, filled, "loss.arguments")
            )
            return made
        if not inspect.isfunction(found):  # an instance
            return found
        first = [*inspect.signature(found).parameters][: self.GIVEN]
        arguments = check_arguments(
            found, self.arguments, {**filled, **dict.fromkeys(first)}, "loss.arguments"
        )
        return partial(found, **{key: value for key, value in arguments.items() if key not in first})


def _one_or_all(values: Sequence[float]) -> float | list[float]:
    """Return a number for a single target, a list of them for several."""
    return values[0] if len(values) == 1 else list(values)
