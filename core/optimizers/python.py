"""A user's optimizer, from a Python file."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.errors import ConfigError, TorchtuiError
from core.optimizers.base import OptimizerOptions
from core.optimizers.closure import needs_closure
from core.user_code.arguments import check_arguments
from core.user_code.loading import Reference, as_user_error, call, load_object

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["PythonOptimizer"]


class PythonOptimizer(OptimizerOptions):
    """An optimizer of your own: a subclass of torch.optim.Optimizer, or a function that makes one, in a Python file."""

    FILLED: ClassVar = {"params": True, "lr": True}
    """Arguments that are filled when the signature has them, unless they are given."""

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your class or function: FILE.py:NAME, such as myopt.py:Opt."""
    arguments: dict[str, Any] = {}
    """Its arguments; params is filled with the weights, and lr with optimizer.lr."""

    @property
    def closure(self) -> bool:
        return bool(self.path) and inspect.isclass(found := load_object(self.path)) and needs_closure(found)

    def build(self, model: "nn.Module") -> "Optimizer":
        from torch.optim import Optimizer

        found = self._found()
        filled = {"params": self.param_groups(model), "lr": self.lr}
        made = call(self.path, **check_arguments(found, self.arguments, filled, "optimizer.arguments"))
        if not isinstance(made, Optimizer):
            raise ConfigError(
                f"optimizer.path: {self.path} returned an object of type {type(made).__name__}, not an optimizer",
                "Give a subclass of torch.optim.Optimizer, or a function that returns one",
                field="optimizer.path",
            )
        for group in made.param_groups:
            group.setdefault("lr", self.lr)  # that a schedule and the charts have something to go by
        return made

    def numbers_kept(self) -> int:
        try:
            return super().numbers_kept()
        except TorchtuiError:
            raise
        except Exception as error:  # the user's own code raises whatever it likes
            said = f"optimizer.path: {self.path}: {type(error).__name__}: {error}"
            raise as_user_error(error) or ConfigError(said, field="optimizer.path") from None

    def _found(self) -> Callable[..., Any]:
        if not self.path:
            raise ConfigError(
                "optimizer.path: no file is given",
                "Give FILE.py:NAME, such as myopt.py:Opt",
                field="optimizer.path",
            )
        found = load_object(self.path)
        try:
            parameters = inspect.signature(found).parameters
        except (TypeError, ValueError):  # written in C
            return found
        if "params" not in parameters:
            raise ConfigError(
                f"optimizer.path: {self.path} has no argument 'params'",
                "It is called with params, the weights or groups of them, as those of torch.optim are",
                field="optimizer.path",
            )
        return found
