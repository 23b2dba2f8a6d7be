"""Outputs of a network in the calls of one step, seen from a hook."""

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from core.torch_private import writes_into

__all__ = ["Watched", "kind_of"]


class Watched:
    """Context manager that notes what a network returns; a scripted one lets nobody see it.

    Attributes:
        returned: of the last call; None before the first, or if nothing can be seen.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.returned: Any = None
        self._writes = 0

    @property
    def written(self) -> bool:
        """Return whether what was returned has been written into since."""
        return isinstance(self.returned, Tensor) and writes_into(self.returned) != self._writes

    def __enter__(self) -> "Watched":
        self._handle = None
        if not isinstance(self._model, torch.jit.ScriptModule):
            self._handle = self._model.register_forward_hook(self._see)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.remove()

    def _see(self, module: nn.Module, inputs: Any, returned: Any) -> None:
        self.returned = returned
        self._writes = writes_into(returned) if isinstance(returned, Tensor) else 0


def kind_of(value: Any) -> str:
    """Return what a value is, in words: ``a tuple of 2``, ``a dict of loss, aux``."""
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(str, value)) or 'nothing'}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"
