"""One run trained by several processes that ``torchrun`` started, each on its share of every batch.

Only the process of rank 0 writes and shows. All take the same steps, and whatever depends on a clock, a signal or a
loss that is not a number is decided together, at sync points: a process that took one step more than the others would
wait for them for ever.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from core.config.schema import TrainConfig
from core.control import RunControl
from core.counting import counted
from core.errors import ConfigError, DeviceError, ProcessLost, RunDamaged, TorchtuiError
from core.processes.endings import leave_reason
from core.ranks import Ranks
from core.remedies import RESUME, processes
from core.torchrun import is_launched, keeps_store, met, own_part

__all__ = [
    "SINGLE",
    "Group",
    "Share",
    "SyncPoints",
    "explain_lost_rank",
    "process_group",
    "reports_failure",
]

SYNC_SECONDS = 0.2
LEAST_WEIGHT = 1e-12
"""Weight of samples that count nothing, in a step in which others do: layers over all samples see them, too."""
MAX_STEPS = 256
TIMEOUT = timedelta(days=1)
"""Longest time that the processes wait for each other, as in a pause."""
LOST_RANK_SIGNS = ("connection closed", "connection reset", "gloo", "nccl", "socket", "broken pipe")
"""Words of PyTorch's errors when another process is gone."""

FAILURE = "failure"
"""Key, in the store by which the processes have found each other, of why one of them failed."""

Made = TypeVar("Made")
_stores: list[Any] = []
"""At most one: that of the processes of this run."""


@dataclass(frozen=True)
class Group(Ranks):
    """The processes of one run, which decide and add up together."""

    def sums(self, values: Sequence[float]) -> list[float]:
        """Return the sum of each value over all processes, the same in each."""
        return self._reduce(values, dist.ReduceOp.SUM)

    def maxima(self, values: Sequence[float]) -> list[float]:
        """Return the maximum of each value over all processes, the same in each."""
        return self._reduce(values, dist.ReduceOp.MAX)

    def of_first(self, value: float) -> float:
        """Return the value of the first process, in each."""
        return self.sums([0.0 if self.rank else value])[0]

    def sum_tensor(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor in main memory over all processes, the same in each."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def _reduce(self, values: Sequence[float], op: dist.ReduceOp.RedOpType) -> list[float]:
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, op)
        reduced: list[float] = tensor.tolist()
        return reduced

    def gather(self, own: Made) -> list[Made]:
        """Return what each process gives, by rank, the same in each; it travels as a pickle."""
        told = [own] * self.size
        if self.size > 1:
            dist.all_gather_object(told, own)
        return told

    def connected_again(self) -> Any:
        """Return all processes on connections of their own, for calls whose order among others may differ in each."""
        return dist.new_group(timeout=TIMEOUT)

    def sums_by_name(self, values: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Return the sums of named pairs over all processes, the same in each; names may differ between them."""
        if self.size == 1:
            return dict(values)
        sums: dict[str, tuple[float, float]] = {}
        for each in self.gather(dict(values)):
            for name, (first, second) in each.items():
                one, other = sums.get(name, (0.0, 0.0))
                sums[name] = (one + first, other + second)
        return sums

    def wrap(self, model: nn.Module, share: "Share", *, any_unused: bool = False) -> nn.Module:
        """Return `model` with gradients that are summed over all processes, each weighted by its share of the step.

        Args:
            any_unused: whether some weights may have no part in a step, which is then looked for in each.
        """
        if self.size == 1:
            return model
        wrapped = DistributedDataParallel(model, find_unused_parameters=any_unused)
        wrapped.register_comm_hook(share, _sum_of_shares)
        return wrapped

    def share_of(self, total: int, counting: Tensor | None) -> "Share":
        """Return this process's share of a step of `total` samples; all processes must call it.

        Args:
            counting: how much its own samples count; None if all count alike.
        """
        own = self.samples(total)
        weight = own / total
        if counting is not None:
            mine = float(counting) if own else 0.0
            (everywhere,) = self.sums([mine])
            weight = mine / everywhere if everywhere else 0.0
        return Share(max(weight, LEAST_WEIGHT) if own else 0.0, -(-total // self.size))

    def add_up(self, gradients: Sequence[Tensor], share: "Share") -> None:
        """Sum gradients in place over all processes, each weighted by its share of the step."""
        for gradient in gradients:
            dist.all_reduce(share.scale(gradient))

    def broadcast_buffers(self, model: nn.Module) -> None:
        """Take over the statistics of the first process's normalisation layers; each has seen only its own share."""
        for buffer in model.buffers() if self.size > 1 else ():
            dist.broadcast(buffer, 0)

    def device(self, device: torch.device) -> torch.device:
        """Return the device of this process: each gets a GPU of its own.

        Raises:
            DeviceError: a machine has fewer GPUs than processes.
        """
        return self.all_or_none(lambda: self._own_device(device))

    def _own_device(self, device: torch.device) -> torch.device:
        if self.size == 1 or device.type != "cuda":
            return device
        count = torch.cuda.device_count()
        if self.local_rank >= count:
            raise DeviceError(f"this machine has {count} GPUs but more processes", (processes(count),))
        torch.cuda.set_device(self.local_rank)
        return torch.device("cuda", self.local_rank)

    def local_first(self, make: Callable[[], Made]) -> Made:
        """Return `make()`, called on each machine by one process before the others: they find what it has downloaded.

        Raises:
            TorchtuiError: the error of this process, or else of another one.
            ProcessLost: another process is gone.
        """
        return self.all_or_none(lambda: self._in_turn(make))

    def _in_turn(self, make: Callable[[], Made]) -> Made:
        if self.size == 1:
            return make()
        if self.local_rank:
            dist.barrier()
        try:
            return make()
        finally:
            if not self.local_rank:
                dist.barrier()

    def all_or_none(self, make: Callable[[], Made]) -> Made:
        """Return `make()`; if it fails in one process it fails in all, so that none starts and the first reports it.

        Raises:
            TorchtuiError: the error of this process, or else of another one.
            ProcessLost: another process is gone.
        """
        if self.size == 1:
            return make()
        made: Made | None = None
        own: TorchtuiError | None = None
        try:
            made = make()
        except TorchtuiError as error:
            own = error
        with explain_lost_rank(self):
            told = self.gather(own)
        if own is not None:
            raise own
        for rank, failed in enumerate(told):
            if failed is not None:
                failed.message += f" (in the process of rank {rank})"
                raise failed
        return cast(Made, made)

    def check_batches(self, config: TrainConfig) -> None:
        """Check that each process has a share of a batch; of the last one of an epoch it may have none.

        Raises:
            ConfigError: a batch cannot be divided, or the optimizer uses the loss, which differs between processes.
        """
        if self.size == 1:
            return
        if config.optimizer.closure:
            raise ConfigError(
                f"optimizer.name: {config.optimizer.name} does not support training in several processes",
                "Choose another one",
                field="optimizer.name",
            )
        batch_size = config.training.batch_size
        if batch_size < self.size:
            raise ConfigError(
                f"training.batch_size: {counted(batch_size, 'sample')} cannot be divided among {self.size} processes",
                "Use larger batches, or fewer processes",
                field="training.batch_size",
            )

    def check_step(self, step: int) -> None:
        """Check that all processes start at the same step; all must call it.

        Raises:
            RunDamaged: some have read another checkpoint, or none.
        """
        last, first = self.maxima([step, -step])
        if last != -first:
            raise RunDamaged(
                f"the processes would start at different steps, from {-int(first)} to {int(last)}",
                "Every machine must see the same folder of runs",
            )

    def seed_rank(self, seed: int, step: int, *, validating: bool = False) -> None:
        """Seed each process but the first differently, for dropout and the like in a step, or in a validation after it.

        Checkpoints hold the random state of the first process alone: what the others draw follows from the step.
        """
        if self.rank:
            torch.manual_seed((seed * self.size + self.rank) * 1_000_003 + 2 * step + validating)


SINGLE = Group()


@dataclass
class Share:
    """The part of the coming step's samples that this process takes.

    Attributes:
        weight: fraction of the step, from 0 to 1; exactly 0 if it has no sample, and computes on one that is not its
            own.
        stands_in: what is computed now counts nothing: it is there because other processes compute something.
        most: largest number of samples that any process takes; 0 if there is only this one.
    """

    weight: float = 1.0
    most: int = 0
    stands_in: bool = False

    def scale(self, gradients: Tensor) -> Tensor:
        """Turn gradients of this process's mean loss into its part of those of the whole step, in place."""
        return gradients.mul_(self.weight) if self.weight else gradients.zero_()


def _sum_of_shares(
    share: Share,
    bucket: dist.GradBucket,  # type: ignore[name-defined]  # made in C++, without a stub
) -> torch.futures.Future[torch.Tensor]:
    """Turn the gradients of each process's mean loss into those of the mean over the whole step."""
    work: torch.futures.Future[list[Tensor]] = dist.all_reduce(
        share.scale(bucket.buffer()), async_op=True
    ).get_future()
    return work.then(lambda done: done.value()[0])


class SyncPoints:
    """Steps at which the processes of a run agree on what to do, a few times a second.

    Args:
        control: requests to this process.

    Attributes:
        control: requests to all processes, as of the last sync point.
        next_step: the step after which they sync again.
    """

    def __init__(self, control: RunControl, group: Group) -> None:
        self.control = SharedControl(control, group)
        self.next_step = 0
        self._group = group
        self._last: tuple[float, int] | None = None

    def sync(self, step: int, diverged: bool, save: bool, seconds: float) -> tuple[bool, bool, float]:
        """Return whether any process diverged; and whether to save and the seconds of training, from the first one."""
        now = time.perf_counter()
        before, last = self._last or (now - SYNC_SECONDS, step)
        steps = max(1, min(MAX_STEPS, int((step - last) * SYNC_SECONDS / max(now - before, 1e-9))))
        first = self._group.rank == 0
        values = [diverged, first and save, first * seconds, first * (step + steps)]
        any_diverged, any_save, seconds, next_step = self.control.sync(*values)
        self._last, self.next_step = (time.perf_counter(), step), int(next_step)
        return bool(any_diverged), bool(any_save), seconds


class SharedControl(RunControl):
    """Requests to all processes, as of their last sync point.

    Args:
        own: requests to this process.
    """

    def __init__(self, own: RunControl, group: Group) -> None:
        super().__init__()
        self._own, self._group = own, group

    def sync(self, *values: float) -> list[float]:
        """Exchange requests, and return the maxima of `values`; all processes must call it at the same step."""
        own = self._own
        once = own.take_checkpoint_request(), own.take_layers_request()
        asked = [own.stop_requested, own.paused, *once]
        stop, pause, checkpoint, layers, *maxima = self._group.maxima([*asked, *values])
        self._stop, self._paused = bool(stop), bool(pause)
        self._checkpoint |= bool(checkpoint)
        self._layers |= bool(layers)
        return maxima

    def wait_while_paused(self) -> None:
        """Wait in the first process, and in the others for the first."""
        self._own.wait_while_paused()
        self.waited = self._own.waited
        self.sync()


@contextmanager
def process_group() -> Iterator[Group]:
    """Context manager that connects the processes that ``torchrun`` started; a single process is `SINGLE`."""
    if not is_launched():
        yield SINGLE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
    if keeps_store():
        store = own_part(store)
        name = met(store, rank, size)
        store = dist.PrefixStore(name, store)  # type: ignore[attr-defined]  # no name of its list
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
    _stores.append(store)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        _stores.clear()
        dist.destroy_process_group()


@contextmanager
def explain_lost_rank(group: Group) -> Iterator[None]:
    """Context manager that explains errors that come from another process's death.

    Raises:
        ProcessLost: in place of PyTorch's error.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if group.size == 1 or not any(word in text for word in LOST_RANK_SIGNS):
            raise
        if why := _reported():
            raise ProcessLost(why) from None
        raise ProcessLost(
            f"one of the {group.size} processes of this run has died",
            ("See its own output for the reason, after its rank. ", RESUME),
        ) from None


@contextmanager
def reports_failure(group: Group) -> Iterator[None]:
    """Context manager that leaves the error of this process where the others find it once they miss it."""
    try:
        yield
    except ProcessLost:
        raise
    except Exception as error:
        words = str(error) if isinstance(error, TorchtuiError) else f"{type(error).__name__}: {error}"
        line = " ".join(words.splitlines()[0].split()) if words else type(error).__name__
        told = f"the process of rank {group.rank} failed: {line}"
        leave_reason(told)
        for store in _stores:
            store.set(FAILURE, told)
        raise


def _reported() -> str:
    """Return what another process has said of its failure; empty if it died without a word, or its store is gone."""
    with suppress(RuntimeError):
        for store in _stores:
            if store.check([FAILURE]):
                return str(store.get(FAILURE), "utf-8")
    return ""
