"""Folders of Parquet files that are read while a network trains give what they give from memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.config import schema as configuration
from core.control import RunControl
from core.data.batches import Batch
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.sampling import training_order
from core.data.stream.batches import batches_of
from core.data.tables.files.source import Source
from core.data.tables.stream import blocks as blocks_module
from core.errors import ConfigError, DataError, OutOfMemory
from core.machine import Memory
from core.session.fit import check_fit
from tests.support.narrow import instance

CPU = torch.device("cpu")
ROWS = 240


def table(rows: int = ROWS) -> pl.DataFrame:
    """Numbers with gaps and a heavy tail, categories, dates, weights, and a class that follows from the first two."""
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=rows), draw.normal(size=rows)
    return pl.DataFrame(
        {
            "first": pl.Series(np.where(np.arange(rows) % 11 == 3, np.nan, first)).fill_nan(None),
            "second": np.where(np.arange(rows) == 9, 1e6, second),
            "colour": draw.choice(["red", "green", "blue"], rows),
            "day": pl.Series(np.arange(rows) % 90).cast(pl.Date),
            "count": draw.integers(1, 4, rows),
            "label": np.where(first + second > 0, "yes", "no"),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The table in three files, of other types of numbers and with another order of columns in the last one."""
    folder, whole = tmp_path / "mine", table()
    folder.mkdir()
    whole[:100].write_parquet(folder / "a.parquet")
    whole[100:230].write_parquet(folder / "b.parquet")
    last = whole[230:].with_columns(pl.col("second").cast(pl.Float32), pl.col("count").cast(pl.Int16))
    last.select(reversed(last.columns)).write_parquet(folder / "c.parquet")
    return folder


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read in 30 blocks and shuffled among 4 of them."""
    monkeypatch.setattr(blocks_module, "MAX_BLOCK_ROWS", 8)
    monkeypatch.setattr(blocks_module, "WINDOW_BYTES", 4 * 4 * 8 * 8)


def loaded(folder: Path, **fields: Any) -> Dataset:
    return load(configuration.from_dict({"data": {"name": "csv", "path": str(folder), **fields}}).data)


def epoch_of(data: Dataset, epoch: int = 0, first: int = 0) -> list[Batch]:
    order = training_order(configuration.from_dict({}).training, data, epoch)
    return [*batches_of(data.train, data, CPU).iterate(16, order, first)]


def assert_equal(some: list[Batch], others: list[Batch]) -> None:
    for one, other in zip(some, others, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.targets, other.targets)
        assert one.weights is not None
        assert other.weights is not None
        assert torch.equal(one.weights, other.weights)


def test_streamed_rows_are_those_in_memory(folder: Path) -> None:
    resident, streamed = (loaded(folder, weight="count", feed=feed) for feed in ("resident", "stream"))
    assert streamed.is_streamed
    assert "streamed, as data.feed says" in streamed.notes[0]
    said, again = ({*data.notes} for data in (resident, streamed))
    assert {note.split()[0] for note in said - again} == {
        "imputed"
    }  # which counts the rows that were looked at
    assert streamed.table is not None
    assert resident.table is not None
    assert streamed.table.encoding == resident.table.encoding
    assert streamed.table.digest == resident.table.digest
    assert_equal(epoch_of(streamed), epoch_of(resident))
    for name, split in resident.splits.items():
        other = streamed.splits[name]
        assert torch.equal(other.inputs[:], split.inputs[:])
        assert torch.equal(other.inputs[3], split.inputs[3])
        assert np.array_equal(other.indices, split.indices)
    shown = (data.table.rows("test", data.test.indices[:3]) for data in (resident, streamed) if data.table)
    assert next(shown).equals(next(shown))


def test_a_block_is_not_read_where_a_limit_of_the_process_leaves_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = loaded(folder, feed="stream")
    monkeypatch.setattr(blocks_module, "room_in_process", lambda: 10 << 20)
    with pytest.raises(OutOfMemory, match=r"leaves 10 MiB, .* blocks that take up to 32 MiB"):
        data.train.inputs[:]
    monkeypatch.setattr(blocks_module, "room_in_process", lambda: 40 << 20)
    assert len(data.train.inputs[:]) == len(data.train)


@pytest.mark.slow
def test_rows_of_many_blocks_come_once_an_epoch_some_blocks_at_a_time(
    folder: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident, data = (loaded(folder, feed=feed) for feed in ("resident", "stream"))
    rows: Any = data.train.inputs
    first, second = (rows.epoch_order((0, epoch)) for epoch in (0, 1))
    assert torch.equal(first.sort()[0], torch.arange(len(data.train)))
    assert torch.equal(first, rows.epoch_order((0, 0)))
    assert not torch.equal(first, second)
    together = [len(np.unique(rows.kept.blocks.block_of(rows.rows[piece]))) for piece in first.split(16)]
    assert max(together) <= 4 + 3
    read = list[int]()
    opened = rows.kept.blocks.source

    def noted(block: int) -> Source:
        read.append(block)
        return instance(Source, opened(block))

    monkeypatch.setattr(rows.kept.blocks, "source", noted)
    batches = epoch_of(data)
    assert len(read) <= 30 + 2 * 4  # those at both ends of an epoch come twice
    order = training_order(configuration.from_dict({}).training, data, 0)
    for piece, batch in zip(order.split(16), batches, strict=True):
        assert torch.equal(batch.inputs, resident.train.inputs[piece])
        assert torch.equal(batch.targets, resident.train.targets[piece])
    assert torch.equal(epoch_of(data, first=5)[0].inputs, batches[5].inputs)
    balanced = configuration.from_dict({"data": "iris", "training": {"sampling": "balanced"}})
    with pytest.raises(ConfigError, match="reads each file once"):
        check_fit(balanced, data)


@pytest.mark.slow
def test_the_rows_held_at_a_time_are_bounded_by_their_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 8 * 6 * 8)
    monkeypatch.setattr(blocks_module, "WINDOW_BYTES", 4 * 4 * 8 * 8)
    data = loaded(folder, feed="stream")
    kept, held, row = data.train.inputs.kept, list[int](), 4 * len(data.feature_names)  # type: ignore[union-attr] # they are TableRows
    block = row * kept.blocks.rows
    assert block <= 8 * 6 * 8
    made = kept._features

    def noted(source: Source) -> torch.Tensor:
        held.append(kept.nbytes)
        return instance(torch.Tensor, made(source))

    monkeypatch.setattr(kept, "_features", noted)
    epoch_of(data)
    [*batches_of(data.validation, data, CPU).iterate(16)]
    assert len(held) > len(kept.blocks)
    assert max(held) <= 2 * 4 * 4 * 8 * 8 + block
    held.clear()
    [*batches_of(data.train, data, CPU).iterate(64, data.train.inputs.epoch_order((0, 0)))]  # type: ignore[union-attr] # they are TableRows
    assert len(held) <= len(kept.blocks) + 3 * kept.window  # those at both ends of an epoch come twice


def test_wide_rows_make_small_blocks() -> None:
    assert blocks_module.block_rows(columns=10) == 65_536
    assert blocks_module.block_rows(columns=10, features=20_000) == 104
    assert blocks_module.block_rows(columns=50_000, features=10_000_000) == 1
    assert blocks_module.blocks_in_window(104, 20_000) == 8


@pytest.mark.slow
def test_a_streamed_run_that_was_stopped_ends_with_the_weights_of_a_resident_one(
    folder: Path, train_run: Callable[..., Any]
) -> None:
    def values(feed: str) -> dict[str, Any]:
        return {
            "data": {"name": "csv", "path": str(folder), "weight": "count", "feed": feed},
            "model": {"name": "tabular", "width": 8},
            "training": {"epochs": 2, "batch_size": 16},
        }

    def stop(control: RunControl, model: object) -> None:
        control.stop()

    resident = train_run(values("resident"))
    stopped = train_run(values("stream"), at_step=(4, stop))
    resumed = train_run(run=stopped.run)
    for name, weight in resident.weights("last").items():
        assert torch.equal(weight, resumed.weights("last")[name])
    of_test = (run.run.evaluation_folder("test") / "report.json" for run in (resident, resumed))
    assert len({path.read_text() for path in of_test}) == 1


def test_columns_of_many_rows_are_learned_from_some(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.tables.stream.load.MIN_SAMPLE", 50)
    monkeypatch.setattr("core.data.tables.stream.load.SAMPLE_BYTES", 1)
    data = loaded(folder, feed="stream")
    assert any("columns are learned from 50 of 172 training rows" in note for note in data.notes), data.notes
    assert data.sample_shape == loaded(folder).sample_shape


def test_what_does_not_fit_into_memory_is_streamed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.tables.stream.load.memory", lambda: Memory(2000, 1000))
    data = loaded(folder)
    assert data.is_streamed
    assert "240 rows take" in data.notes[0]
    assert "data.feed=resident" in data.notes[0]


def test_what_cannot_be_streamed_is_refused(folder: Path, tmp_path: Path) -> None:
    table().write_csv(tmp_path / "plain.csv")
    with pytest.raises(DataError, match=r"only Parquet files are streamed, and plain\.csv .*as Parquet"):
        loaded(tmp_path / "plain.csv", feed="stream")
    with pytest.raises(DataError, match=r"texts are read from memory: colour.*data\.drop"):
        loaded(folder, feed="stream", text=["colour"])
    (folder / "d.parquet").write_text("no Parquet")
    with pytest.raises(DataError, match=r"d\.parquet"):
        loaded(folder, feed="stream")
    pl.DataFrame({"other": [1], "label": ["no"]}).write_parquet(folder / "d.parquet")
    with pytest.raises(DataError, match=r"different columns: a\.parquet and d\.parquet"):
        loaded(folder, feed="stream")


@pytest.mark.slow
def test_a_file_that_breaks_later_is_named(folder: Path, small_blocks: None) -> None:
    data = loaded(folder, feed="stream")
    (folder / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"b\.parquet is damaged"):
        epoch_of(data)
