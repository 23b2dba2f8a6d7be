"""Gradients of several networks as one program: trials meet at every step, and the last to come computes for all.

Networks of one architecture are stacked: a weight of theirs is a part of one tensor (trials, *shape), and what each
optimizer does to its part stays there. The forward pass is vectorised over the trials (`torch.func.vmap`), each with
its own batch; the losses are added up, so that one backward pass gives every trial the gradients it would have alone,
up to rounding.

Between two steps one trial works at a time: threads that all compute hand the interpreter to each other with every
operation, which costs more than the operation.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from core.config.schema import Training
from core.data.batches import Batch
from core.data.inputs import Inputs, stack_inputs, tensors_of
from core.errors import ConfigError, ModelError
from core.models.copies import copied
from core.models.own.calling import arguments_of
from core.remedies import EXECUTOR
from core.training.memory import is_shortage
from core.training.step import Step
from core.user_code.loading import as_user_error

if TYPE_CHECKING:
    from core.losses.base import LossFunction

__all__ = ["Member", "Together"]

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
"""Layers that draw random numbers; others that do are refused by ``vmap`` itself."""


@dataclass(eq=False)
class Member:
    """One trial that takes part.

    Attributes:
        kind: the same for networks that differ in their weights alone.
        model, loss: set as soon as it has come.
        works: whether it has its turn.
    """

    kind: str = ""
    model: nn.Module = field(default_factory=nn.Module)
    loss: "LossFunction | None" = None
    works: bool = False


@dataclass(eq=False)
class _Call:
    """One step of a trial, and what came of it."""

    member: Member
    batch: Batch
    answer: tuple[Tensor, Tensor] | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        """Return whether it was computed, well or not."""
        return self.answer is not None or self.error is not None


@dataclass
class _Stack:
    """Networks whose weights lie side by side. `base` has their architecture; `weights` by name, (networks, *shape)."""

    models: list[nn.Module] = field(default_factory=list)
    base: nn.Module = field(default_factory=nn.Module)
    weights: dict[str, Tensor] = field(default_factory=dict)


class Together:
    """Meeting point of the threads of some trials. Those that are expected are waited for, until they have left."""

    def __init__(self) -> None:
        self._meeting = threading.Condition()  # its lock is the turn, held from step to step
        self._members: list[Member] = []
        self._calls: list[_Call] = []
        self._stacks: dict[str, _Stack] = {}

    def expect(self) -> Member:
        """A trial that will come; it must leave, however it ends."""
        member = Member()
        self._members.append(member)  # without the lock: whoever works may be waiting for the caller
        return member

    def join(
        self, member: Member, kind: str, settings: Training, model: nn.Module, loss: "LossFunction"
    ) -> Step | None:
        """A trial has come: what computes its gradients; None for a network that computes by itself.

        That is one with running statistics, one that is called in another way than plainly, and one whose batches are
        added up.

        Raises:
            ConfigError: the network draws random numbers, which nobody could draw again trial by trial.
        """
        if any(isinstance(module, DROPOUTS) and module.p for module in model.modules()):
            raise ConfigError(
                "executor vmap: a network with dropout cannot be trained together with others",
                ("Search without model.dropout, or with ", EXECUTOR),
            )
        plain = settings.precision in ("fp32", "tf32") and not (settings.compile or settings.channels_last)
        if not plain or settings.accumulate > 1 or any(True for _ in model.buffers()):
            self.leave(member)
            return None
        member.kind, member.model, member.loss = kind, model, loss
        self._begin(member)
        return partial(self._meet, member)

    @contextmanager
    def yield_turn(self, member: Member) -> Iterator[None]:
        """Context manager that lets other trials take their turn while one waits for something else than a step."""
        worked = member.works
        self._end(member)
        try:
            yield
        finally:
            if worked:
                self._begin(member)

    def leave(self, member: Member) -> None:
        """Take no part any more."""
        with self._meeting:
            if member in self._members:
                self._members.remove(member)
                self._compute_if_all_are_here()
        self._end(member)

    def _begin(self, member: Member) -> None:
        self._meeting.acquire()
        member.works = True

    def _end(self, member: Member) -> None:
        if member.works:
            member.works = False
            self._meeting.release()

    def _meet(self, member: Member, batch: Batch) -> tuple[Tensor, Tensor]:
        call = _Call(member, batch)
        with self._meeting:
            self._calls.append(call)
            self._compute_if_all_are_here()
            while not call.done:
                self._meeting.wait()
        if call.answer is None and call.error is not None:
            if is_shortage(call.error):
                raise RuntimeError(f"in a step together with other trials: {call.error}") from call.error
            told = as_user_error(call.error)
            reason = told.message if told else str(call.error).strip().partition("\n")[0]
            raise ModelError(
                f"executor vmap: this network cannot be trained together with others: {reason}",
                ("Search with ", EXECUTOR),
            ) from call.error
        assert call.answer is not None
        return call.answer

    def _compute_if_all_are_here(self) -> None:
        if not self._calls or len(self._calls) < len(self._members):
            return
        groups: dict[tuple[str, tuple[torch.Size, ...]], list[_Call]] = {}
        for call in self._calls:
            shapes = tuple(tensor.shape for tensor in tensors_of(call.batch.inputs))
            groups.setdefault((call.member.kind, shapes), []).append(call)
        for calls in groups.values():
            try:
                self._compute(calls)
            except Exception as error:  # such as out of memory: each trial reports it as its own
                for call in calls:
                    call.error = error
        self._calls = []
        self._meeting.notify_all()

    def _compute(self, calls: list[_Call]) -> None:
        """Losses, outputs and gradients of networks of one kind on batches of one size."""
        stack = self._stack([call.member for call in calls])
        for weight in stack.weights.values():
            weight.grad = None

        def forward(weights: dict[str, Tensor], inputs: Inputs) -> Tensor:
            answer: Tensor = functional_call(stack.base, weights, *arguments_of(stack.base, inputs))
            return answer

        with torch.enable_grad():
            outputs = vmap(forward)(
                stack.weights, stack_inputs([call.batch.inputs for call in calls])
            ).unbind()
            losses = [_loss(call, output) for call, output in zip(calls, outputs, strict=True)]
            torch.stack(losses).sum().backward()
        for name, weight in stack.weights.items():
            assert weight.grad is not None
            for call, gradient in zip(calls, weight.grad.unbind(), strict=True):
                call.member.model.get_parameter(name).grad = gradient
        for call, loss, output in zip(calls, losses, outputs, strict=True):
            call.answer = (loss.detach(), output.detach())

    def _stack(self, members: list[Member]) -> _Stack:
        """The networks' weights side by side; they stay so until others come or leave."""
        models, known = [member.model for member in members], self._stacks.get(members[0].kind)
        if known is not None and known.models == models:
            return known
        weights, _ = stack_module_state(models)
        for name, weight in weights.items():
            for model, part in zip(models, weight.detach().unbind(), strict=True):
                model.get_parameter(name).data = part
        base = copied(models[0]).to("meta")
        self._stacks[members[0].kind] = _Stack(models, base, weights)
        return self._stacks[members[0].kind]


def _loss(call: _Call, output: Tensor) -> Tensor:
    assert call.member.loss is not None
    return call.batch.loss(call.member.loss, output)
