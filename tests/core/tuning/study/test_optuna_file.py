"""A study's file holds what Optuna would write; without our knowledge of its tables a study says the same."""

import math
import re
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from core.tuning.study import optuna_file
from core.tuning.study.optuna_file import LAYOUT, FileStorage, at_once, file_storage

FACTS: dict[str, Any] = {
    "params": {"lr": 0.1, "width": 3, "name": "[1, 2]"},
    "distributions": {
        "lr": FloatDistribution(0.01, 1.0, log=True),
        "width": IntDistribution(1, 9, step=2),
        "name": CategoricalDistribution(["[1, 2]", "3"]),
    },
    "user_attrs": {"trial": 0, "result": {"curve": [0.5, None]}},
    "system_attrs": {"fixed_params": {"lr": 0.1}},
    "intermediate_values": {1: 0.5, 2: math.inf, 3: math.nan, 4: -math.inf},
}
TWO = [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def worked_on(storage: RDBStorage) -> None:
    """A study with a trial of every fact, one that ends step by step, and one that runs."""
    study = storage.create_new_study(TWO, "study")
    storage.set_study_user_attr(study, "plan", {"a": 1})
    storage.set_study_user_attr(study, "plan", {"a": 2})
    began = datetime(2026, 1, 2, 3, 4, 5)
    whole = create_trial(state=TrialState.COMPLETE, values=[0.5, -math.inf], **FACTS)
    whole.datetime_start = whole.datetime_complete = began
    storage.create_new_trial(study, whole)
    steps = storage.create_new_trial(study)
    storage._set_trial_param(steps, "width", 5.0, FACTS["distributions"]["width"], None)
    storage.set_trial_user_attr(steps, "run", "a")
    storage.set_trial_user_attr(steps, "run", "b")
    storage.set_trial_system_attr(steps, "c", [1])
    storage.set_trial_intermediate_value(steps, 2, math.nan)
    storage.set_trial_intermediate_value(steps, 1, 0.25)
    assert storage.set_trial_state_values(steps, TrialState.COMPLETE, [1.5, math.inf])
    with pytest.raises(UpdateFinishedTrialError):
        storage.set_trial_user_attr(steps, "run", "c")
    storage.create_new_trial(study, create_trial(state=TrialState.WAITING, user_attrs={"trial": 2}))
    with pytest.raises(ValueError, match="distribution"):
        storage._set_trial_param(steps + 1, "width", 0.0, FACTS["distributions"]["name"], None)


def told(storage: RDBStorage) -> tuple[Any, ...]:
    """All that a storage says of its study, as text: NaN is not equal to itself."""
    study = storage.get_study_id_from_name("study")
    trials = storage.get_all_trials(study)
    attributes = storage.get_study_user_attrs(study)
    again = [storage.get_trial(trial._trial_id) for trial in trials]
    assert list(map(_text, again)) == list(map(_text, trials))
    with pytest.raises(KeyError):
        storage.get_study_id_from_name("other")
    with pytest.raises(KeyError):
        storage.get_trial(99)
    return attributes, list(map(_text, trials))


def _text(trial: FrozenTrial) -> str:
    facts = {
        name: sorted(value.items()) if isinstance(value, dict) else value
        for name, value in vars(trial).items()
    }
    return repr(sorted(facts.items()))


@pytest.fixture
def ours(tmp_path: Path) -> FileStorage:
    storage = file_storage(url_of(tmp_path / "ours.db"), {})
    assert isinstance(storage, FileStorage)
    return storage


def times_left_out(text: str) -> str:
    return re.sub(r"datetime\.datetime\([^)]*\)", "", text)


@pytest.mark.slow
def test_optuna_reads_what_we_write_and_we_what_it_writes(ours: FileStorage, tmp_path: Path) -> None:
    worked_on(ours)
    plain = RDBStorage(url_of(tmp_path / "plain.db"))
    worked_on(plain)
    assert told(ours) == told(RDBStorage(url_of(tmp_path / "ours.db")))
    assert told(plain) == told(file_storage(url_of(tmp_path / "plain.db"), {}))
    assert times_left_out(str(told(ours))) == times_left_out(str(told(plain)))


def test_a_new_file_has_the_tables_that_optuna_makes(ours: FileStorage, tmp_path: Path) -> None:
    RDBStorage(url_of(tmp_path / "plain.db"))
    made = []
    for name in ("ours.db", "plain.db"):
        with sqlite3.connect(tmp_path / name) as db:
            tables = db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall()
            columns = [db.execute("SELECT * FROM pragma_table_info(?)", table).fetchall() for table in tables]
            indexes = db.execute(
                "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY sql, 1"
            )
            rows = db.execute("SELECT * FROM version_info, alembic_version").fetchall()
            made.append((tables, columns, indexes.fetchall(), rows))
    assert made[0] == made[1]
    assert made[0][-1][0][-1] == LAYOUT


def test_what_is_done_at_once_is_kept_as_a_whole_or_not_at_all(ours: FileStorage, tmp_path: Path) -> None:
    study = ours.create_new_study(TWO, "study")

    def fail() -> None:
        with at_once(ours), at_once(ours):
            trial = ours.create_new_trial(study)
            ours.set_trial_user_attr(trial, "a", 1)
            assert [one.user_attrs for one in ours.get_all_trials(study)] == [{"a": 1}]
            assert not RDBStorage(url_of(tmp_path / "ours.db")).get_all_trials(study)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert not ours.get_all_trials(study)
    with at_once(ours):
        ours.create_new_trial(study)
    assert [trial.number for trial in ours.get_all_trials(study)] == [0]


def test_tables_of_another_layout_are_left_to_optuna(
    ours: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_on(ours)
    expected = told(ours)
    monkeypatch.setattr(optuna_file, "LAYOUT", "v9")
    storage = file_storage(url_of(tmp_path / "ours.db"), {})
    assert not isinstance(storage, FileStorage)
    assert told(storage) == expected
