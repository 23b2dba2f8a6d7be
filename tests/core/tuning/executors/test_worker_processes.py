"""Processes that a data function starts from the worker of a trial."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.config import schema as configuration
from core.runs.code import trust_config
from core.runs.creating import create_run
from core.runs.folder import Run
from core.tuning.executors import executors
from core.tuning.executors.executors import LocalProcesses
from core.tuning.executors.protocol import Ended, TrialTask

pytestmark = pytest.mark.slow

POOLS = """
import multiprocessing, os, time
import numpy as np
from pathlib import Path

def make():
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:  # ends them with SIGTERM
            print(method, sum(pool.map(abs, range(4))))
    left = multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,))
    left.start()
    Path({numbers!r}).write_text(f"{{os.getpid()}} {{left.pid}}")
    {then}
    return np.eye(40, 4, dtype="float32"), np.arange(40) % 2
"""


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProcesses]:
    """Starts new interpreters, which have the settings of this test: a server has those of the first one."""
    monkeypatch.setattr(executors, "_context", lambda: multiprocessing.get_context("spawn"))
    executor = LocalProcesses(1)
    yield executor
    executor.close()


def start(executor: LocalProcesses, folder: Path, then: str = "") -> Run:
    """Start a trial on data whose function starts processes, and does something else in the end."""
    (folder / "pools.py").write_text(POOLS.format(numbers=str(folder / "numbers"), then=then))
    data = {"name": "python", "path": f"{folder / 'pools.py'}:make"}
    config = configuration.from_dict({"data": data, "training": {"epochs": 1, "device": "cpu"}})
    trust_config(config)
    run = create_run(folder / "runs", config)
    executor.start(TrialTask(0, configuration.to_dict(config), run.path, "loss", 1, False, folder))
    return run


def ended(executor: LocalProcesses) -> Ended:
    for _ in range(600):
        for message in executor.wait(1):
            if isinstance(message, Ended):
                return message
    raise AssertionError("the trial did not end")


def wait_for_end(number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(number).wait(600)


def test_pools_of_a_data_function_work_and_what_it_leaves_ends_with_the_study(
    executor: LocalProcesses, tmp_path: Path
) -> None:
    run = start(executor, tmp_path)
    assert ended(executor).outcome.state == "completed"
    assert run.console_file.read_text().splitlines()[:2] == ["fork 6", "spawn 6"]
    worker, left = map(int, (tmp_path / "numbers").read_text().split())
    os.kill(worker, signal.SIGTERM)  # a batch system sends it to all: the study decides
    assert psutil.Process(left).parent() == psutil.Process(worker)
    executor.close()
    wait_for_end(left)


def test_what_it_leaves_ends_with_a_study_that_was_killed(executor: LocalProcesses, tmp_path: Path) -> None:
    start(executor, tmp_path, then="time.sleep(3600)")
    while not (tmp_path / "numbers").exists() or not (text := (tmp_path / "numbers").read_text()):
        assert executor.wait(0.05) == []
    worker, left = map(int, text.split())
    (connection,) = [worker.connection for worker in executor._workers]
    connection.close()  # which is all that a worker sees of it
    wait_for_end(worker)
    wait_for_end(left)


def test_a_worker_that_dies_is_noticed_though_what_it_started_lives_on(
    executor: LocalProcesses, tmp_path: Path
) -> None:
    start(executor, tmp_path, then="os.kill(os.getpid(), 9)")
    assert ended(executor).outcome.reason == "its process was killed by SIGKILL"
    _, left = map(int, (tmp_path / "numbers").read_text().split())
    psutil.Process(left).kill()
