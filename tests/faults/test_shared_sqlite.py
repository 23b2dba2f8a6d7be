"""Eight processes on one study in a SQLite file, one of them killed: every trial is trained once, and none is lost."""

import os
from collections import Counter
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.tuning.executors.protocol import TrialTask
from core.tuning.search.plan import make_plan
from core.tuning.study.study import create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.instant import Instant
from tests.support.killed import KILLED, die

pytestmark = pytest.mark.heavy

PROCESSES, TRIALS, BEFORE_DEATH = 8, 60, 3


class Mortal(Instant):
    """Dies in the middle of a trial."""

    def start(self, task: TrialTask) -> None:
        if len(self.begun) == BEFORE_DEATH:
            die()
        super().start(task)


def work(runs_dir: Path, number: int) -> None:
    """Work on the study in this process, and write down which trials it began."""
    executor = Mortal() if number == 0 else Instant()
    ended = tune(open_study(runs_dir, "latest"), executor, emit=lambda event: None, control=RunControl())
    (runs_dir / f"begun-{number}").write_text(" ".join(map(str, executor.begun)))
    assert ended.status == "completed"


def test_every_trial_is_trained_once(tmp_path: Path) -> None:
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    ranges = {"optimizer.lr": {"low": 1e-4, "high": 1.0, "log": True}}
    runs_dir = tmp_path / "runs"
    create_study(runs_dir, make_plan(base, ranges, method="random", trials=TRIALS, metric="loss"))
    processes = []
    for number in range(PROCESSES):
        process = os.fork()
        if not process:
            try:
                work(runs_dir, number)
                os._exit(0)
            finally:
                os._exit(1)
        processes.append(process)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert codes == [KILLED, *[0] * (PROCESSES - 1)]

    begun = [int(number) for file in runs_dir.glob("begun-*") for number in file.read_text().split()]
    assert max(Counter(begun).values()) == 1
    assert TRIALS - BEFORE_DEATH <= len(begun) <= TRIALS, (
        "those whose end it could not tell are trained again"
    )
    records = open_study(runs_dir, "latest").records()
    assert [record.number for record in records] == [*range(TRIALS)]
    assert {record.state for record in records} == {"completed"}
