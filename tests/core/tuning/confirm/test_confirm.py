"""The best trials of a study are trained again with other seeds, each run once, and the best mean wins."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import ttest_ind

from core.config import schema as configuration
from core.control import RunControl
from core.errors import ConfigError
from core.events import EpochFinished
from core.runs.folder import Run
from core.runs.log import all_events
from core.tuning.confirm.confirm import confirm
from core.tuning.confirm.result import confirmation, welch_p
from core.tuning.confirm.study import SEED, TRIAL, ask_to_confirm, open_confirmation, seeds_asked_for
from core.tuning.executors.protocol import Ended, Outcome, TrialTask
from core.tuning.search.plan import make_plan
from core.tuning.study.study import TuningStudy, create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.instant import Instant
from tests.support.killed import die, in_a_killed_process

LRS = (0.1, 0.2, 0.3, 0.4, 0.5)
SEEDS = 3
DONE_BEFORE_DEATH = 4


class Graded(Instant):
    """Gives each learning rate its value; that of the best one was luck, which other seeds do not have."""

    def start(self, task: TrialTask) -> None:
        lr, seed = task.config["optimizer"]["lr"], task.config["training"]["seed"]
        self.begun.append(task.trial)
        value = lr if seed == 0 else {0.1: 0.5, 0.2: 0.25, 0.3: 0.31}[lr] + seed / 1000
        self._ended.append(Ended(task.trial, Outcome("completed", value=value, epochs=1)))


class Mortal(Graded):
    """Dies in the middle of a run."""

    def start(self, task: TrialTask) -> None:
        if len(self.begun) == DONE_BEFORE_DEATH:
            die()
        super().start(task)


@pytest.fixture
def study(tmp_path: Path) -> TuningStudy:
    """A complete one of five trials whose order is that of their learning rates."""
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    plan = make_plan(base, {"optimizer.lr": list(LRS)}, method="grid", metric="loss")
    made = create_study(tmp_path, plan)
    tune(made, Graded(), emit=lambda event: None, control=RunControl())
    return made


@pytest.mark.slow
def test_the_best_mean_wins_whatever_dies_meanwhile(study: TuningStudy) -> None:
    assert confirmation(study) is None

    def killed() -> None:
        confirm(study, SEEDS, Mortal(), emit=lambda event: None, control=RunControl())

    in_a_killed_process(killed)
    half = confirmation(open_study(study.folder.path.parent, study.name))
    assert half is not None
    assert (half.winner, half.total) == (None, 9)

    executor = Graded()
    found, problem = confirm(study, SEEDS, executor, emit=lambda event: None, control=RunControl())
    assert "weights" in problem or "checkpoint" in problem, "nothing was trained that could be tested"
    lost = 1  # its process died before it could tell how it ended
    assert 9 - DONE_BEFORE_DEATH <= len(executor.begun) <= 9 - DONE_BEFORE_DEATH + lost
    runs = open_confirmation(study)
    assert runs is not None
    pairs = Counter((record.params[TRIAL], record.params[SEED]) for record in runs.records())
    assert pairs == Counter((trial, seed) for trial in (0, 1, 2) for seed in (1, 2, 3))

    assert found.winner == 1
    best, first = found.best, found.rows[0]
    assert best is not None
    assert best.mean == pytest.approx(0.252)
    assert best.deviation == pytest.approx(0.001)
    assert first.optimism == pytest.approx(0.402), "0.1 in the search, 0.502 with other seeds"
    assert found.level == ()

    again = Graded()
    confirm(study, SEEDS, again, emit=lambda event: None, control=RunControl())
    assert again.begun == []


def test_the_request_outlives_its_process(study: TuningStudy) -> None:
    assert seeds_asked_for(study) == 0
    ask_to_confirm(study, 3)
    assert seeds_asked_for(open_study(study.folder.path.parent, study.name)) == 3
    with pytest.raises(ConfigError, match="confirm: got 1"):
        ask_to_confirm(study, 1)


def test_welchs_test_is_scipys() -> None:
    left, right = (0.95, 0.93, 0.94), (0.92, 0.9, 0.95, 0.91)
    assert welch_p(left, right) == pytest.approx(ttest_ind(left, right, equal_var=False).pvalue)
    assert welch_p((1.0, 1.0), (1.0, 1.0)) == 1
    assert welch_p((1.0, 1.0), (2.0, 2.0)) == 0
    assert welch_p((1.0,), left) is None


@pytest.mark.heavy
def test_a_killed_confirmation_trains_no_run_twice_and_tests_the_winner(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "tune", "--no-ui", "--json", "--runs", str(tmp_path)]
    search = ["--data", "digits", "--set", "model.hidden=[16]", "--epochs", "8", "--trials", "3"]
    ranges = ["-p", "lr=log:0.01..0.3", "--metric", "accuracy", "--confirm", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, *search, *ranges], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    confirmed = (line for line in process.stdout if "trial_confirmed" in line)
    assert [next(confirmed), next(confirmed)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run([*command, "--resume", "latest"], check=True, stdout=subprocess.DEVNULL, env=environment)

    study = open_study(tmp_path, "latest")
    found = confirmation(study)
    assert found is not None
    assert (found.done, found.total) == (6, 6)
    assert found.test is not None
    folders = sorted((study.folder.path / "confirm" / "trials").iterdir())
    assert len(folders) == 6
    epochs = [
        [event.epoch for event in all_events(Run(folder).log_file) if isinstance(event, EpochFinished)]
        for folder in folders
    ]
    assert {found[-1] for found in epochs} == {8}
    assert sum(found != [*range(1, 9)] for found in epochs) <= 1, "only the run in the middle is resumed"
    tested = [folder for folder in folders if (folder / "evaluation" / "test").is_dir()]
    assert tested == [found.test.run]
