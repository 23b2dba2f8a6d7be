"""A reference leads to one name, or to a message that says why it does not."""

import os
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.errors import RunError
from core.runs.creating import create_run
from core.runs.folder import find_run
from core.runs.references import resolve
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import create_folder, find_study
from core.tuning.study.study import create_study, open_study

NAMES = ["2026-11-23_0000_iris-mlp_k3g", "2026-11-22_1015_digits-cnn_aaa", "2026-11-22_0915_digits-mlp_k3f"]


def found(reference: str, names: list[str] = NAMES, prefix: str = "") -> str:
    started = {name: names.index(name) // 2 for name in names}
    return resolve(
        reference,
        names,
        started=lambda name: started[name],
        kind=("run", "runs"),
        where="in runs",
        hint="Make one",
        prefix=prefix,
    )


@pytest.mark.parametrize(
    ("reference", "name"),
    [(NAMES[0], 0), ("2026-11-22_09", 2), ("2026-11-23", 0), ("k3f", 2), ("aaa", 1), ("latest", 2)],
)
def test_a_name_is_found(reference: str, name: int) -> None:
    assert found(reference) == NAMES[name]


def test_a_whole_name_is_never_ambiguous() -> None:
    assert found("a", ["a2", "a", "a1"]) == "a"


def test_the_first_of_those_started_at_the_same_time_is_the_latest() -> None:
    assert found("latest", ["b", "a"]) == "b"


def test_a_prefix_of_all_names_may_be_left_out() -> None:
    assert found("2026-11-23", [f"study_{name}" for name in NAMES], "study_") == f"study_{NAMES[0]}"


@pytest.mark.parametrize(
    ("reference", "names", "message"),
    [
        ("a", ["a3", "a2", "a1"], "'a' is ambiguous: it matches 3 runs (a3, a2, a1). Use a longer prefix"),
        (
            "a",
            ["a4", "a3", "a2", "a1"],
            "'a' is ambiguous: it matches 4 runs (a4, a3, a2, ...). Use a longer prefix",
        ),
        ("b", ["a"], "no run 'b' in runs. Make one"),
        ("", ["a"], "the name of the run is empty. Make one"),
        ("latest", [], "there are no runs in runs. Make one"),
    ],
)
def test_what_cannot_be_resolved_is_reported(reference: str, names: list[str], message: str) -> None:
    with pytest.raises(RunError) as caught:
        found(reference, names)
    assert str(caught.value) == message


def test_runs_studies_and_storages_take_the_same_references(tmp_path: Path) -> None:
    runs = [create_run(tmp_path, TrainConfig()) for _ in range(2)]
    studies = [create_folder(tmp_path, TrainConfig()) for _ in range(2)]
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    plan = make_plan(TrainConfig(), {"optimizer.lr": [0.1, 0.2]}, trials=1)
    stored = [create_study(tmp_path / "stored", plan, url) for _ in range(2)]
    for first, last in ((0, 1), (1, 0)):
        for index, started in ((first, 1000), (last, 2000)):
            os.utime(runs[index].config_file, (started, started))
            os.utime(runs[index].lock_file, (started, started))
        os.utime(studies[first].processes_dir, (1000, 1000))
        os.utime(studies[last].processes_dir, (2000, 2000))
        stored[last].note_start()
        assert find_run(tmp_path, "latest") == runs[last]
        assert find_study(tmp_path, "latest") == studies[last]
        assert open_study(tmp_path / "stored", "latest", url).name == stored[last].name
    for find, noun in (
        (lambda text: find_run(tmp_path, text), "runs"),
        (lambda text: find_study(tmp_path, text), "studies"),
        (lambda text: open_study(tmp_path / "stored", text, url), "studies"),
    ):
        with pytest.raises(RunError, match=rf"'2\d\d\d-' is ambiguous: it matches 2 {noun} \("):
            find(runs[0].id[:5])


def test_a_study_goes_before_a_trial_whose_letters_are_the_same(tmp_path: Path) -> None:
    study = create_folder(tmp_path, TrainConfig())
    letters = study.name.rpartition("_")[2]
    trial = create_run(study.trials_dir, TrainConfig())
    same = trial.path.rename(trial.path.with_name(f"2020-01-01_1246_iris-mlp_{letters}"))
    with pytest.raises(RunError, match=f"no run '{letters}'"):
        find_run(tmp_path, letters)
    assert find_study(tmp_path, letters) == study
    for reference in ("latest", same.name, "2020-01-01_1246_iris"):
        assert find_run(tmp_path, reference).path == same


def test_a_resumed_run_is_the_latest(tmp_path: Path) -> None:
    old, new = (create_run(tmp_path, TrainConfig()) for _ in range(2))
    os.utime(old.config_file, (1000, 1000))
    os.utime(new.config_file, (2000, 2000))
    old.lock_file.touch()
    assert find_run(tmp_path, "latest") == old
