"""Waits for a device, counted without one.

Tensors of the device ``meta`` have shapes but no values. What would read one, or copy it to the processor, fails there:
these are the operations that wait for a GPU. A copy to the device that is not ``non_blocking`` waits as well.
"""

import traceback
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["NO_DEVICE", "BlockingCopies"]

NO_DEVICE = torch.device("meta")
COPIES = {"aten::_to_copy": 0, "aten::copy_": 1}
"""Operations that copy, and the position of what they copy."""


class BlockingCopies(TorchDispatchMode):
    """Collects the places of copies from one device to another that wait until they are done."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch's
        self.places: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        if _waits(func.overloadpacket._qualified_op_name, args, named, result):
            own = [frame for frame in traceback.extract_stack() if "/core/" in frame.filename]
            self.places.append(f"{own[-1].filename}:{own[-1].lineno} {own[-1].line}")
        return result


def _waits(name: str, args: tuple[Any, ...], named: dict[str, Any], result: Any) -> bool:
    """Return whether an operation copies between devices, and waits until that is done."""
    if name == "aten::index":  # by positions on the processor, which are copied to the device first
        return any(at is not None and at.device != args[0].device for at in args[1])
    position = COPIES.get(name)
    if position is None or args[position].device == result.device:
        return False
    return not (named.get("non_blocking") or args[2:] == (True,))
