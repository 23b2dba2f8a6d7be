"""A thousand damaged runs among twenty thousand: each is opened once, and no more of it is read than of the others."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.runs import catalogue as module
from core.runs.catalogue import Catalogue, Changes
from core.runs.folder import Run
from core.runs.summary import RunSummary, summarise
from tests.support.cost import bytes_read

pytestmark = pytest.mark.heavy

RUNS, DAMAGED = 20_000, 1_000
WHOLE = (
    '{"event": "run_started", "time": 1.0, "config": {}}\n'
    '{"event": "run_finished", "time": 2.0, "status": "completed"}\n'
)
DAMAGES: list[Callable[[Path], object]] = [
    lambda log: None,
    lambda log: log.touch(),
    lambda log: log.mkdir(),
    lambda log: log.write_bytes(b"\xff\x00" * 50_000),
    lambda log: log.write_bytes(b"[" * 100_000),
    lambda log: log.symlink_to("nowhere"),
    lambda log: log.write_text('{"event": "run_started", "time": "noon"}\n'),
    lambda log: os.mkfifo(log),
]


def test_all_are_listed_at_a_bounded_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(RUNS):
        run = tmp_path / f"2026-01-01_0900_iris-mlp_{number}"
        run.mkdir()
        (run / "config.yaml").touch()
        log = run / "events.jsonl"
        every = RUNS // DAMAGED
        if number % every:
            log.write_text(WHOLE)
        else:
            DAMAGES[number // every % len(DAMAGES)](log)
    read: list[Run] = []

    def noted(run: Run, **how: Any) -> RunSummary:
        read.append(run)
        return summarise(run, **how)

    monkeypatch.setattr(module, "summarise", noted)
    catalogue, listed, batches = Catalogue(tmp_path), Changes(), 0
    with bytes_read(monkeypatch) as count:
        for changes in catalogue.changes():
            listed |= changes
            batches += 1
        assert count() < 300 * RUNS + 1_000_000 * DAMAGED // len(DAMAGES) * 2
    statuses = [summary.status for summary in listed.values() if summary is not None]
    assert (statuses.count("damaged"), statuses.count("completed")) == (DAMAGED, RUNS - DAMAGED)
    assert len(read) == RUNS, "each once"
    assert batches < 12, "whoever takes them sorts all runs again for each"
    read.clear()
    with bytes_read(monkeypatch) as count:
        assert [*catalogue.changes()] == []
        assert (count(), read) == (0, [])
