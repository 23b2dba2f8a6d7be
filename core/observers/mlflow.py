"""MLflow: a run there for each run here, where ``MLFLOW_TRACKING_URI`` says; in the experiment of
``MLFLOW_EXPERIMENT_NAME``, by default ``torchtui``. A resumed run is resumed there too.
"""

import math
import os
from typing import Any

from core.errors import DependencyError
from core.events import Event, MediaLogged, RunFinished, RunStarted
from core.observers.scalars import scalars
from core.runs.folder import Run
from core.runs.labels import read_labels

__all__ = ["MLflow"]

TAG = "torchtui.run"
STATUS = {"completed": "FINISHED", "stopped": "KILLED", "diverged": "FAILED", "failed": "FAILED"}
LONGEST = 500
"""Characters of a parameter, which is what older servers take."""


class MLflow:
    """Logs parameters, and `scalars` by step.

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
                "log mlflow: mlflow is not installed", 'pip install "torchtui[mlflow]"'
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
            case RunFinished() if self._id:
                self._client.set_terminated(self._id, STATUS[event.status])
            case _:
                self._log(event)

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
        tags = {TAG: self._run.id, "mlflow.runName": read_labels(self._run.path).name or self._run.id}
        self._id = client.create_run(place, tags=tags).info.run_id
        settings = {
            f"{section}.{key}": str(value)[:LONGEST]
            for section, values in event.config.items()
            for key, value in values.items()
        }
        client.log_batch(self._id, params=[self._param(*item) for item in settings.items()])

    def _log(self, event: Event) -> None:
        if not isinstance(event, MediaLogged):  # which is shown at a step of its own
            self._step = getattr(event, "step", self._step)
        moment = int(event.time * 1000)
        metrics = [
            self._metric(name, value, moment, self._step)
            for name, value in scalars(event).items()
            if math.isfinite(value)
        ]
        if metrics:
            self._client.log_batch(self._id, metrics=metrics)
