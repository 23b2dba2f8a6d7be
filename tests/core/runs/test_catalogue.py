"""All runs kept up to date: what is new, and at what cost."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import from_dict, to_dict
from core.errors import RunError
from core.events import EpochFinished, RunFinished, RunStarted
from core.runs import catalogue as module
from core.runs.catalogue import Catalogue, Changes
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.log import EventLog
from core.runs.summary import RunSummary, summarise

STARTED = RunStarted(
    config=to_dict(from_dict({})),
    task="multiclass",
    samples={"train": 10},
    classes=["a", "b"],
    sample_shape=[4],
    parameters=5,
    device="cpu",
    threads=1,
    epochs=2,
    steps_per_epoch=1,
)
COMPLETED = RunFinished(status="completed")


def epoch(number: int) -> EpochFinished:
    metrics = {"loss": 1 / number}
    return EpochFinished(
        epoch=number,
        step=number,
        train=metrics,
        validation=metrics,
        lr=0.1,
        seconds=1.0,
        best_epoch=number,
        best_metrics=metrics,
    )


def say(run: Run, *events: Any) -> None:
    run.path.mkdir(parents=True, exist_ok=True)
    log = EventLog(run)
    for event in events:
        log.write(event)
    log.close()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Run]:
    def make(number: int, *events: Any) -> Run:
        run = Run(tmp_path / f"2026-01-{number:02}_0900_digits-mlp_{number:03}")
        say(run, *events)
        return run

    return make


def look(catalogue: Catalogue) -> Changes:
    return {name: summary for batch in catalogue.changes() for name, summary in batch.items()}


def test_what_is_new_is_told_once(tmp_path: Path, make: Callable[..., Run]) -> None:
    ended, going = make(1, STARTED, epoch(1), COMPLETED), make(2, STARTED, epoch(1))
    catalogue = Catalogue(tmp_path)
    with hold(going):
        found = look(catalogue)
        assert {name: (known.status, known.epoch) for name, known in found.items() if known} == {
            ended.id: ("completed", 1),
            going.id: ("running", 1),
        }
        assert look(catalogue) == {}
        say(going, epoch(2))
        (grown,) = look(catalogue).values()
        assert grown is not None
        assert (grown.run, grown.epoch) == (going, 2)
        new = make(3, STARTED)
        assert [*look(catalogue)] == [new.id]
    assert {known.run: known.status for known in look(catalogue).values() if known} == {going: "interrupted"}
    with hold(going):
        assert {known.status for known in look(catalogue).values() if known} == {"running"}


def test_a_run_that_ended_is_looked_at_again_when_someone_goes_on_with_it(
    tmp_path: Path, make: Callable[..., Run]
) -> None:
    run = make(1, STARTED, COMPLETED)
    catalogue = Catalogue(tmp_path)
    assert [known and known.status for known in look(catalogue).values()] == ["completed"]
    with hold(run):
        assert [known and known.status for known in look(catalogue).values()] == ["preparing"]
    assert [known and known.status for known in look(catalogue).values()] == ["completed"]


def test_what_is_gone_is_told_once(tmp_path: Path, make: Callable[..., Run]) -> None:
    run = make(1)
    catalogue = Catalogue(tmp_path)
    assert [known and known.status for known in look(catalogue).values()] == ["damaged"]
    run.log_file.unlink()
    (known,) = look(catalogue).values()
    assert known is not None
    assert "No such file" in known.error
    run.path.rmdir()
    assert look(catalogue) == {run.id: None}
    assert look(catalogue) == {}


def test_only_logs_that_changed_are_read_again(
    tmp_path: Path, make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make(1, STARTED, COMPLETED), make(2, STARTED), make(3)]
    catalogue = Catalogue(tmp_path)
    look(catalogue)
    read: list[Run] = []

    def noted(run: Run) -> RunSummary:
        read.append(run)
        return summarise(run)

    monkeypatch.setattr(module, "summarise", noted)
    look(catalogue)
    assert read == []
    os.utime(runs[0].log_file, (1, 1))
    assert look(catalogue) == {}
    assert read == [runs[0]]


def test_the_first_batch_is_small_and_has_the_newest(
    tmp_path: Path, make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_BATCH", 3)
    for number in range(1, 21):
        make(number)
    batches = [[int(name[8:10]) for name in batch] for batch in Catalogue(tmp_path).changes()]
    assert batches == [[20, 19, 18], [17, 16, 15], [*range(14, 8, -1)], [*range(8, 0, -1)]]


def test_no_folder_has_no_runs_and_a_locked_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(Catalogue(tmp_path / "none")) == {}

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RunError, match="Permission denied"):
        look(Catalogue(tmp_path))


def test_a_folder_that_goes_while_it_is_read_is_told(
    tmp_path: Path, make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(1, STARTED)
    monkeypatch.setattr(module, "run_places", lambda folder: {run.id: run.id})
    with pytest.raises(RunError, match="No such file"):
        look(Catalogue(tmp_path / "none"))


@pytest.mark.slow
def test_a_thousand_damaged_runs_are_listed_beside_the_others(tmp_path: Path) -> None:
    damages: list[Callable[[Path], object]] = [
        lambda run: None,
        lambda run: (run / "events.jsonl").touch(),
        lambda run: (run / "events.jsonl").mkdir(),
        lambda run: (run / "events.jsonl").write_bytes(b"\xff\x00" * 50),
        lambda run: (run / "events.jsonl").write_bytes(b"[" * 5000),
        lambda run: (run / "events.jsonl").symlink_to("nowhere"),
        lambda run: (run / "events.jsonl").write_text('{"event": "run_started", "time": "noon"}\n'),
        lambda run: os.mkfifo(run / "events.jsonl"),
    ]
    for number in range(2000):
        run = tmp_path / f"2026-01-01_0900_iris-mlp_{number}"
        run.mkdir()
        (run / "config.yaml").touch()
        if number % 2:
            damages[number // 2 % len(damages)](run)
        else:
            (run / "events.jsonl").write_text(
                '{"event": "run_started", "time": 1.0, "config": {}}\n'
                '{"event": "run_finished", "time": 2.0, "status": "completed"}\n'
            )
    listed: Changes = {}
    for changes in Catalogue(tmp_path).changes():
        listed |= changes
    statuses = [summary.status for summary in listed.values() if summary is not None]
    assert (statuses.count("damaged"), statuses.count("completed")) == (1000, 1000)
