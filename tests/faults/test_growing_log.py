"""A log that grows by 50 MB between two looks: nothing is read twice, and nothing of it is kept but its curves."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.schema import TrainConfig, to_yaml
from core.events import Notice, StepLogged, to_json
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.log import READ_BYTES, LogReader
from core.runs.summary import summarise
from tests.support.cost import bytes_read, memory_growth
from tests.tui.cli.conftest import Tui

GROWTH = 50_000_000
"""Bytes between two looks."""
LOOKS = 2
FRAMES = 4
"""Of a screen between two looks."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "runs" / "2026-01-01_0900_digits-mlp_aaa")
    run.path.mkdir(parents=True)
    run.config_file.write_text(to_yaml(TrainConfig()))
    start = {"event": "run_started", "time": 1.0, "config": {}, "epochs": 3, "steps_per_epoch": 10}
    run.log_file.write_text(json.dumps(start) + "\n")
    return run


def steps() -> Iterator[bytes]:
    """Yield parts of a log, of about a megabyte each, for ever."""
    step = 0
    while True:
        part = bytearray()
        while len(part) < 1_000_000:
            step += 1
            event = StepLogged(epoch=1, step=step, train={"loss": 1 / step}, lr=0.1, samples_per_second=1.0)
            part += (to_json(event, "run") + "\n").encode() * 20
        yield bytes(part)


@pytest.mark.heavy
def test_it_is_read_once_a_megabyte_at_a_time(run: Run) -> None:
    def follow() -> None:
        reader, history, parts = LogReader(run.log_file), History(), steps()
        for _ in range(LOOKS):
            with run.log_file.open("ab") as log:
                for _ in range(GROWTH // 1_000_000):
                    log.write(next(parts))
            for _ in range(FRAMES):
                before = reader.offset
                for event in reader.read():
                    history.apply(event)
                assert reader.offset == before + READ_BYTES, "a frame is never late because of a long log"
        reads = 0
        while events := reader.read():
            reads += 1
            for event in events:
                history.apply(event)
        size = os.path.getsize(run.log_file)
        assert reader.offset == size
        assert reads == (size - LOOKS * FRAMES * READ_BYTES + READ_BYTES - 1) // READ_BYTES
        assert len(history.curve("train loss by step").points()[0]) <= 4 * 4097

    assert memory_growth(follow) < 40e6


def test_a_list_reads_its_end_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = {"event": "epoch_finished", "epoch": 1, "best_metrics": {}}
    line = json.dumps({"event": "notice", "level": "info", "message": "m" * 1000}).encode() + b"\n"
    costs = []
    for _ in range(3):
        with run.log_file.open("ab") as log:
            log.write(line * 5000 + json.dumps(epoch).encode() + b"\n" + line)
        with bytes_read(monkeypatch) as count:
            assert summarise(run).epoch == 1
        costs.append(count())
    assert len(set(costs)) == 1, "however long the log has become"
    assert costs[0] < 30_000


def test_a_line_that_never_ends_is_not_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a process that writes garbage: what is kept of it is bounded, and what follows is read."""
    monkeypatch.setattr("core.runs.log.LONGEST_LINE", 3 * READ_BYTES)
    reader, kept = LogReader(run.log_file), []
    assert reader.damaged == len(reader.read())
    for _ in range(12):
        with run.log_file.open("ab") as log:
            log.write(b"x" * READ_BYTES)
        reader.read()
        kept.append(len(reader._torn))
    assert max(kept) <= 4 * READ_BYTES
    with run.log_file.open("ab") as log:
        log.write(b"\n" + to_json(Notice(level="info", message="here"), run.id).encode() + b"\n")
    (event,) = reader.read()
    assert isinstance(event, Notice)
    assert reader.damaged == 2, "the start, which is not whole, and this line"


def test_commands_show_it_while_it_grows(run: Run, tui: Tui) -> None:
    with run.log_file.open("ab") as log:
        log.write(next(steps())[:-10])
    for command in ("runs", "runs show aaa"):
        answer = tui(f"{command} --runs {run.path.parent}")
        assert answer.code == 0
        assert "interrupted" in answer.out
