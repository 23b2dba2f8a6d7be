"""Rows of numbers by step, as trackers keep them, turned into the events of a run."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.events import EpochFinished, EvaluationFinished, Event, RunStarted, StepLogged
from core.interop.best_epoch import Best
from core.interop.readers.names import place_of
from core.interop.running_means import Means

__all__ = ["StepRows"]


@dataclass
class _Place:
    """Position up to which a log has been read."""

    step: int = 0
    epoch: int = 0
    finished_step: int = -1
    lr: float = 0.0
    last: float = 0.0
    best: Best = field(default_factory=Best)
    means: Means = field(default_factory=Means)


class StepRows:
    """Counts a row with numbers of validation as the end of an epoch, since most logs name none.

    Args:
        tool: what wrote the log; it stands where runs name their script.
    """

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self._at = _Place()

    def begin(self, moment: float | None = None) -> RunStarted:
        """The start of the run, before the first row; a second call discards all that was reported."""
        self._at = _Place()
        return RunStarted(
            time=time.time() if moment is None else moment,
            config={"script": {"name": self.tool}},
            task="",
            samples={},
            classes=[],
            sample_shape=[],
            parameters=0,
            device="",
            threads=0,
            epochs=0,
            steps_per_epoch=0,
        )

    def take(self, step: int, moment: float, values: Mapping[str, float]) -> Iterator[Event]:
        """The events of one row.

        Args:
            step: steps that never go back make curves; others are moved on.
            moment: seconds since 1970.
        """
        at, groups = self._at, dict[str, dict[str, float]]()
        for name, value in values.items():
            place, metric = place_of(name)
            groups.setdefault(place, {})[metric] = value
        at.step = max(at.step, step)
        at.lr = groups.get("lr", {}).get("lr", at.lr)
        if "train" in groups:
            at.means.add(groups["train"])
            yield StepLogged(
                time=moment,
                epoch=at.epoch + 1,
                step=at.step,
                train=groups["train"],
                lr=at.lr,
                samples_per_second=0.0,
            )
        if "validation" in groups and at.step != at.finished_step:
            yield self._finish_epoch(moment, groups.pop("validation"))
        for split in ("validation", "test"):  # another validation after the same step is that of the end
            if split in groups:
                yield EvaluationFinished(time=moment, split=split, metrics=dict(groups[split]))

    def _finish_epoch(self, moment: float, validation: dict[str, float]) -> EpochFinished:
        at = self._at
        at.epoch, at.finished_step = at.epoch + 1, at.step
        at.best.judge(at.epoch, validation)
        seconds, at.last = moment - (at.last or moment), moment
        return EpochFinished(
            time=moment,
            epoch=at.epoch,
            step=max(at.step, at.epoch),
            train=at.means.take(),
            validation=validation,
            lr=at.lr,
            seconds=max(0.0, seconds),
            best_epoch=at.best.epoch,
            best_metrics=at.best.metrics,
        )
