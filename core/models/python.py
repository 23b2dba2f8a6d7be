"""A user's network, from a Python file."""

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.errors import ModelError
from core.models.options import ModelOptions
from core.user_code.arguments import check_arguments
from core.user_code.loading import Reference, call, load_object

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Python"]


class Python(ModelOptions):
    """A network of your own: a class, or a function that returns a module, in a Python file."""

    STATIC: ClassVar = False
    FILLED: ClassVar = ("in_features", "in_channels", "num_classes", "outputs", "sample_shape")
    """Arguments that the data fills when the signature has them, unless they are given."""

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your class or function: FILE.py:NAME, such as mynet.py:Net."""
    arguments: dict[str, Any] = {}
    """Its arguments; in_features, in_channels, num_classes, outputs and sample_shape are filled from the data."""

    @property
    def on_meta(self) -> bool:
        return False  # tensors that it keeps for itself would stay there

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        from core.models.outputs import unwrap_outputs

        if not self.path:
            raise ModelError("model.path: no file is given", "Give FILE.py:NAME, such as mynet.py:Net")
        facts = (prod(sample_shape), sample_shape[0], outputs, outputs, sample_shape)
        filled = dict(zip(self.FILLED, facts, strict=True))
        arguments = check_arguments(load_object(self.path), self.arguments, filled, "model.arguments")
        made = call(self.path, **arguments)
        if not isinstance(made, nn.Module):
            raise ModelError(
                f"model.path: {self.path} returned an object of type {type(made).__name__}, not a torch.nn.Module",
                "Give a subclass of torch.nn.Module, or a function that returns an instance",
            )
        unwrap_outputs(made, outputs)
        return made
