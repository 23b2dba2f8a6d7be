"""PyTorch's Muon and AdamW as one optimizer: one list of groups, one state."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim import Muon as TorchMuon

from core.optimizers.base import fused_or_none
from core.optimizers.groups import divide
from core.torch_private import bare_step

if TYPE_CHECKING:
    from core.optimizers.muon import Muon

__all__ = ["MuonAdamW"]


class MuonAdamW(Optimizer):
    """Muon on the matrices of `model`, AdamW on all other weights that are not frozen.

    Raises:
        ModelError: all weights are frozen.
    """

    def __init__(self, model: nn.Module, options: "Muon") -> None:
        embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
        shared: dict[str, Any] = {"lr": options.lr, "weight_decay": options.weight_decay}
        undecayed = {} if options.decay_norms else {"weight_decay": 0.0}
        matrices: list[dict[str, Any]] = []
        groups: list[dict[str, Any]] = []
        for settings, weights in divide(model, options.groups):
            some = [weight for weight in weights if weight.ndim == 2 and id(weight) not in embeddings]
            chosen = {id(weight) for weight in some}
            kernels = [weight for weight in weights if weight.ndim >= 2 and id(weight) not in chosen]
            vectors = [weight for weight in weights if weight.ndim < 2]
            matrices.append({"params": some, **settings})
            groups += [{"params": kernels, **settings}, {"params": vectors, **settings, **undecayed}]
        matrices, groups = ([group for group in listed if group["params"]] for listed in (matrices, groups))
        self.parts: list[Optimizer] = []
        if matrices:
            muon = TorchMuon(matrices, **shared, momentum=options.momentum, adjust_lr_fn="match_rms_adamw")
            self.parts.append(muon)
        if groups:
            self.parts.append(AdamW(groups, **shared, fused=fused_or_none(model)))
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._share()

    # The base overloads it for closures, which give a loss; this one takes none.
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of both."""
        for part in self.parts:
            bare_step(part)()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """Let the parts work on the groups and the state that are seen from outside."""
        begin = 0
        for part in self.parts:
            end = begin + len(part.param_groups)
            part.param_groups, part.state = self.param_groups[begin:end], self.state
            begin = end
