"""Runs that go on while they are compared, and damaged ones."""

from pathlib import Path

from core.events import EpochFinished, to_json
from core.runs.comparison.curves import curve_names
from core.runs.comparison.entries import Entry, EntryReader, load_report
from core.runs.comparison.groups import grouped
from core.runs.comparison.settings import differences, not_comparable
from core.runs.folder import Run
from tests.support.fixtures import WriteRun


def read(*runs: Run) -> list[Entry]:
    return [EntryReader(run).read() for run in runs]


def test_a_reader_gives_the_same_entry_until_something_is_new(write_run: WriteRun) -> None:
    run = write_run("a", [0.9, 0.5], finished=False)
    reader = EntryReader(run)
    first = reader.read()
    assert reader.read() is first
    with run.log_file.open("a") as log:
        log.write(
            to_json(
                EpochFinished(
                    epoch=3,
                    step=30,
                    train={"loss": 0.1},
                    validation={"loss": 0.2},
                    lr=0.1,
                    seconds=1,
                    best_epoch=3,
                    best_metrics={"loss": 0.2},
                ),
                "a",
            )
            + "\n"
        )
    grown = reader.read()
    assert grown is not first
    assert grown.curves["validation loss"][1].tolist() == [0.9, 0.5, 0.2]
    assert first.curves["validation loss"][1].tolist() == [0.9, 0.5]
    again = write_run("b", [0.5], accuracy=0.5).evaluation_folder("validation")
    run.evaluation_folder("validation").parent.mkdir()
    again.rename(run.evaluation_folder("validation"))
    assert "validation" in reader.read().reports


def test_damaged_and_missing_runs_are_entries_too(tmp_path: Path, write_run: WriteRun) -> None:
    run = write_run("a", [0.5], accuracy=0.5)
    (run.evaluation_folder("validation") / "report.json").write_text("{")
    run.log_file.write_bytes(b"\x00no log\n" + b'{"event": "epoch_finished"}\n')
    entry, missing = read(run, type(run)(tmp_path / "runs" / "none"))
    assert entry.summary.status == "damaged"
    assert entry.damaged == 2
    assert load_report(run, "validation") is None
    assert curve_names([entry, missing]) == []
    assert differences(grouped([entry, missing])) == {}
    assert not_comparable([entry, missing], "test") == ""
