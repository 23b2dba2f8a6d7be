"""`tui runs`: names, tags and notes."""

import json
from pathlib import Path

import pytest

from core.runs.folder import Run, find_run
from core.runs.labels import read_labels
from core.runs.lock import hold
from core.runs.summary import summarise
from core.tuning.study.folder import all_studies
from tests.support.written_runs import write_run
from tests.tui.cli.conftest import Tui


@pytest.fixture
def runs(tui: Tui) -> list[Run]:
    """Three runs, the newest last."""
    folder = Path("runs")
    return [
        write_run(folder, "2026-01-01_0900_digits-mlp_aaa", {"optimizer": {"lr": 0.3}}, accuracy=0.8),
        write_run(folder, "2026-01-02_0900_digits-cnn_bbb", {"model": "cnn"}, status="failed"),
        write_run(folder, "2026-01-03_0900_iris-mlp_ccc", {"data": "iris"}, accuracy=0.95),
    ]


def test_runs_are_renamed_tagged_and_noted(tui: Tui, runs: list[Run]) -> None:
    assert tui("runs rename aaa 'wider net'").code == 0
    assert tui("runs tag aaa paper baseline").out == "paper baseline\n"
    assert tui("runs tag aaa --remove paper").out == "baseline\n"
    assert tui("runs tag aaa").out == "baseline\n"
    assert tui("runs note 'wider net' 'loss rises'").code == 0
    assert tui("runs note aaa").out == "loss rises\n"
    shown = json.loads(tui("runs show aaa --json").out)
    assert (shown["name"], shown["tags"], shown["note"]) == ("wider net", ["baseline"], "loss rises")
    shown_text = tui("runs show 'wider net'").out
    assert "name    wider net" in shown_text
    refused = tui("runs tag aaa 'two words'")
    assert refused.code == 2
    assert "tag: got 'two words'" in refused.err


def test_a_run_is_named_as_it_starts_and_again_as_it_resumes(train: Tui, tui: Tui) -> None:
    assert train("--name 'first try' --quiet").code == 0
    run = find_run(Path("runs"), "first try")
    assert summarise(run).title == "first try"
    assert tui("train --no-ui --quiet --resume latest --epochs 4 --name second").code == 0
    assert read_labels(run.path).name == "second"


@pytest.mark.slow
def test_seeds_get_a_name_each(train: Tui) -> None:
    assert train("--name wide --seeds 2 --seed 3 --quiet").code == 0
    assert {read_labels(run).name for run in Path("runs").iterdir()} == {"wide seed 3", "wide seed 4"}


def test_a_name_that_does_not_fit_starts_nothing(train: Tui) -> None:
    refused = train(f"--name {'x' * 81}")
    assert refused.code == 2
    assert not Path("runs").exists()


def test_runs_are_filtered_sorted_and_shown_by_any_column(tui: Tui, runs: list[Run]) -> None:
    tui("runs rename ccc best")
    wanted = "--sort accuracy --filter 'data:digits or name:best' --columns run,lr,cfg.model"
    first, *rest = tui(f"runs {wanted}").out.splitlines()
    assert first.split() == ["run", "lr", "model"]
    assert [line.split()[0] for line in rest] == ["best", runs[1].id, runs[0].id]
    assert rest[2].split()[1:] == ["0.3", "mlp"]
    assert [run["id"] for run in json.loads(tui("runs --filter lr=0.3 --json").out)["runs"]] == [runs[0].id]
    usual = tui("runs").out.splitlines()
    assert [line.split()[0] for line in usual] == [run.id for run in reversed(runs)]
    assert "'best'" in usual[0]
    for wrong, told in (("--filter lr=", "lr= needs a number"), ("--columns lrr", "unknown name 'lrr'")):
        answer = tui(f"runs {wrong}")
        assert (answer.code, answer.out) == (2, "")
        assert told in answer.err


def test_the_disk_space_of_runs_is_sorted_by(tui: Tui, runs: list[Run]) -> None:
    (runs[1].path / "large").write_bytes(b"x" * 3_000_000)
    assert tui("runs --sort size").out.splitlines()[0].startswith(runs[1].id)
    head, first, *_ = tui("runs --sort size --columns run").out.splitlines()
    assert head.split() == ["run", "size"]
    assert "2.86 MiB" in first
    assert json.loads(tui("runs --sort size --json").out)["runs"][0]["size"] > 3_000_000


def test_runs_go_to_the_trash_and_come_back(tui: Tui, runs: list[Run]) -> None:
    assert tui("runs delete").code == 2
    assert tui("runs delete aaa --filter status=failed").code == 0
    assert [run.path.exists() for run in runs] == [False, False, True]
    assert len(tui("runs trash").out.splitlines()) == 2
    assert tui("runs restore bbb").out == f"{runs[1].id}\n"
    assert tui("runs restore").out == f"{runs[0].id}\n"
    assert all(run.path.exists() for run in runs)
    assert tui("runs restore").err == "error: the trash is empty\n"
    with hold(runs[2]):
        held = tui("runs delete ccc")
    assert held.code == 1
    assert "is being trained" in held.err
    assert tui("runs delete ccc").code == 0
    assert tui("runs trash --empty").out == "1 deleted for good\n"
    assert tui("runs trash").out == ""


@pytest.mark.slow
def test_a_study_is_listed_shown_renamed_and_deleted(tui: Tui) -> None:
    tuned = "tune --no-ui --data iris --model mlp --epochs 1 --set training.threads=1 --trials 2 --quiet"
    assert tui(f"{tuned} --name 'rate search' -p lr=0.1,0.01 --method grid").code == 0
    (study,) = all_studies(Path("runs"))
    assert f"`tui runs show {study.name}`" in tui("runs").err
    lines = tui("runs show 'rate search'").out.splitlines()
    assert lines[0].split() == ["trial", "state", "loss", "epochs", "lr", "run"]
    assert [line.split()[:2] for line in lines[1:3]] == [["0", "completed"], ["1", "completed"]]
    assert "name    rate search" in lines
    shown = json.loads(tui(f"runs show {study.name} --json").out)
    assert sorted(trial["params"]["optimizer.lr"] for trial in shown["trials"]) == [0.01, 0.1]
    assert tui(f"runs rename {study.name} other").code == 0
    assert tui("runs delete other").code == 0
    assert all_studies(Path("runs")) == []
    assert tui("runs restore").out == f"{study.name}\n"
    assert tui("runs show none").code == 2
