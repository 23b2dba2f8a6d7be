"""`tui queue`: which runs it takes, in which order, and what it prints."""

from pathlib import Path

import pytest

from core.runs.folder import Run
from tests.support.written_runs import write_run
from tests.tui.cli.conftest import Tui
from tui.runtime import queue_process


def test_runs_are_taken_in_order_each_once_after_the_one_ahead(
    tui: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"2026-01-0{day}_0900_digits-mlp_{day}{day}{day}" for day in (1, 2, 3)]
    one, two, ahead = (write_run(Path("runs"), name, status="stopped") for name in names)
    taken: list[tuple[list[Run], Run | None]] = []

    def train(runs: list[Run], after: Run | None, data_root: Path | None) -> list[Run]:
        taken.append((runs, after))
        return runs

    monkeypatch.setattr(queue_process, "train_in_turn", train)
    answer = tui("queue 222 111 222 --after latest")
    assert answer.code == 0, answer.err
    assert taken == [([two, one], ahead)]
    assert answer.out.splitlines() == [f"{two.id}  stopped", f"{one.id}  stopped"]
    assert tui("queue nowhere").code == 2
