"""The samples behind the predictions of a streamed split: read in one pass, as far as a list shows them at once."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.config import schema as configuration
from core.data.dataset import Dataset, no_progress
from core.data.registry import load
from core.data.stream.rows import StreamedRows
from core.data.tables.files.source import open_source
from core.evaluation import Predictions
from core.inference import samples as samples_module
from core.inference.samples import Samples
from core.user_code.trust import trust
from tests.support import streamed_data

FILE = Path(str(streamed_data.__file__))


def of_test(data: Dataset) -> Samples:
    n = len(data.test)
    predictions = Predictions(np.full((n, 2), 0.5), np.zeros(n, dtype=np.int64), data.test.indices, True)
    return Samples(lambda progress: data, "test", predictions)


def test_a_list_of_samples_of_a_stream_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    trust(FILE)
    data = load(configuration.from_dict({"data": {"name": f"{FILE}:stream"}}).data)
    rows = data.test.inputs
    assert isinstance(rows, StreamedRows)
    expected = rows[:]
    passes: list[Any] = []
    read = rows.reader.read

    def counted(task: Any) -> Any:
        passes.append(task)
        return read(task)

    monkeypatch.setattr(rows.reader, "read", counted)
    monkeypatch.setattr(samples_module, "MAX_KEPT", 6)
    samples, positions = of_test(data), np.array([7, 2, 9, 0, 4, 3, 8])
    assert not samples.ready(positions)
    samples.read(positions, no_progress)
    assert samples.ready(positions)
    for position in positions[:6].tolist():
        assert samples.row(position) == expected[position].tolist()
    assert len(passes) == 1
    assert samples.row(8) == expected[8].tolist()
    samples.read(positions[1:], no_progress)
    assert samples.row(8) == expected[8].tolist()
    assert len(passes) == 3


def test_rows_of_a_streamed_table_are_read_when_a_list_shows_them(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"a": np.arange(200) / 4, "colour": ["red", "blue"] * 100, "label": ["no", "yes"] * 100}
    )
    (tmp_path / "t").mkdir()
    frame[:90].write_parquet(tmp_path / "t" / "a.parquet")
    frame[90:].write_parquet(tmp_path / "t" / "b.parquet")
    data = load(
        configuration.from_dict({"data": {"name": "csv", "path": str(tmp_path / "t"), "feed": "stream"}}).data
    )
    samples, positions = of_test(data), np.arange(len(data.test))[::-1]
    samples.read(positions, no_progress)
    for position in positions.tolist():
        a, colour = frame.select("a", "colour").row(int(data.test.indices[position]))
        assert samples.row(position) == [str(a), colour]
    fresh = of_test(data)
    fresh.load(no_progress)
    assert not fresh.ready(positions)
    assert fresh.row(5) == samples.row(5)


def test_a_few_rows_of_parquet_files_are_those_of_all(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(50)}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": range(50, 80)}).write_parquet(tmp_path / "b.parquet")
    source = open_source(tmp_path)
    wanted = [61, 3, 49, 50, 3]
    assert source.rows(wanted, ["a"])["a"].to_list() == list(map(str, wanted))
    assert source.rows(np.arange(80)[::-1], ["a"])["a"].to_list() == list(map(str, range(79, -1, -1)))


@pytest.mark.parametrize("feed", ["resident", "stream"])
def test_sequences_of_different_lengths_are_shown_as_those_of_one_length(feed: str) -> None:
    trust(FILE)

    def shown(name: str, **fields: str) -> Samples:
        data = load(
            configuration.from_dict({"data": {"name": f"{FILE}:{name}", "feed": feed, **fields}}).data
        )
        samples = of_test(data)
        samples.read(np.arange(len(data.test)), no_progress)
        return samples

    signals, tokens = shown("sequences"), shown("tokens", shape="tokens")
    place = int(signals._predictions.indices[4])
    assert (signals.kind.name, signals.columns) == ("signal", ("channel 1", "channel 2"))
    steps, _ = streamed_data.Sequences()[place]
    for channel, expected in zip(signals.row(4), steps.T.numpy(), strict=True):
        np.testing.assert_array_equal(channel, expected)
    ids, _ = streamed_data.Tokens()[int(tokens._predictions.indices[4])]
    assert (tokens.kind.name, tokens.columns) == ("tokens", ("tokens",))
    assert tokens.row(4) == [tokens.text(4)] == [" ".join(map(str, ids.tolist()))]
