"""A user's network, from a Python file."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from core.data.dataset import Dataset
from core.data.kinds.registry import KINDS
from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.models.options import ModelOptions
from core.models.own.filled import DOCUMENTED, FILLED, facts_of
from core.options import Code, Files
from core.user_code.arguments import check_arguments, filled_in, signature_of
from core.user_code.loading import Reference, call, load_object

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Python"]


class Python(ModelOptions):
    """A network of your own: a class, a function that returns a module, or a module, in a Python file."""

    STATIC: ClassVar = False
    TAKES: ClassVar = tuple(kind.name for kind in KINDS.values())
    TAKES_SEQUENCES: ClassVar = True
    GIVES_MAPS: ClassVar = None
    FILLED: ClassVar = FILLED
    FIRST: ClassVar = ("path",)

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your class, function or module: FILE.py:NAME, such as mynet.py:Net."""
    arguments: dict[str, Any] = {}
    """Its arguments; the data fills in_features, in_channels, num_classes, sample_shape, vocab_size and others."""
    weights: Annotated[str, Files((".pt", ".pth", ".ckpt", ".bin", ".safetensors"))] = ""
    """File of weights to start from: those that have the name and the shape of the network's own."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        return {"path": text} if re.match(Code.PATTERN, text) else None

    @property
    def on_meta(self) -> bool:
        return False  # tensors that it keeps for itself would stay there

    def build_for(self, sample: Sample, outputs: int) -> "Module":
        from torch import nn

        from core.models.outputs import unwrap_outputs
        from core.models.own.padding import pass_padding

        if not self.path:
            raise ModelError("model.path: no file is given", "Give FILE.py:NAME, such as mynet.py:Net")
        found = load_object(self.path)
        if isinstance(found, nn.Module):
            if self.arguments:
                raise ModelError(
                    f"model.arguments: {self.path} is a module that is built already",
                    "Give none, or its class",
                )
            module = deepcopy(found)
            pass_padding(module, sample)
            return module
        facts = facts_of(sample, outputs)
        made = call(
            self.path, **check_arguments(found, self.arguments, facts, "model.arguments", _known(facts))
        )
        if not isinstance(made, nn.Module):
            raise ModelError(
                f"model.path: {self.path} returned an object of type {type(made).__name__}, not a torch.nn.Module",
                "Give a subclass of torch.nn.Module, or a function that returns an instance",
            )
        unwrap_outputs(made, outputs)
        pass_padding(made, sample)
        return made

    def fitted(self, network: "Module", data: Dataset) -> Dataset:
        from core.models.own.ids import with_ids
        from core.models.own.lengths import with_length

        return with_length(network, with_ids(network, data))

    def initialise(self, network: "Module", data: Dataset) -> tuple[str, ...]:
        from core.models.own.calling import left_out
        from core.models.own.padding import padding_notes
        from core.models.own.pretrained import load_weights

        notes = (*self._guesses(data), *left_out(network, data.fields), *padding_notes(network, data))
        return (*notes, load_weights(network, self.weights)) if self.weights else notes

    def _guesses(self, data: Dataset) -> tuple[str, ...]:
        """Return the arguments that were filled by other names than the documented ones, in a line."""
        from torch import nn

        found = load_object(self.path)
        if isinstance(found, nn.Module):
            return (
                "model: a module that the file builds itself starts with the same weights for every seed",
            )
        facts = facts_of(data.sample, data.outputs)
        names = filled_in(signature_of(found), _known(facts))
        told = [
            f"{name}={facts[name]}" for name in names if name not in self.arguments and name not in DOCUMENTED
        ]
        return (f"model: {', '.join(told)} by the data; model.arguments changes it",) if told else ()


def _known(facts: Mapping[str, Any]) -> dict[str, bool]:
    """Return the names that this data fills."""
    return {name: always for name, always in FILLED.items() if name in facts}
