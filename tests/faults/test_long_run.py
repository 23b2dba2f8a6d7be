"""A run of a hundred thousand epochs: it is listed, followed and drawn at a bounded cost."""

import os
from collections.abc import Iterator

import pytest

from core.config.schema import TrainConfig, to_yaml
from core.events import EpochFinished, RunFinished, RunStarted, to_json
from core.runs.folder import Run
from core.runs.history import outline as outlines
from core.runs.history.history import MAX_EPOCHS, History
from core.runs.history.outline import Outline
from core.runs.log import LogReader
from core.runs.summary import summarise
from tests.support.cost import bytes_read, memory_growth
from tests.tui.cli.conftest import Tui

pytestmark = pytest.mark.heavy

EPOCHS = 100_000
"""Kept whole, they would take twice the memory that is allowed below."""
POINTS = 4 * 4097
"""Of a curve, at most; see `core.runs.history.series`."""
MEGABYTE = 1 << 20


def epoch_line() -> str:
    """Return the line of an epoch, with a place for its number."""
    numbers = {"loss": 0.5, "accuracy": 0.75}
    event = EpochFinished(
        time=1767322800.0,
        epoch=7777777,
        step=7777777,
        train=numbers,
        validation=numbers,
        lr=0.1,
        seconds=0.001,
        best_epoch=1,
        best_metrics=numbers,
        epochs=EPOCHS,
        confusion=[[5, 1], [2, 7]],
    )
    return (to_json(event, "long") + "\n").replace("7777777", "@")


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Yield the folder of a run that has trained for so many epochs."""
    run = Run(tmp_path_factory.mktemp("long") / "runs" / "2026-01-01_0900_digits-mlp_aaa")
    run.path.mkdir(parents=True)
    run.config_file.write_text(to_yaml(TrainConfig()))
    start = RunStarted(
        time=1767322800.0,
        config={"data": {"name": "digits"}, "model": {"name": "mlp"}},
        task="binary",
        samples={"train": 10},
        classes=["a", "b"],
        sample_shape=[4],
        parameters=5,
        device="cpu",
        threads=1,
        epochs=EPOCHS,
        steps_per_epoch=1,
    )
    line = epoch_line()
    with run.log_file.open("w") as log:
        log.write(to_json(start, run.id) + "\n")
        log.writelines(line.replace("@", str(epoch)) for epoch in range(1, EPOCHS + 1))
        log.write(to_json(RunFinished(status="completed"), run.id) + "\n")
    yield run
    run.log_file.unlink()


def test_it_is_listed_by_its_ends(long_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with bytes_read(monkeypatch) as count:
        summary = summarise(long_run)
    assert (summary.status, summary.epoch, summary.epochs) == ("completed", EPOCHS, EPOCHS)
    assert count() < 100_000


def test_its_curves_are_read_once_and_stay_small(long_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "MAX_BYTES", os.path.getsize(long_run.log_file) // 2)

    def read() -> None:
        outline = Outline(long_run)
        reads = 1
        while outline.read():
            reads += 1
        size = os.path.getsize(long_run.log_file)
        assert outline.skipped == size - outlines.MAX_BYTES - MEGABYTE
        assert reads <= (size - outline.skipped) // MEGABYTE + 3
        check(outline.history)

    assert memory_growth(read) < 60e6


def test_it_is_followed_live(long_run: Run) -> None:
    """As by a screen: a megabyte at a time, each byte once."""

    def follow() -> None:
        reader, history, most = LogReader(long_run.log_file), History(), 0
        while events := reader.read():
            most = max(most, len(events))
            for event in events:
                history.apply(event)
        assert reader.offset == os.path.getsize(long_run.log_file)
        assert reader.damaged == 0
        assert most < 10_000
        check(history)
        assert history.version == EPOCHS + 2

    assert memory_growth(follow) < 100e6


def check(history: History) -> None:
    """The curves span the whole run, the table its end."""
    assert history.epoch == EPOCHS
    assert len(history.epochs) == MAX_EPOCHS
    assert all(epoch.event.confusion == [] for epoch in history.epochs)
    for name in ("train loss", "validation accuracy", "seconds"):
        x, y = history.curve(name).points()
        assert len(x) == len(y) <= POINTS
        assert (x[0], x[-1]) == (1, EPOCHS)


def test_the_list_of_runs_shows_it(long_run: Run, tui: Tui) -> None:
    answer = tui(f"runs --runs {long_run.path.parent}")
    assert answer.code == 0
    assert "completed" in answer.out
    assert f"{EPOCHS}/{EPOCHS}" in answer.out
