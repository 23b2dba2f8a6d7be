"""Several optimizers of one network, which its own training step uses, as one: their groups and their states."""

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

__all__ = ["SeveralOptimizers"]


class SeveralOptimizers:
    """Optimizers by name.

    Args:
        given: what the network gave: a dict, list or tuple; it is what its training step gets.
    """

    def __init__(self, given: Mapping[str, Optimizer] | list[Optimizer] | tuple[Optimizer, ...]) -> None:
        self.given = given
        pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
        self.by_name: dict[str, Optimizer] = {str(name): optimizer for name, optimizer in pairs}

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all of them, in order."""
        return [group for optimizer in self.by_name.values() for group in optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of each by name."""
        return {name: optimizer.state_dict() for name, optimizer in self.by_name.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the states; raises torch's errors, or KeyError, for those of other optimizers."""
        if state.keys() != self.by_name.keys():
            raise KeyError(f"optimizers {', '.join(state)}, not {', '.join(self.by_name)}")
        for name, optimizer in self.by_name.items():
            optimizer.load_state_dict(state[name])
