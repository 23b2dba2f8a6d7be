"""`tui queue`: which runs it takes, in which order, and what it prints."""

import json
from pathlib import Path

import pytest

from core.runs.folder import Run
from tests.support.written_runs import write_run
from tests.tui.cli.conftest import Tui
from tui.runtime import in_turn
from tui.runtime.user_queue import adding


def test_runs_are_taken_in_order_each_once_after_the_one_ahead(
    tui: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"2026-01-0{day}_0900_digits-mlp_{day}{day}{day}" for day in (1, 2, 3)]
    one, two, ahead = (write_run(Path("runs"), name, status="stopped") for name in names)
    taken: list[tuple[list[Run], Run | None]] = []

    def train(runs: list[Run], after: Run | None, data_root: Path | None) -> list[Run]:
        taken.append((runs, after))
        return runs

    monkeypatch.setattr(in_turn, "train_in_turn", train)
    answer = tui("queue 222 111 222 --after latest")
    assert answer.code == 0, answer.err
    assert taken == [([two, one], ahead)]
    assert answer.out.splitlines() == [f"{two.id}  stopped", f"{one.id}  stopped"]
    assert tui("queue nowhere").code == 2


@pytest.fixture
def queue(tui: Tui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tui:
    """Calls ``tui queue`` for a queue of the test on a machine without GPUs, on which nothing works."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    monkeypatch.setattr(adding, "start_working", lambda: None)
    monkeypatch.setattr(adding, "gpus_here", tuple)
    return lambda line: tui(f"queue {line}")


def test_what_is_added_waits_and_can_be_moved_paused_and_removed(queue: Tui) -> None:
    assert queue("").out.startswith("the queue is empty")
    Path("run.yaml").write_text("data: {name: iris}\n")
    Path("kept").mkdir()
    run = write_run(Path("runs"), "2026-01-01_0900_digits-mlp_111", status="stopped")
    assert queue("add train --data digits --epochs 3 --name mine").code == 0
    assert queue("--runs kept add tui tune --no-ui --data iris --device cpu --trials 3").code == 0
    assert queue("add --gpus 0 run.yaml --lr 0.1").code == 0
    assert queue("add 111").code == 0
    answer = queue("move 3 first")
    assert [line.split()[1] for line in answer.out.splitlines()[:4]] == ["3", "1", "2", "4"]
    assert answer.out.splitlines()[-1].startswith(
        "0 running, 4 waiting; nobody works on it: `tui queue resume`"
    )
    assert "paused" in queue("pause").out
    found = json.loads(queue("remove 4 --json").out)
    words = {entry["id"]: entry["words"] for entry in found["entries"]}
    assert words[1] == ["train", "--no-ui", "--data", "digits", "--epochs", "3", "--name", "mine"]
    assert words[2] == [
        "tune",
        "--runs",
        "kept",
        *["--no-ui", "--data", "iris", "--device", "cpu", "--trials", "3"],
    ]
    assert words[3] == ["train", "--no-ui", "--config", "run.yaml", "--lr", "0.1"]
    assert [(entry["id"], entry["gpus"], entry["place"]) for entry in found["entries"]] == [
        *((3, 0, 1), (1, None, 2), (2, 0, 3)),
    ]
    assert (found["paused"], found["slots"], found["worked_on_by"]) == (True, 1, "")
    assert json.loads(queue("slots 2 --json").out)["slots"] == 2
    assert run.config_file.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("add train --lr abc", "optimizer.lr: got 'abc'"),
        ("add train --config nowhere.yaml", "nowhere.yaml"),
        ("add tune --data nothing", "nothing"),
        ("add --gpus 2 train --data iris", "2 GPUs are needed, and this machine has 0"),
        ("add tui", "nothing to add"),
        ("add nowhere", "nowhere"),
        ("stop 3", "the queue has no entry 3"),
        ("move 3 up", "the queue has no entry 3"),
    ],
)
def test_mistakes_are_found_before_anything_waits(queue: Tui, line: str, words: str) -> None:
    answer = queue(line)
    assert answer.code in (1, 2)
    assert words in answer.err
    assert queue("").out.startswith("the queue is empty")
