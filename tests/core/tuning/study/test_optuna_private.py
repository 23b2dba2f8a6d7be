"""The private parts of Optuna that are used do what is expected; without them a study says the same."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from core.config import schema as configuration
from core.tuning.search.plan import make_plan
from core.tuning.study import optuna_private
from core.tuning.study.claims import Claims, give_back, record_result
from core.tuning.study.presence import Presence
from core.tuning.study.study import TuningStudy, create_study, open_study

RESULT = {"state": "completed", "value": 0.5, "epochs": 1, "seconds": 1.0, "reason": "", "curve": [0.5]}


def worked_on(runs_dir: Path) -> TuningStudy:
    """A study of which one trial was given back and one is done."""
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    study = create_study(runs_dir, make_plan(base, {"optimizer.lr": [0.1, 0.2]}, method="grid"))
    claims = Claims(study, Presence(study.folder, study.optuna))
    first, second = claims.next(), claims.next()
    assert first is not None
    assert second is not None
    first.attempt.report(0.7, 1)
    give_back(study, first.attempt.number)
    assert record_result(study, second.attempt.number, RESULT)
    again = claims.next()
    assert again is not None
    assert (again.number, again.judged) == (first.number, {1})
    return open_study(runs_dir, str(study.folder.path))


def test_a_study_and_whoever_reads_its_storage_remember_the_same_trials(tmp_path: Path) -> None:
    study = worked_on(tmp_path)
    assert study.optuna._storage is study.storage


def test_without_a_memory_of_trials_a_study_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = worked_on(tmp_path / "usual").records()
    monkeypatch.setattr(optuna_private, "storages", SimpleNamespace())
    study = worked_on(tmp_path / "without")
    assert study.optuna._storage is not study.storage
    told = [(record.number, record.state, record.value) for record in study.records()]
    assert told == [(record.number, record.state, record.value) for record in usual]
    assert [state for _, state, _ in told] == ["running", "completed"]
