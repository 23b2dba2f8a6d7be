"""Seconds of a step by what it does: waiting for data, forward, loss and backward, optimizer, logging."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from core.data.batches import Batch
from core.events import StepLogged
from core.profiling.subject import Subject, subject, wait_for
from core.runs.folder import Run
from core.runs.log import EventLog
from core.training.step import Step

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Phases", "measure_phases"]

WARM_UP = 3
"""Steps that are not counted: in the first ones memory is taken, and kernels are chosen."""
LOG_SECONDS = 0.1
"""Time between two lines of the log, as in training."""


@dataclass(frozen=True)
class Phases:
    """Seconds of a mean step.

    Attributes:
        seconds: by the names of `core.profiling.names.PHASES`. steps: that were taken. samples: of all of them.
        cores: processor cores that were busy in the mean, workers that read data left out.
        validation: seconds of a pass over the validation split; None where nothing is held out, or it took too long.
    """

    seconds: dict[str, float]
    steps: int
    samples: int
    cores: float
    validation: float | None

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return sum(self.seconds.values())

    @property
    def samples_per_second(self) -> float:
        """Samples that are trained on in a second."""
        return self.samples / (self.steps * self.step)

    def share(self, phase: str) -> float:
        """Return the fraction of a step that a phase takes, 0 to 1."""
        return self.seconds[phase] / self.step


def measure_phases(prepared: "Prepared", seconds: float, should_stop: Callable[[], bool]) -> Phases | None:
    """Train a copy for some time; None once it is to stop.

    Steps are timed as they are. How a step divides into forward, backward and optimizer is the same copy's, timed once
    more with autograd and with waiting for the device after each part.
    """
    timed = subject(prepared)
    spent = {"data": 0.0, "step": 0.0, "logging": 0.0}
    steps = samples = 0
    meter, device = timed.learner.meter(), prepared.device
    with tempfile.TemporaryDirectory(prefix="tui-profile-") as folder:
        log = EventLog(Run(Path(folder)))
        for _ in range(WARM_UP):
            meter.add(*_counted(timed, timed.learner.step(batch := next(timed.batches))), batch)
        meter.read()
        wait_for(device)
        began = logged = time.perf_counter()
        worked = time.process_time()
        now = began
        while now - began < seconds or not steps:
            batch = next(timed.batches)
            got = time.perf_counter()
            loss, outputs = _counted(timed, timed.learner.step(batch))
            stepped = time.perf_counter()
            meter.add(loss, outputs, batch)
            if stepped - logged > LOG_SECONDS:
                meter.read()  # waits for the device, which has not done the steps yet
                stepped, stepped_before = time.perf_counter(), stepped
                spent["step"] += stepped - stepped_before
                logged = stepped
                numbers, rate = meter.since_logged()
                log.write(
                    StepLogged(
                        epoch=1, step=steps, train=numbers, lr=timed.learner.lr, samples_per_second=rate
                    )
                )
            spent["data"] += got - now
            spent["step"] += stepped - got
            now = time.perf_counter()
            spent["logging"] += now - stepped
            steps += 1
            samples += batch.samples
            if should_stop():
                return None
        wait_for(device)
        spent["step"] += time.perf_counter() - now
        cores = (time.process_time() - worked) / (time.perf_counter() - began)
        log.close()
    parts = _parts(prepared, seconds / 2, should_stop)
    if parts is None:
        return None
    whole = sum(parts.values())
    each = {
        "data": spent["data"],
        **{name: spent["step"] * part / whole for name, part in parts.items()},
        "logging": spent["logging"],
    }
    validation = _validation(timed, seconds, should_stop)
    return Phases({name: spent / steps for name, spent in each.items()}, steps, samples, cores, validation)


def _counted(timed: Subject, result: tuple[Tensor, Any]) -> tuple[Tensor, Any]:
    loss, outputs = result
    return loss, timed.learner.answers(outputs)


def _parts(prepared: "Prepared", seconds: float, should_stop: Callable[[], bool]) -> dict[str, float] | None:
    """Return seconds of the forward pass, of what follows up to the gradients, and of moving the weights."""
    device = prepared.device
    spent = dict.fromkeys(("forward", "gradients", "step"), 0.0)
    began = {"forward": 0.0}

    def clock() -> float:
        wait_for(device)
        return time.perf_counter()

    def enter(*_: Any) -> None:
        began["forward"] = clock()

    def leave(*_: Any) -> None:
        spent["forward"] += clock() - began["forward"]

    def around(gradients: Step) -> Step:
        def timed(batch: Batch) -> tuple[Tensor, Any]:
            before = clock()
            result = gradients(batch)
            spent["gradients"] += clock() - before
            return result

        return timed

    settings = prepared.config.training.model_copy(update={"cuda_graphs": "off", "compile": False})
    divided = subject(prepared, prepared.config.model_copy(update={"training": settings}), around)
    model = divided.learner.model
    model.register_forward_pre_hook(enter)
    model.register_forward_hook(leave)
    for _ in range(WARM_UP):
        divided.learner.step(next(divided.batches))
    spent.update(dict.fromkeys(spent, 0.0))
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        batch = next(divided.batches)
        before = clock()
        divided.learner.step(batch)
        spent["step"] += clock() - before
        if should_stop():
            return None
    gradients = spent["gradients"] or spent["step"]
    return {
        "forward": spent["forward"],
        "backward": max(0.0, gradients - spent["forward"]),
        "optimizer": max(0.0, spent["step"] - gradients),
    }


def _validation(timed: Subject, seconds: float, should_stop: Callable[[], bool]) -> float | None:
    """Return the seconds of a validation; None without one, or where it takes longer than it may."""
    if not len(timed.validation):
        return None
    timed.learner.eval()
    began = time.perf_counter()
    late = began + max(1.0, seconds)
    measured = timed.learner.validate(timed.validation, lambda: should_stop() or time.perf_counter() > late)
    timed.learner.train()
    return None if measured is None else time.perf_counter() - began
