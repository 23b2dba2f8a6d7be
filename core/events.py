"""Events of a run. Everything that shows a run consumes these events and nothing else.

Which ending emits what, after `RunStarted` and the `StepLogged` and `EpochFinished` of the epochs done:

    ==============  ===============  =====================  ===========================================
    ending          CheckpointSaved  EvaluationFinished     last event
    ==============  ===============  =====================  ===========================================
    completed       last and best    validation, then test  RunFinished("completed")
    early stop      last and best    validation, then test  RunFinished("completed"), after a Notice
    stopped         last (and best)  none                   RunFinished("stopped")
    diverged        best, if newer   none                   RunFinished("diverged", error), after a Notice
    failed          none more        none                   RunFinished("failed", error)
    killed          none             none                   none: the log just ends, and the lock is free
    ==============  ===============  =====================  ===========================================

A run of one fold of a cross-validation, or one whose ``evaluation.test`` is ``never``, leaves the test split alone.

A resumed run emits `RunStarted` again, with the epoch and step it resumes from; what the log
held after that step is done again, equally.
"""

import json
import math
import re
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from annotated_types import Interval

from core.errors import RunDamaged
from core.files.json_lines import read_line
from core.status import Ending

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "EVENT_TYPES",
    "CheckpointSaved",
    "Count",
    "EpochFinished",
    "EvaluationFinished",
    "Event",
    "LayersSampled",
    "MediaLogged",
    "Notice",
    "RunFinished",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "StepLogged",
    "SystemSampled",
    "from_json",
    "to_json",
]

VERSION = 1
"""Of the JSON form. Keys are only ever added."""

Metrics = dict[str, float]
Count = Annotated[int, Interval(ge=0, le=1 << 53)]
Share = Annotated[float, Interval(ge=0, le=1)]
"""Both are checked where events are read from a file."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events; `time` is seconds since 1970."""

    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """Data and model are ready; the first step comes next.

    Attributes:
        config: the resolved configuration, nested plain values; of a script's own run, see `core.runs.script`.
        task: ``binary``, ``multiclass`` or ``regression``; empty where a script does not say.
        samples: number of samples of each split.
        classes: names of the classes; empty for regression.
        epochs, steps_per_epoch: 0 when unknown.
        epoch, step: epochs and steps already done by an earlier session of the same run.
        processes: how many train it together. threads: of each.
        monitor: the validation number that chooses the best epoch; see `core.metrics.lower_is_better`.
        metrics: names of what validation reports beside loss and score.
        higher_is_better: the direction of each metric of the user's own, by name.
    """

    config: dict[str, dict[str, Any]]
    task: str
    samples: dict[str, Count]
    classes: list[str]
    sample_shape: list[int]
    parameters: Count
    device: str
    threads: Count
    epochs: Count
    steps_per_epoch: Count
    epoch: Count = 0
    step: Count = 0
    monitor: str = "loss"
    metrics: list[str] = field(default_factory=list)
    higher_is_better: dict[str, bool] = field(default_factory=dict)
    pid: Annotated[int, Interval(ge=0, lt=1 << 31)] = 0
    host: str = ""
    processes: Count = 1


@dataclass(frozen=True, kw_only=True)
class StepLogged(Event):
    """Means over the steps since the last one logged; about ten a second.

    Attributes:
        epoch: from 1. step: steps done since the start of the run.
        train: ``loss``, and ``accuracy`` or ``r2``; NaN when the loss is not a number.
        lr: learning rate of the last step, 0 when unknown.
        samples_per_second: over the steps since the last one logged, 0 when unknown.
        waiting: fraction of the time since the last one logged in which the loop waited for a batch, 0 when unknown.
    """

    epoch: Count
    step: Count
    train: Metrics
    lr: float
    samples_per_second: float
    waiting: Share = 0.0


@dataclass(frozen=True, kw_only=True)
class EpochFinished(Event):
    """An epoch and its validation are done.

    Attributes:
        epochs: how many the run shall have.
        train: means over the epoch. validation: empty when nothing is held out.
        best_epoch: the best epoch so far; this one when it equals `epoch`.
        best_metrics: validation metrics of the best epoch, or its training metrics when nothing is held out.
        seconds: training and validation of this epoch.
        confusion: rows true, columns predicted, of the validation split; empty for regression or many classes.
        class_counts: for labels, and where there are too many classes for `confusion`, three lists over them: samples
            that are right, samples of the class, samples predicted as it.
    """

    epoch: Count
    step: Count
    train: Metrics
    validation: Metrics
    lr: float
    seconds: float
    best_epoch: Count
    best_metrics: Metrics
    epochs: Count = 0
    confusion: list[list[Count]] = field(default_factory=list)
    class_counts: list[list[Count]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    """A checkpoint is safely on disk: the last state, the best weights, or the state after an epoch that is kept."""

    kind: Literal["last", "best", "epoch"]
    epoch: Count
    step: Count


@dataclass(frozen=True, kw_only=True)
class EvaluationFinished(Event):
    """A split was evaluated with the best weights; None means that a metric is undefined."""

    split: str
    metrics: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class RunPaused(Event):
    """Training waits."""

    epoch: Count
    step: Count


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """Training resumed after a pause."""

    epoch: Count
    step: Count


@dataclass(frozen=True, kw_only=True)
class Notice(Event):
    """Something worth telling in words."""

    level: Literal["info", "warning", "error"]
    message: str


@dataclass(frozen=True, kw_only=True)
class SystemSampled(Event):
    """Load of the machine; about every two seconds.

    Attributes:
        cpu, memory: per cent in use of the whole machine.
        process: bytes of the process that trains.
        gpu, gpu_memory: per cent in use of the GPU that trains; None without one, or where it does not say.
    """

    cpu: float
    memory: float
    process: Count
    gpu: float | None = None
    gpu_memory: float | None = None

    def shares(self) -> dict[str, float]:
        """Return the known loads in per cent, by name."""
        values = {"cpu": self.cpu, "memory": self.memory, "gpu": self.gpu, "gpu_memory": self.gpu_memory}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class LayersSampled(Event):
    """Effect of one step on the layers that have weights; every few seconds, while somebody asks for it.

    The lists are parallel, one entry per layer, in the order of the network. None means not finite.

    Attributes:
        step: the step it was, from 1.
        weights, gradients: Euclidean norms, of the weights before the step and of the gradient that moved them.
        updates: norm of the step over that of the weights.
        dead: share of units that gave 0 for every sample of the batch, of the activation behind; None without one.
    """

    epoch: Count
    step: Count
    names: list[str]
    kinds: list[str]
    weights: list[float | None]
    gradients: list[float | None]
    updates: list[float | None]
    dead: list[float | None]

    def __post_init__(self) -> None:
        columns = (self.kinds, self.weights, self.gradients, self.updates, self.dead)
        if any(len(column) != len(self.names) for column in columns):
            raise ValueError("lists of different lengths")


@dataclass(frozen=True, kw_only=True)
class MediaLogged(Event):
    """An image, a text or a histogram is in the run's folder; see `core.runs.media`.

    Attributes:
        step: that it is shown at. epoch: that it belongs to, 0 when unknown.
        done: steps done since the start of the run when it was logged; a run that resumes before them logs it again.
        file: its name in the folder ``media`` of the run; of the log of another tool its place there.
    """

    kind: Literal["image", "text", "histogram"]
    name: str
    step: Count
    epoch: Count
    done: Count
    file: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The run has ended in this process.

    Attributes:
        error: one line that says what went wrong; empty when nothing did.
        traceback: of an error that nobody expected; empty otherwise.
    """

    status: Ending
    error: str = ""
    traceback: str = ""


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


EVENT_TYPES: Final[dict[str, type[Event]]] = {
    _snake_case(kind.__name__): kind for kind in Event.__subclasses__()
}
"""All events by the name that stands in the log."""


def to_json(event: Event, run: str) -> str:
    """One line of JSON; numbers that are not finite become null."""
    head = {"v": VERSION, "event": _snake_case(type(event).__name__), "run": run}
    try:
        return json.dumps({**head, **vars(event)}, allow_nan=False)
    except ValueError:
        return json.dumps({**head, **_finite(vars(event))})


def from_json(line: str | bytes) -> Event | None:
    """The event of one line; None for an event of a newer version that this one does not know.

    Raises:
        RunDamaged: the line is not an event.
    """
    from pydantic import ValidationError  # here: a script that only writes events starts sooner without it

    try:
        values = read_line(line)
        name = values["event"]
        known = name in EVENT_TYPES
    except (ValueError, TypeError, KeyError, RecursionError):
        raise RunDamaged("a line of the event log is not an event") from None
    if not known:
        return None
    for metrics in ("train", "validation", "best_metrics"):
        if isinstance(values.get(metrics), dict):
            values[metrics] = {key: math.nan if v is None else v for key, v in values[metrics].items()}
    try:
        event: Event = _checker(name).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RunDamaged(f"a line of the event log is not a valid {name}: {place}: {first['msg']}") from None
    return event


@cache
def _checker(name: str) -> "TypeAdapter[Any]":
    """Checks the values of one kind of event, and leaves out keys of a newer version."""
    from pydantic import TypeAdapter

    return TypeAdapter(EVENT_TYPES[name])


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
