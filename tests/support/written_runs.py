"""Runs on disk that nothing has trained: their configuration and a short log."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config.schema import from_dict, to_dict
from core.events import EpochFinished, RunFinished, RunStarted
from core.runs.creating import write_config
from core.runs.folder import Run
from core.runs.log import EventLog
from core.status import Ending

__all__ = ["write_run"]


def write_run(
    runs_dir: Path,
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: Ending = "completed",
    loss: float = 0.5,
    accuracy: float = 0.9,
    time: float = 1.8e9,
) -> Run:
    """Write a run of two epochs.

    Args:
        values: of its configuration, nested.
        loss, accuracy: of its best epoch.
        time: of its start, in seconds since 1970.
    """
    run, config = Run(runs_dir / name), from_dict(dict(values or {}))
    run.path.mkdir(parents=True)
    write_config(run, config)
    log, metrics = EventLog(run), {"loss": loss, "accuracy": accuracy}
    log.write(
        RunStarted(
            time=time,
            config=to_dict(config),
            task="multiclass",
            samples={"train": 100, "validation": 10},
            classes=["a", "b"],
            sample_shape=[4],
            parameters=5,
            device="cpu",
            threads=1,
            epochs=2,
            steps_per_epoch=1,
        )
    )
    log.write(
        EpochFinished(
            time=time + 1,
            epoch=2,
            epochs=2,
            step=2,
            train=metrics,
            validation=metrics,
            lr=0.1,
            seconds=1.0,
            best_epoch=2,
            best_metrics=metrics,
        )
    )
    log.write(RunFinished(time=time + 2, status=status))
    log.close()
    return run
