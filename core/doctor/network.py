"""A network and its data, tried as a run is before it starts; nothing is written."""

import time
from collections.abc import Iterator
from pathlib import Path

from core.config.schema import TrainConfig
from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.session.preflight.check import preflight
from core.session.preflight.finding import Finding, failed
from core.session.preload import load_backend
from core.session.preparation import prepare

__all__ = ["check_network"]


def check_network(config: TrainConfig, data_root: Path | None, progress: Progress) -> Iterator[Finding]:
    """Yield all findings of pre-flight, until one keeps a run from starting; see `core.session.preflight`."""
    name = "data is read, the network is built"
    load_backend()
    began = time.perf_counter()
    training = config.training.model_copy(update={"preflight": False})
    try:
        prepared = prepare(config.model_copy(update={"training": training}), data_root, progress)
    except TorchtuiError as error:
        yield failed(name, error, time.perf_counter() - began)
        return
    yield Finding(name, seconds=time.perf_counter() - began)
    for notice in prepared.notices:
        yield Finding("the constructor", "warning", notice.message)
    yield from preflight(prepared)
