"""A study of 5,000 trials: what one more trial costs does not grow with them, and it is opened, listed and resumed."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from core.config import schema as configuration
from core.control import RunControl
from core.tuning.search.methods import TRIAL
from core.tuning.search.plan import Plan, make_plan
from core.tuning.study.attempts import ATTEMPT, PROCESS, RESULT, Attempts
from core.tuning.study.claims import Claims, record_result
from core.tuning.study.folder import StudyFolder
from core.tuning.study.presence import Presence
from core.tuning.study.study import TuningStudy, create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.instant import Instant
from tests.tui.cli.conftest import Tui
from tui.runtime.study_follower import Follower

TRIALS = 5000
RANGES = {"optimizer.lr": {"low": 1e-4, "high": 1.0, "log": True}}
LR = optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)


def plan_of(trials: int) -> Plan:
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    return make_plan(base, RANGES, method="random", trials=trials, metric="loss")


def finished(number: int, state: str = "completed") -> FrozenTrial:
    """Return an attempt as it is in the storage when its trial is done."""
    value = abs(math.log10(1e-4 + number / TRIALS) + 2)
    result = {"state": state, "value": value, "epochs": 1, "seconds": 1.0, "reason": "", "curve": [value]}
    return create_trial(
        state=TrialState.COMPLETE,
        value=value,
        params={"optimizer.lr": 1e-4 + number / (2 * TRIALS)},
        distributions={"optimizer.lr": LR},
        user_attrs={TRIAL: number, ATTEMPT: 0, PROCESS: "gone", RESULT: result},
    )


@pytest.mark.slow
@pytest.mark.parametrize("before", [50, TRIALS])
def test_a_claim_looks_at_what_is_new_alone(
    before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name="study")
    study.add_trials([finished(number) for number in range(before)])
    folder = StudyFolder(tmp_path)
    folder.processes_dir.mkdir()
    tuned = TuningStudy(folder, plan_of(before + 20), None, study, storage)
    looked: list[int] = []
    take = Attempts._take

    def note(self: Attempts, trial: FrozenTrial) -> None:
        looked.append(trial.number)
        take(self, trial)

    monkeypatch.setattr(Attempts, "_take", note)
    claims = Claims(tuned, Presence(folder, study))
    assert claims.left()
    assert len(looked) == before, "once"
    looked.clear()
    numbers = []
    while (claim := claims.next()) is not None:
        numbers.append(claim.number)
        assert claims.elsewhere() == 0
        record_result(tuned, claim.attempt.number, {"state": "completed", "value": 1.0})
    assert numbers == [*range(before, before + 20)]
    assert len(looked) < 20 * 5, "whatever there was before"


def multiply(database: Path, count: int) -> None:
    """Copy the first trial of a storage so many times: Optuna itself writes some dozens a second."""
    tables = ("trials", "trial_params", "trial_values", "trial_user_attributes")
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in tables:
            cursor = connection.execute(f"SELECT * FROM {table} WHERE trial_id = 1")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            for number in range(1, count):
                for row in rows:
                    copy = {**row, names[0]: None, "trial_id": number + 1}
                    if table == "trials":
                        copy["number"] = number
                    if row.get("key") == TRIAL:
                        copy["value_json"] = str(number)
                    marks = ", ".join("?" * len(copy))
                    connection.execute(f"INSERT INTO {table} VALUES ({marks})", [*copy.values()])


@pytest.fixture
def large(tmp_path: Path) -> TuningStudy:
    """Return a study in a file whose trials are done, but for the last ten."""
    study = create_study(tmp_path / "runs", plan_of(TRIALS))
    study.storage.create_new_trial(study.storage_id, finished(0))
    multiply(study.folder.database, TRIALS - 10)
    return study


@pytest.mark.heavy
def test_it_is_opened_shown_and_resumed(large: TuningStudy, tui: Tui) -> None:
    runs_dir = large.folder.path.parent
    opened = open_study(runs_dir, "latest")
    assert [record.number for record in opened.records()] == [*range(TRIALS - 10)]
    standing = Follower(runs_dir, "latest").look()
    assert (standing.done, standing.status) == (TRIALS - 10, "stopped")

    executor = Instant()
    ended = tune(opened, executor, emit=lambda event: None, control=RunControl())
    assert executor.begun == [*range(TRIALS - 10, TRIALS)]
    assert (ended.status, len(ended.records)) == ("completed", TRIALS)
    answer = tui(f"runs --runs {opened.folder.trials_dir}")
    assert answer.code == 0
    assert len(answer.out.splitlines()) == 10
