"""MLflow: a run there for each run here, where ``MLFLOW_TRACKING_URI`` says; in the experiment of
``MLFLOW_EXPERIMENT_NAME``, by default ``torchtui``. A run that goes on here goes on there.
"""

import math
import os
from collections.abc import Mapping
from typing import Any

from core.errors import DependencyError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    RunFinished,
    RunStarted,
    StepLogged,
    SystemSampled,
)
from core.runs.folder import Run

__all__ = ["MLflow"]

TAG = "torchtui.run"
STATUS = {"completed": "FINISHED", "stopped": "KILLED", "diverged": "FAILED", "failed": "FAILED"}
LONGEST = 500
"""Characters of a parameter, which is what older servers take."""


class MLflow:
    """Logs parameters, and metrics by step: ``train/loss``, ``validation/loss``, ``lr``, ``test/accuracy`` ...

    Raises:
        DependencyError: mlflow is not installed.
    """

    name = "mlflow"

    def __init__(self, run: Run) -> None:
        try:
            from mlflow import MlflowClient
            from mlflow.entities import Metric, Param
        except ImportError:
            raise DependencyError(
                "--log mlflow: mlflow is not installed", 'pip install "torchtui[mlflow]"'
            ) from None
        self._connect: Any = MlflowClient
        self._metric: Any = Metric
        self._param: Any = Param
        self._run, self._id, self._step = run, "", 0
        self._client: Any = None

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._begin(event)
            case StepLogged():
                self._log(event, event.step, {**_grouped("train", event.train), "lr": event.lr})
            case EpochFinished():
                values = {**_grouped("validation", event.validation), "epoch": float(event.epoch)}
                values |= {f"train/{name}_epoch": value for name, value in event.train.items()}
                self._log(event, event.step, values)
            case EvaluationFinished():
                self._log(event, self._step, _grouped(event.split, event.metrics))
            case SystemSampled():
                self._log(event, self._step, _grouped("system", event.shares()))
            case RunFinished() if self._id:
                self._client.set_terminated(self._id, STATUS[event.status])

    def wait(self) -> None:
        """Nothing is due."""

    def _begin(self, event: RunStarted) -> None:
        """Find this run there, or make it."""
        self._client = client = self._connect()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "torchtui"
        experiment = client.get_experiment_by_name(name)
        place = experiment.experiment_id if experiment else client.create_experiment(name)
        known = client.search_runs([place], f"tags.`{TAG}` = '{self._run.id}'", max_results=1)
        if known:
            self._id = known[0].info.run_id
            client.update_run(self._id, status="RUNNING")
            return
        tags = {TAG: self._run.id, "mlflow.runName": self._run.id}
        self._id = client.create_run(place, tags=tags).info.run_id
        settings = {
            f"{section}.{key}": str(value)[:LONGEST]
            for section, values in event.config.items()
            for key, value in values.items()
        }
        client.log_batch(self._id, params=[self._param(*item) for item in settings.items()])

    def _log(self, event: Event, step: int, values: Mapping[str, float | None]) -> None:
        self._step, moment = step, int(event.time * 1000)
        known = {key: value for key, value in values.items() if value is not None and math.isfinite(value)}
        metrics = [self._metric(key, value, moment, step) for key, value in known.items()]
        self._client.log_batch(self._id, metrics=metrics)


def _grouped(group: str, values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {f"{group}/{name}": value for name, value in values.items()}
