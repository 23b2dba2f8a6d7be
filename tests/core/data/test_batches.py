"""The batch that every loop takes: its parts, its weights."""

import numpy as np
import pytest
import torch

from core.data.batches import Batch, Batches
from core.data.dataset import Dataset, Split
from core.data.splits import assemble

ROWS = 10


@pytest.fixture
def data() -> Dataset:
    inputs = torch.arange(2.0 * ROWS).reshape(ROWS, 2)
    everything = np.arange(ROWS)
    parts = {"train": everything, "validation": everything[:0], "test": everything[:0]}
    return assemble(name="a", kind="table", inputs=inputs, targets=inputs[:, :1], parts=parts)


def weighted(data: Dataset) -> Split:
    train = data.train
    return Split(train.inputs, train.targets, train.indices, torch.arange(float(ROWS)))


def test_weights_follow_their_samples(data: Dataset) -> None:
    order = torch.tensor([7, 2, 9, 4, 0])
    seen = list(Batches(weighted(data), data, torch.device("cpu")).iterate(2, order))
    assert [batch.weights.tolist() for batch in seen if batch.weights is not None] == [[7, 2], [9, 4], [0]]
    assert [batch.samples for batch in seen] == [2, 2, 1]


def test_without_weights_a_batch_has_none(data: Dataset) -> None:
    batches = Batches(data.train, data, torch.device("cpu")).iterate(4)
    assert all(batch.weights is None for batch in batches)


def test_rows_of_a_split_keep_their_weights(data: Dataset) -> None:
    some = weighted(data).rows(torch.tensor([3, 1]))
    assert some.weights is not None
    assert some.weights.tolist() == [3, 1]
    assert some.indices.tolist() == [3, 1]


def test_shares_of_parts_add_up_to_one(data: Dataset) -> None:
    (whole,) = Batches(weighted(data), data, torch.device("cpu")).iterate(ROWS)
    shares = [float(part.share_of(whole)) for part in whole.split(3)]
    assert shares == pytest.approx([3 / 45, 12 / 45, 21 / 45, 9 / 45])
    plain = Batch(whole.inputs, whole.targets)
    assert [part.share_of(plain) for part in plain.split(4)] == [0.4, 0.4, 0.2]


def test_an_own_step_is_given_weights_where_there_are_some(data: Dataset) -> None:
    (whole,) = Batches(weighted(data), data, torch.device("cpu")).iterate(ROWS)
    assert [len(whole.given), len(Batch(whole.inputs, whole.targets).given)] == [3, 2]


@pytest.mark.parametrize(("size", "most"), [(28, 1024), (64, 1024), (128, 256), (4096, 1)])
def test_large_samples_are_evaluated_few_at_a_time_in_main_memory(
    size: int, most: int, data: Dataset
) -> None:
    images = torch.zeros(1, dtype=torch.uint8).expand(ROWS, 1, size, size)
    split = Split(images, data.train.targets, data.train.indices)
    assert Batches(split, data, torch.device("cpu")).limit(1024) == most
    assert Batches(split, data, torch.device("meta")).limit(1024) == 1024


def test_batches_may_be_written_into(data: Dataset) -> None:
    split = weighted(data)
    before = split.targets.clone()
    seen = Batches(split, data, torch.device("cpu"))
    for batch in (*seen.iterate(4), *seen.iterate(4, torch.arange(ROWS))):
        assert batch.weights is not None
        for written in (batch.inputs, batch.targets, batch.weights):
            written += 1
    assert torch.equal(split.targets, before)
    assert split.inputs[:].tolist() == torch.arange(2.0 * ROWS).reshape(ROWS, 2).tolist()
    again = torch.cat([batch.weights for batch in seen.iterate(4) if batch.weights is not None])
    assert again.tolist() == [*range(ROWS)]
    assert torch.equal(torch.cat([batch.targets for batch in seen.iterate(4)]), seen.targets)
