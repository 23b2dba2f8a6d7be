"""Logs of other tools among the runs of a folder: listed, filtered, followed, compared."""

import os
import time
from pathlib import Path

import pytest

from core.errors import RunError
from core.interop.readers.importing import Importer, import_logs, original_of
from core.interop.readers.logs import find_logs
from core.runs.catalogue import Catalogue
from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.comparison.settings import differences
from core.runs.creating import create_folder, write_sections
from core.runs.folder import Run, all_runs, find_run
from core.runs.history.outline import Outline
from core.runs.query.language import parse
from core.runs.script import imported_dir
from core.runs.summary import RunSummary, summarise
from core.runs.trash import discard, new_batch
from tests.support.foreign_logs import history_of, points, read_all

OLD = 1_000_000_000
ULTRALYTICS = "epoch,train/loss,metrics/accuracy_top1,val/loss\n"


def log_in(runs_dir: Path, name: str, text: str = "1,2,0.25,4\n2,1,0.5,2\n", modified: float = OLD) -> Path:
    file = runs_dir / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ULTRALYTICS + text)
    os.utime(file, (modified, modified))
    return file


def listed(runs_dir: Path) -> dict[str, RunSummary]:
    assert import_logs(runs_dir) == {}
    return {run.id: summarise(run) for run in all_runs(runs_dir)}


def test_nothing_looks_into_runs_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        own = create_folder(tmp_path, f"own{number}", lambda run: write_sections(run, {}))
        log_in(own.path, "checkpoints/results.csv")
    log_in(tmp_path, "other/results.csv")
    looked: list[str] = []

    def scandir(place: str | Path) -> object:
        looked.append(os.fspath(place))
        return real(place)

    real = os.scandir
    monkeypatch.setattr("core.interop.readers.folders.os.scandir", scandir)
    assert [found.path.parent.name for found in find_logs(tmp_path)] == ["other"]
    assert {*looked} == {str(tmp_path), str(tmp_path / "other")}


def test_logs_are_listed_beside_our_own_runs(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    own = create_folder(runs_dir, "own", lambda run: write_sections(run, {"data": {"name": "iris"}}))
    log = log_in(runs_dir, "detect/train/results.csv")
    (log.parent / "args.yaml").write_text("lr0: 0.02\nmodel: yolo11n.pt\n")
    log_in(runs_dir, "detect/train2/results.csv", "1,3,0.5,1\n")
    found = listed(runs_dir)
    assert [*found] == [own.id, "detect_train", "detect_train2"]
    summary = found["detect_train"]
    assert (summary.status, summary.epoch, summary.best_epoch, summary.tool) == (
        "stopped",
        2,
        2,
        "Ultralytics",
    )
    assert summary.metrics == {"accuracy_top1": 0.5, "loss": 2.0}
    assert (summary.model, summary.log) == ("yolo11n.pt", str(log))
    assert summary.config["settings"] == {"lr0": 0.02}
    assert find_run(runs_dir, "detect_train") == summary.run
    assert find_run(runs_dir, "latest").path == own.path
    for text, names in (
        ("tool:ultralytics loss<1.5", ["detect_train2"]),
        ("cfg.settings.lr0=0.02", ["detect_train"]),
    ):
        query = parse(text)
        assert [name for name, each in found.items() if query.matches(each)] == names
    assert {path.name for path in log.parent.iterdir()} == {
        "args.yaml",
        "results.csv",
    }  # nothing is written there


def test_copies_are_compared(tmp_path: Path) -> None:
    log_in(tmp_path, "a/results.csv")
    log_in(tmp_path, "b/results.csv", "1,2,0.25,3\n2,1,0.5,1\n")
    (tmp_path / "b" / "args.yaml").write_text("lr0: 0.02\n")
    import_logs(tmp_path)
    entries = [EntryReader(run).read() for run in all_runs(tmp_path)]
    assert [entry.curves["validation loss"][1].tolist() for entry in entries] == [[4, 2], [3, 1]]
    assert differences(grouped(entries)) == {"settings.lr0": [None, 0.02]}


def test_a_copy_grows_with_its_log(tmp_path: Path) -> None:
    now = time.time()
    log_in(tmp_path, "a/results.csv", "1,2,0.25,4\n", now)
    importer, catalogue = Importer(tmp_path), Catalogue(tmp_path)
    [*importer.look()]
    first = [summary for changes in catalogue.changes() for summary in changes.values() if summary]
    assert [(each.status, each.epoch) for each in first] == [("running", 1)]
    [*importer.look()]
    assert [*catalogue.changes()] == []
    outline = Outline(first[0].run)
    while outline.read():
        pass
    log_in(tmp_path, "a/results.csv", "1,2,0.25,4\n2,1,0.5,2\n", now + 1)
    [*importer.look()]
    second = [summary for changes in catalogue.changes() for summary in changes.values() if summary]
    assert [(each.status, each.epoch) for each in second] == [("running", 2)]
    while outline.read():
        pass
    assert points(outline.history, "validation loss") == [(1, 4), (2, 2)]
    os.utime(tmp_path / "a" / "results.csv", (OLD, OLD))
    [*importer.look()]
    (ended,) = [summary for changes in catalogue.changes() for summary in changes.values() if summary]
    assert ended.status == "stopped"
    log_in(tmp_path, "a/results.csv", "1,2,0.25,4\n2,1,0.5,2\n3,1,0.5,1\n", now + 2)
    [*importer.look()]
    (again,) = [summary for changes in catalogue.changes() for summary in changes.values() if summary]
    assert (again.status, again.epoch) == ("running", 3)
    assert [*catalogue.changes()] == []


def test_a_log_that_is_gone_is_no_run_any_more(tmp_path: Path) -> None:
    log = log_in(tmp_path, "a/results.csv")
    assert [*listed(tmp_path)] == ["a"]
    log.unlink()
    assert [*listed(tmp_path)] == []


def test_logs_of_one_place_have_names_of_their_own(tmp_path: Path) -> None:
    log_in(tmp_path, "a/results.csv")
    log_in(tmp_path, "a/metrics.csv")
    log_in(tmp_path, "a/other.csv")
    names = [*listed(tmp_path)]
    assert {name.partition("_")[0] for name in names} == {"a"}
    assert len(set(names)) == 3
    assert "a_other" in names
    assert [*listed(tmp_path)] == names


@pytest.mark.slow
def test_a_long_log_is_copied_with_few_of_its_steps(tmp_path: Path) -> None:
    rows = "".join(f"{step},{1 / step}\n" for step in range(1, 20_001))
    (tmp_path / "log.csv").write_text(f"step,loss\n{rows}")
    os.utime(tmp_path / "log.csv", (OLD, OLD))
    summary = listed(tmp_path)["log"]
    assert summary.evaluation == {"train": {"loss": pytest.approx(1 / 20_000)}}
    assert len(summary.run.log_file.read_bytes().splitlines()) < 3000
    original = original_of(summary.run)
    assert original is not None
    assert len(points(history_of(read_all(original)), "train loss by step")) > 4000


def test_a_copy_is_neither_deleted_nor_of_another_folder(tmp_path: Path) -> None:
    log_in(tmp_path / "a", "x/results.csv")
    run = listed(tmp_path / "a")["x"].run
    assert all_runs(tmp_path / "b") == []
    assert run.path.parent == imported_dir(tmp_path / "a")
    with pytest.raises(RunError, match="log of another tool"):
        discard(run, new_batch(tmp_path / "a"))
    assert original_of(Run(tmp_path)) is None
