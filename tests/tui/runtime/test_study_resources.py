"""Resources that are free where a study trains, kept in its folder for whoever follows it."""

from contextlib import closing
from pathlib import Path

from core.config.schema import TrainConfig
from core.tuning.executors.protocol import Resources
from core.tuning.resources import forget_resources, note_resources, resources_of
from core.tuning.search.plan import make_plan
from core.tuning.study.presence import Presence
from core.tuning.study.study import create_study
from tui.runtime.study_follower import Follower

WAITS = Resources("0 of 2 CPUs free", "1 CPU and 1 GPU", (3, 4))


def test_what_is_noted_is_seen_while_a_process_works_on_the_study(tmp_path: Path) -> None:
    plan = make_plan(TrainConfig(), {"optimizer.lr": {"choices": [0.1, 0.2]}}, trials=2)
    study = create_study(tmp_path / "runs", plan)
    assert resources_of(study.folder) is None
    note_resources(study.folder, WAITS)
    assert resources_of(study.folder) == WAITS
    follower = Follower(tmp_path / "runs", study.name)
    assert follower.look().resources is None, "nobody works on it"
    with closing(Presence(study.folder, study.optuna)):
        assert follower.look().resources == WAITS
        (study.folder.path / "resources.json").write_text('{"free": 3}')
        assert follower.look().resources is None
    forget_resources(study.folder)
    assert not (study.folder.path / "resources.json").exists()
