"""One run trained by several processes that ``torchrun`` started, each on its share of every batch.

Only the process of rank 0 writes and shows. All take the same steps, and whatever depends on a clock, a signal or a
loss that is not a number is decided together, when they meet: a process that took one step more than the others would
wait for them for ever.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import ConfigError, DeviceError, ProcessLost, TorchtuiError
from core.ranks import Ranks
from core.torchrun import is_launched

__all__ = [
    "SINGLE",
    "Group",
    "Meetings",
    "Share",
    "group_of_processes",
    "naming_lost_processes",
]

MEETING_SECONDS = 0.2
MAX_STEPS = 256
PATIENCE = timedelta(days=1)
"""How long the processes wait for each other, as in a pause."""
LOSSES = ("connection closed", "connection reset", "gloo", "nccl", "socket", "broken pipe")
"""What PyTorch's errors speak of when another process is gone."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Group(Ranks):
    """The processes of one run, which decide and add up together."""

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sums of each value over all processes, the same in each."""
        return self._reduced(values, dist.ReduceOp.SUM)

    def highest(self, values: Sequence[float]) -> list[float]:
        """The highest of each value over all processes, the same in each."""
        return self._reduced(values, dist.ReduceOp.MAX)

    def of_first(self, value: float) -> float:
        """The value that the first process has, the same in each."""
        return self.sums([0.0 if self.rank else value])[0]

    def _reduced(self, values: Sequence[float], how: dist.ReduceOp.RedOpType) -> list[float]:
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, how)
        reduced: list[float] = tensor.tolist()
        return reduced

    def wrapped(self, model: nn.Module, share: "Share") -> nn.Module:
        """`model` with gradients that are summed over all processes, each weighted by its share of the step."""
        if self.size == 1:
            return model
        wrapped = DistributedDataParallel(model)
        wrapped.register_comm_hook(share, _sum_of_shares)
        return wrapped

    def take_statistics(self, model: nn.Module) -> None:
        """Take over what the first process's normalisations have gathered; each has seen its own share alone."""
        for buffer in model.buffers() if self.size > 1 else ():
            dist.broadcast(buffer, 0)

    def device(self, device: torch.device) -> torch.device:
        """Where this process computes: GPUs of a machine are dealt out.

        Raises:
            DeviceError: a machine has fewer GPUs than processes.
        """
        return self._together(lambda: self._dealt(device))

    def _dealt(self, device: torch.device) -> torch.device:
        if self.size == 1 or device.type != "cuda":
            return device
        count = torch.cuda.device_count()
        if self.local_rank >= count:
            raise DeviceError(
                f"this machine has {count} GPUs and more processes", f"Use: torchrun --nproc-per-node {count}"
            )
        torch.cuda.set_device(self.local_rank)
        return torch.device("cuda", self.local_rank)

    def first(self, make: Callable[[], Made]) -> Made:
        """`make`, on each machine by one process before the others: they find what it has downloaded.

        Raises:
            TorchtuiError: what it raises in this process, or else in another one.
            ProcessLost: another process is gone.
        """
        return self._together(lambda: self._in_turn(make))

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

    def _together(self, make: Callable[[], Made]) -> Made:
        """`make`; where it fails in one process it fails in all, so that none begins and the first one can say why."""
        if self.size == 1:
            return make()
        made: Made | None = None
        own: TorchtuiError | None = None
        try:
            made = make()
        except TorchtuiError as error:
            own = error
        told: list[TorchtuiError | None] = [None] * self.size
        with naming_lost_processes(self):
            dist.all_gather_object(told, own)
        if own is not None:
            raise own
        for rank, failed in enumerate(told):
            if failed is not None:
                failed.message += f" (in the process of rank {rank})"
                raise failed
        return cast(Made, made)

    def ensure_fits(self, config: TrainConfig, samples: int) -> None:
        """Make sure that each process has a share of every batch, also of the last one of an epoch.

        Args:
            samples: of the training data.

        Raises:
            ConfigError: a batch cannot be divided, or the optimizer looks at the loss, of which each has its own.
        """
        if self.size == 1:
            return
        if config.optimizer.closure:
            raise ConfigError(
                f"optimizer.name: {config.optimizer.name} does not train in several processes",
                "Choose another one",
                field="optimizer.name",
            )
        batch_size, step_samples = config.training.batch_size, config.training.step_samples
        if batch_size % self.size:
            raise ConfigError(
                f"training.batch_size: {batch_size} samples cannot be divided among {self.size} processes",
                f"Use a multiple, such as {-(-batch_size // self.size) * self.size}",
                field="training.batch_size",
            )
        if 0 < samples % step_samples < self.size:
            raise ConfigError(
                f"training.batch_size: the last batch of an epoch has {samples % step_samples} samples "
                f"for {self.size} processes",
                "Use another multiple",
                field="training.batch_size",
            )

    def part_random_numbers(self, seed: int, step: int) -> None:
        """Give each process but the first random numbers of its own, for dropout and the like."""
        if self.rank:
            torch.manual_seed((seed * self.size + self.rank) * 1_000_003 + step)


SINGLE = Group()


@dataclass
class Share:
    """How much of the coming step's samples are this process's, from 0 to 1."""

    weight: float = 1.0


def _sum_of_shares(
    share: Share,
    bucket: dist.GradBucket,  # type: ignore[name-defined]
) -> torch.futures.Future[torch.Tensor]:
    """Gradients of each process's mean loss become those of the mean over the whole step."""
    weighted = bucket.buffer().mul_(share.weight)
    work: torch.futures.Future[list[Tensor]] = dist.all_reduce(weighted, async_op=True).get_future()
    return work.then(lambda done: done.value()[0])


class Meetings:
    """Where the processes of a run agree, all at the same steps, a few times a second.

    Args:
        control: what this process is asked for.

    Attributes:
        control: what all were asked for, as of the last meeting.
        next_step: the step after which they meet again.
    """

    def __init__(self, control: RunControl, group: Group) -> None:
        self.control = SharedControl(control, group)
        self.next_step = 0
        self._group = group
        self._last: tuple[float, int] | None = None

    def meet(self, step: int, diverged: bool, save: bool, seconds: float) -> tuple[bool, bool, float]:
        """Whether any has diverged; and whether to save and how long the run has trained, as the first one says."""
        now = time.perf_counter()
        before, last = self._last or (now - MEETING_SECONDS, step)
        steps = max(1, min(MAX_STEPS, int((step - last) * MEETING_SECONDS / max(now - before, 1e-9))))
        first = self._group.rank == 0
        told = [diverged, first and save, first * seconds, first * (step + steps)]
        any_diverged, any_save, seconds, next_step = self.control.meet(*told)
        self._last, self.next_step = (time.perf_counter(), step), int(next_step)
        return bool(any_diverged), bool(any_save), seconds


class SharedControl(RunControl):
    """What all processes were asked for, as of the last time they met.

    Args:
        own: what this process is asked for.
    """

    def __init__(self, own: RunControl, group: Group) -> None:
        super().__init__()
        self._own, self._group = own, group

    def meet(self, *told: float) -> list[float]:
        """Exchange what was asked for, and the highest of what else is told; all must call it at the same step."""
        own = self._own
        once = own.take_checkpoint_request(), own.take_layers_request()
        asked = [own.stop_requested, own.paused, *once]
        stop, pause, checkpoint, layers, *highest = self._group.highest([*asked, *told])
        self._stop, self._paused = bool(stop), bool(pause)
        self._checkpoint |= bool(checkpoint)
        self._layers |= bool(layers)
        return highest

    def wait_while_paused(self) -> None:
        """Wait in the first process; the others wait for it."""
        self._own.wait_while_paused()
        self.waited = self._own.waited
        self.meet()


@contextmanager
def group_of_processes() -> Iterator[Group]:
    """Within, the processes that ``torchrun`` started know each other; a single process is `SINGLE`."""
    if not is_launched():
        yield SINGLE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        dist.destroy_process_group()


@contextmanager
def naming_lost_processes(group: Group) -> Iterator[None]:
    """Within, an error that comes from another process's death says so.

    Raises:
        ProcessLost: in place of PyTorch's error.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if group.size == 1 or not any(word in text for word in LOSSES):
            raise
        raise ProcessLost(
            f"one of the {group.size} processes of this run is gone",
            "Its own output says why; go on from the last checkpoint with --resume",
        ) from None
