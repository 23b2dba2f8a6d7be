"""Tables and JSON lines as many programs write them: separators, encodings, names of steps, ends that are missing."""

import os
from pathlib import Path

import pytest

from core.errors import InputError
from core.events import EpochFinished, StepLogged
from core.files.atomic import write_atomically
from core.interop.readers.importing import import_logs
from core.interop.readers.logs import find_log, find_logs
from tui.cli.run_arguments import refresh_logs

STEPS = [(1, 0.9), (2, 0.5)]
BOTH = [(1.1, 0.9), (0.8, 0.5)]
FILES = {
    "decimal_commas.csv": "epoch;train_loss;val_loss\n1;0,9;1,1\n2;0,5;0,8\n",
    "decimal_commas.tsv": "Epoch\tloss\tval_loss\n1\t0,9\t1,1\n2\t0,5\t0,8\n",
    "windows_and_bom.csv": "\ufeffepoch,loss,val_loss\r\n1,0.9,1.1\r\n2,0.5,0.8\r\n",
    "quoted.csv": '"epoch","train, loss","val loss"\n"1","0.9","1.1"\n"2","0.5","0.8"\n',
    "appended_with_a_new_column.csv": "epoch,loss\n1,0.7\nepoch,loss,val_loss\n1,0.9,1.1\n2,0.5,0.8\n",
    "spaced_names.csv": "Epoch Idx,Train Loss,Val-Loss\n1,0.9,1.1\n2,0.5,0.8\n",
    "deep.jsonl": '{"epoch": 1, "metrics": {"train": {"loss": 0.9}, "val": {"loss": 1.1}}}\n'
    '{"epoch": 2, "metrics": {"train": {"loss": 0.5}, "val": {"loss": 0.8}}}\n',
    "without_a_last_end.csv": "epoch,loss,val_loss\n1,0.9,1.1\n2,0.5,0.8",
    "updates.csv": "num_updates,loss\n1,0.9\n2,0.5\n",
    "spaced_steps.csv": "Global Step,loss\n1.0,0.9\n2.0,0.5\n",
    "iterations.jsonl": '{"n_iter": 1, "loss": 0.9}\n{"n_iter": 2, "loss": 0.5}\n',
    "torn.jsonl": '{"step": 1, "loss": 0.9}\n{"step": 2, "loss": 0.5}\n{"step": 3, "lo',
    "environment.csv": "env_steps,loss\n1,0.9\n2,0.5\n",
    "global_step.csv": "global_step,loss\n1,0.9\n2,0.5\n",
    "baselines.csv": "rollout/ep_rew_mean,time/total_timesteps,train/loss\n5,1,0.9\n7,2,0.5\n",
    "carriage_returns.csv": "epoch,loss,val_loss\r1,0.9,1.1\r2,0.5,0.8\r",
    "carriage_returns.jsonl": '{"step": 1, "loss": 0.9}\r{"step": 2, "loss": 0.5}\r',
    "utf_16_le.csv": "\ufeffepoch,loss,val_loss\r\n1,0.9,1.1\r\n2,0.5,0.8\r\n",
    "utf_16_be.jsonl": '\ufeff{"step": 1, "loss": 0.9}\n{"step": 2, "loss": 0.5}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    encoding = path.stem if "utf" in name else "utf-8"
    path.write_bytes(FILES[name].encode(encoding))
    os.utime(path, (1e9, 1e9))  # whoever wrote it has finished
    log = find_log(path)
    events = [event for _ in range(5) for event in log.read()]
    steps = [(event.step, event.train["loss"]) for event in events if isinstance(event, StepLogged)]
    ends = [event for event in events if isinstance(event, EpochFinished)]
    if "val" in FILES[name].lower():
        assert [(end.validation["loss"], end.train["loss"]) for end in ends[-2:]] == BOTH
    assert steps[-2:] == STEPS


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", "\n"), ("utf-8", "\r"), ("utf-16", "\n")])
def test_a_file_that_is_written_now_waits_for_the_end_of_its_line(
    tmp_path: Path, encoding: str, end: str
) -> None:
    path = tmp_path / "metrics.csv"
    whole = f"step,loss{end}1,0.9{end}2,0.5{end}".encode(encoding)
    path.write_bytes(whole[:-3])
    log = find_log(path)
    events = [event for _ in range(3) for event in log.read()]
    path.write_bytes(whole)
    events += [event for _ in range(3) for event in log.read()]
    assert [(event.step, event.train["loss"]) for event in events if isinstance(event, StepLogged)] == STEPS


@pytest.mark.parametrize("name", ["results.csv.gz", "run.jsonl.zip"])
def test_what_is_compressed_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b")
    with pytest.raises(InputError, match=r"is compressed\. Unpack it"):
        find_log(tmp_path / name)


def test_below_a_file_there_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(FILES["updates.csv"])
    assert [*find_logs(path)] == []
    with pytest.raises(InputError, match="is a file"):
        refresh_logs(path)


def test_folders_that_are_not_searched_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interop.readers.logs.MAX_FOLDERS", 2)
    (tmp_path / "runs" / "a" / "b").mkdir(parents=True)
    problems = import_logs(tmp_path / "runs")
    assert "folders were searched" in problems[tmp_path / "runs"]
    assert import_logs(tmp_path / "runs" / "a") == {}


def test_copies_of_logs_are_not_written_through_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.9\n")
    assert import_logs(tmp_path) == {}
    assert synced == []
    write_atomically(tmp_path / "own", lambda file: file.write(b"kept"))
    assert len(synced) == 2
