"""The folder of a study appears whole, with its storage, or not at all."""

from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.errors import RunError
from core.runs.folder import all_runs
from core.tuning.search.plan import Plan, make_plan
from core.tuning.study import study as studies
from core.tuning.study.folder import all_studies
from core.tuning.study.study import create_study, open_study
from tests.support.killed import die, in_a_killed_process


@pytest.fixture
def plan() -> Plan:
    return make_plan(TrainConfig(), {"optimizer.lr": [0.1, 0.2]}, trials=2)


def test_what_a_process_left_that_was_killed_while_it_made_a_study_is_removed(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(studies, "_note_storage", die)
        in_a_killed_process(lambda: create_study(tmp_path, plan))
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".new-study-")
    assert (left / "study.db").is_file()
    assert (all_studies(tmp_path), all_runs(tmp_path)) == ([], [])
    study = create_study(tmp_path, plan)
    assert list(tmp_path.iterdir()) == [study.folder.path]


def test_a_new_study_is_whole_and_can_be_opened(tmp_path: Path, plan: Plan) -> None:
    study = create_study(tmp_path, plan)
    found = sorted(path.name for path in study.folder.path.iterdir())
    assert found == ["processes", "started.txt", "study.db", "trials"]
    assert open_study(tmp_path, study.name).plan == study.plan == plan
    study.note_start()
    assert sorted(path.name for path in study.folder.path.iterdir()) == found


def test_a_study_that_cannot_be_begun_leaves_nothing(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RunError("no")

    monkeypatch.setattr(studies, "_note_storage", fail)
    with pytest.raises(RunError):
        create_study(tmp_path, plan)
    assert list(tmp_path.iterdir()) == []
