import os
import resource
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from torch import Tensor

from core.data.registry import load
from core.data.tables import training_rows
from core.data.tables.options import Csv
from core.data.tables.values import on_disk
from core.data.tables.values.on_disk import held


def is_mapped(frame: pl.DataFrame) -> bool:
    """Return whether a column lies in a mapped file that has no name any more."""
    places = [
        series.to_numpy(allow_copy=False).ctypes.data
        for series in frame
        if series.dtype == pl.Float64 and not series.null_count()
    ]
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(each, 16) for each in line.split()[0].split("-"))
        if line.endswith("(deleted)") and any(start <= place < end for place in places):
            return True
    return False


@pytest.fixture
def table(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    numbers = {f"c{place}": draw.normal(size=300).round(3) for place in range(4)}
    lacking = [None if place % 7 == 0 else float(place) for place in range(300)]
    target = [None if place % 11 == 0 else "yes" if place % 3 else "no" for place in range(300)]
    path = tmp_path / "table.csv"
    pl.DataFrame(numbers | {"lacking": lacking, "label": target}).write_csv(path)
    return path


def test_columns_are_the_same_and_numbers_lie_on_the_disk() -> None:
    frame = pl.DataFrame(
        {"a": [1.5, 2.5, -0.0], "b": ["x", None, "z"], "c": [1.0, None, 3.0], "d": [7.0, 8.0, 9.0]}
    )
    found = held(frame.lazy())
    assert_frame_equal(found, frame)
    assert is_mapped(found.select("a"))
    assert is_mapped(found.select("d"))
    assert not is_mapped(found.select("b", "c"))


def test_no_rows_and_no_numbers() -> None:
    for frame in (
        pl.DataFrame({"a": [], "b": []}, {"a": pl.Float64, "b": pl.String}),
        pl.DataFrame({"b": ["x"]}),
    ):
        assert_frame_equal(held(frame.lazy()), frame)


def test_a_full_disk_leaves_the_columns_in_memory() -> None:
    frame = pl.DataFrame({"a": np.arange(100_000.0)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        found = held(frame.lazy())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_frame_equal(found, frame)
    assert not is_mapped(found)


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0]})
    monkeypatch.setattr(on_disk, "ON_DISK", str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert not is_mapped(held(frame.lazy()))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert is_mapped(held(frame.lazy()))
    assert not list(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)  # the user's folder
    assert not is_mapped(held(frame.lazy()))


def test_a_folder_in_memory_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mounts"
    number = f"{os.major(device)}:{os.minor(device)}"
    monkeypatch.setattr(on_disk, "MOUNTS", mounts)
    monkeypatch.setattr(on_disk, "ON_DISK", str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    frame = pl.DataFrame({"a": [1.0, 2.0]})
    for kind, expected in (("tmpfs", False), ("ext4", True)):
        mounts.write_text(f"30 23 {number} / /tmp rw,relatime shared:5 - {kind} none rw\n")
        assert is_mapped(held(frame.lazy())) == expected


def test_a_large_table_becomes_the_same_data_set(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Csv(path=str(table), target="label")
    small = load(options, examine=True)
    mapped = list[pl.DataFrame]()

    def held_here(frame: pl.LazyFrame) -> pl.DataFrame:
        mapped.append(held(frame))
        return mapped[-1]

    for module in (on_disk, training_rows):
        monkeypatch.setattr(module, "LARGE", 1)
        monkeypatch.setattr(module, "held", held_here)
    large = load(options, examine=True)
    assert len(mapped) == 2
    assert all(map(is_mapped, mapped))
    assert large.notes == small.notes
    assert large.warnings == small.warnings
    assert large.table is not None
    assert small.table is not None
    assert large.table.encoding == small.table.encoding
    assert large.table.summaries == small.table.summaries
    for name, split in small.splits.items():
        other = large.splits[name]
        assert isinstance(split.inputs, Tensor)
        assert isinstance(other.inputs, Tensor)
        assert split.inputs.numpy().tobytes() == other.inputs.numpy().tobytes()
        assert split.targets.equal(other.targets)
