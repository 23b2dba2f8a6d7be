"""Logs whose rows name their split or their metric, or write their numbers in other ways."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.events import Notice
from core.interop.readers.logs import find_log
from tests.support.foreign_logs import history_of, points, read_all

SPELLINGS = {
    "a column of splits": ("a.csv", ("epoch,phase,loss", "1,train,2", "1,Val,4", "2,train,1", "2,Val,2")),
    "splits beside names that say their own": (
        "a.csv",
        ("epoch,stage,train_loss,val_loss", "1,train,2,4", "2,train,1,2"),
    ),
    "a row for each number": (
        "a.csv",
        ("step,metric,value", "1,train_loss,2", "1,val_loss,4", "2,train_loss,1", "2,val_loss,2"),
    ),
    "splits in JSON": (
        "a.jsonl",
        (
            '{"epoch": 1, "split": "train", "loss": 2}',
            '{"epoch": 1, "split": "valid", "loss": 4}',
            '{"epoch": 2, "split": "train", "loss": 1}',
            '{"epoch": 2, "split": "valid", "loss": 2}',
        ),
    ),
    "a row for each number in JSON": (
        "a.jsonl",
        (
            '{"step": 1, "name": "train/loss", "value": 2}',
            '{"step": 1, "name": "val/loss", "value": 4}',
            '{"step": 2, "name": "train/loss", "value": 1}',
            '{"step": 2, "name": "val/loss", "value": 2}',
        ),
    ),
    "numbers as texts": (
        "a.jsonl",
        ('{"step": "1", "loss": "2", "val_loss": 4}', '{"step": "2", "loss": 1, "val_loss": "2.0"}'),
    ),
    "decimal commas in quotes": ("a.csv", ("epoch,loss,val_loss", '1,"2,0","4,0"', '2,"1,0","2,0"')),
    "percentages": ("a.csv", ("epoch,loss,val_loss", "1,200%,400 %", "2,100%,200%")),
}


def written(folder: Path, name: str, lines: Sequence[str]) -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_number_stands_at_its_split_and_step(tmp_path: Path, spelling: str) -> None:
    events = read_all(find_log(written(tmp_path, *SPELLINGS[spelling])))
    history = history_of(events)

    assert points(history, "train loss") == [(1, 2), (2, 1)]
    assert points(history, "validation loss") == [(1, 4), (2, 2)]
    assert not [event for event in events if isinstance(event, Notice)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("epoch,train_loss,val_loss", "1,2,tensor(4.)", "2,1,tensor(2.)"), "'tensor(4.)' in val_loss"),
        (("epoch,train_loss", "Epoch 1,2", "Epoch 2,1"), "'Epoch 1' in epoch"),
        (("step,train_loss", '"1,000",2', '"2,000",1'), "'1,000' in step"),
        (("fold,epoch,train_loss", "0,1,2", "0,2,1", "1,1,2", "1,2,1"), "several runs, by its column fold"),
        (("run,epoch,train_loss", "base,1,2", "wide,1,1"), "several runs, by its column run"),
    ],
)
def test_what_is_left_out_is_reported_once(tmp_path: Path, lines: Sequence[str], words: str) -> None:
    notices = [
        event.message
        for event in read_all(find_log(written(tmp_path, "log.csv", lines)))
        if isinstance(event, Notice)
    ]
    assert len(notices) == 1
    assert words in notices[0]


@pytest.mark.parametrize(
    "lines",
    [
        ("fold,epoch,train_loss,note", "3,1,2,first 10", "3,2,1,"),
        ("run,epoch,train_loss,val_loss", "base,1,2,", "base,2,1,None"),
        ("name,epoch,loss,date", "resnet18,1,2,2026-01-01", "resnet18,2,1,2026-01-02"),
    ],
)
def test_nothing_is_reported_of_other_texts(tmp_path: Path, lines: Sequence[str]) -> None:
    events = read_all(find_log(written(tmp_path, "log.csv", lines)))
    assert points(history_of(events), "train loss") == [(1, 2), (2, 1)]
    assert not [event for event in events if isinstance(event, Notice)]
