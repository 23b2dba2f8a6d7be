"""A data set that is read while a network trains gives what it would give from memory, whoever reads it."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from core.config import schema as configuration
from core.data.batches import Batch
from core.data.dataset import Dataset
from core.data.fingerprint import fingerprint, same
from core.data.inputs import tensors_of
from core.data.masks.own_masks import mask_numbers
from core.data.registry import load
from core.data.sampling import training_order
from core.data.stream.answers import parts_in
from core.data.stream.batches import batches_of
from core.data.stream.rows import StreamedRows
from core.data.stream.sources import MapSource
from core.errors import ConfigError, DataError, TorchtuiError, UserCodeError
from core.ranks import Ranks
from core.session.fit import check_fit
from core.user_code.trust import trust
from tests.support import streamed_data

CPU = torch.device("cpu")
FILE = Path(str(streamed_data.__file__))
SIZE, SEED = 8, 3
Load = Callable[..., Dataset]


@pytest.fixture
def loaded() -> Load:
    """Loads what a function of the file returns."""
    trust(FILE)

    def loaded(name: str, **fields: Any) -> Dataset:
        return load(configuration.from_dict({"data": {"name": f"{FILE}:{name}", **fields}}).data)

    return loaded


def epoch_of(data: Dataset, epoch: int = 0, split: str = "train", **options: Any) -> list[Batch]:
    """The batches of one epoch of training, or of an evaluation of another split."""
    if split != "train":
        return [*batches_of(data.splits[split], data, CPU).iterate(SIZE)]
    settings = configuration.from_dict({"training": {"seed": SEED}}).training
    order = training_order(settings, data, epoch)
    return [*batches_of(data.train, data, CPU).iterate(SIZE, order, draws=(SEED, epoch), **options)]


def assert_equal(some: list[Batch], others: list[Batch]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        for some_inputs, other_inputs in zip(tensors_of(one.inputs), tensors_of(other.inputs), strict=True):
            assert torch.equal(some_inputs, other_inputs)
        assert torch.equal(one.targets, other.targets)
        weights = [batch.weights for batch in (one, other) if batch.weights is not None]
        assert not weights or torch.equal(*weights)


def assert_same_inputs(one: Any, other: Any) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
        return
    assert one.columns.keys() == other.columns.keys()
    assert one.nbytes == other.nbytes


def is_streamed(data: Dataset) -> bool:
    return isinstance(data.train.inputs, StreamedRows)


@pytest.mark.parametrize("name", ["plain", "images", "numbers", "pairs", "sequences", "labels", "masks"])
@pytest.mark.parametrize("scaling", ["standardise", "unit", "none"])
def test_a_stream_gives_what_memory_gives(loaded: Load, name: str, scaling: str) -> None:
    resident = loaded(name, scaling=scaling)
    streamed = loaded(name, scaling=scaling, feed="stream")
    assert not is_streamed(resident)
    assert is_streamed(streamed)
    assert streamed.sample_shape == resident.sample_shape
    assert streamed.kind == resident.kind
    assert streamed.task == resident.task
    assert (streamed.target_mean, streamed.target_std) == (resident.target_mean, resident.target_std)
    for split in resident.splits:
        assert_equal(epoch_of(streamed, split=split), epoch_of(resident, split=split))
        assert_same_inputs(streamed.splits[split].inputs[:3], resident.splits[split].inputs[:3])


@pytest.mark.parametrize("name", ["soft", "counting", "counting_apart"])
def test_streamed_samples_count_and_are_left_out_as_those_in_memory(loaded: Load, name: str) -> None:
    resident, streamed = (loaded(name, weight="count", feed=feed) for feed in ("resident", "stream"))
    assert is_streamed(streamed)
    assert (streamed.weight_name, streamed.soft) == ("count", name == "soft")
    assert streamed.target_facts == resident.target_facts
    lines = {note for note in resident.notes if "returned three sets" not in note}
    assert lines <= set(streamed.notes)
    for split, samples in resident.splits.items():
        assert np.array_equal(samples.indices, streamed.splits[split].indices)
        assert torch.equal(samples.targets, streamed.splits[split].targets)
        assert_equal(epoch_of(streamed, split=split), epoch_of(resident, split=split))
    assert all(batch.weights is not None for batch in epoch_of(streamed, split="test"))


@pytest.mark.parametrize("name", ["stream", "sampled"])
def test_what_has_an_order_of_its_own_is_not_balanced(loaded: Load, name: str) -> None:
    config = configuration.from_dict({"data": "iris", "training": {"sampling": "balanced"}})
    with pytest.raises(ConfigError, match=r"balanced draws .* (keeps its own order|sampler of its own)"):
        check_fit(config, loaded(name))
    check_fit(config, loaded("plain", feed="stream"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["augmented", "noisy_stream", "collated", "named", "pairs"])
@pytest.mark.heavy
def test_workers_change_nothing(loaded: Load, name: str) -> None:
    alone, shared = (loaded(name, workers=count, feed="stream") for count in (0, 2))
    assert is_streamed(alone)
    for epoch in (0, 1):
        assert_equal(epoch_of(alone, epoch), epoch_of(shared, epoch))
    assert_equal(epoch_of(alone, split="test"), epoch_of(shared, split="test"))


def test_random_numbers_are_fresh_in_each_epoch_and_fixed_in_an_evaluation(loaded: Load) -> None:
    data = loaded("drawing", workers=0)
    first, second = (torch.cat([batch.inputs for batch in epoch_of(data, epoch)]) for epoch in (0, 1))
    assert len(torch.cat([first, second]).unique()) == 2 * first.numel()
    assert_equal(epoch_of(data), epoch_of(data))
    assert_equal(epoch_of(data, split="validation"), epoch_of(data, split="validation"))
    assert torch.equal(data.test.inputs[3], data.test.inputs[:][3])


def test_the_random_numbers_of_the_training_are_left_alone(loaded: Load) -> None:
    data = loaded("augmented", workers=0)
    before = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"]
    epoch_of(data)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["augmented", "noisy_stream"])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_resumes_in_its_middle(loaded: Load, name: str, workers: int) -> None:
    data = loaded(name, workers=workers)
    assert_equal(epoch_of(data, first=3), epoch_of(data)[3:])


@pytest.mark.parametrize("name", ["augmented", "noisy_stream"])
def test_processes_of_torchrun_share_each_batch(loaded: Load, name: str) -> None:
    data = loaded(name, workers=0)
    size = 2 * SIZE
    order = training_order(configuration.from_dict({"training": {"seed": SEED}}).training, data, 0)
    assert len(order) % size % 2  # sizes do not divide evenly
    batches = batches_of(data.train, data, CPU)
    whole = [*batches.iterate(size, order, draws=(SEED, 0))]
    parts = [[*batches.iterate(size, order, ranks=Ranks(rank, 2), draws=(SEED, 0))] for rank in (0, 1)]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert torch.equal(batch.inputs[0::2], first.inputs)
        assert torch.equal(batch.inputs[1::2], second.inputs)


def test_each_process_evaluates_its_own_batches(loaded: Load) -> None:
    data = loaded("augmented", workers=0, test=0.5)
    batches = batches_of(data.test, data, CPU)
    own = [[*batches.iterate(4, Ranks(rank, 2).own_batches(len(batches), 4))] for rank in (0, 1)]
    whole = [*batches.iterate(4)]
    assert_equal(own[0], whole[0::2])
    assert_equal(own[1], whole[1::2])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_stream_that_shares_itself_among_workers_is_read_whole_by_each(loaded: Load, workers: int) -> None:
    data, plain = loaded("sharding", workers=workers), loaded("stream", workers=0)
    assert_equal(epoch_of(data), epoch_of(plain))


def test_a_stream_in_another_order_each_time_cannot_be_split(loaded: Load) -> None:
    with pytest.raises(DataError, match=r"another target than when it was first read.*sets for validation"):
        epoch_of(loaded("shuffling"))


def test_a_stream_with_sets_of_its_own_may_come_in_any_order(loaded: Load) -> None:
    data = loaded("shuffling_apart")
    assert [len(split) for split in data.splits.values()] == [60, 12, 15]
    first, second = (torch.cat([batch.targets for batch in epoch_of(data, epoch)]) for epoch in (0, 1))
    assert not torch.equal(first, second)
    assert torch.equal(first.sort()[0], second.sort()[0])


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("augmented", "its samples differ when they are read twice"),
        ("stream", "it is an IterableDataset"),
        ("collated", "it has a collate function of its own"),
        ("loader", "returned a DataLoader: its data set, collate function are used"),
        ("sampled", "it has a sampler of its own"),
        ("unseeded", "cannot be repeated or resumed exactly"),
    ],
)
def test_a_stream_is_reported_with_its_reason(loaded: Load, name: str, note: str) -> None:
    data = loaded(name)
    assert is_streamed(data)
    assert any(note in each for each in data.notes), data.notes
    assert ("exactly" in "".join(data.notes)) == (name == "unseeded")


def test_what_does_not_fit_into_memory_is_streamed(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.machine import Memory

    monkeypatch.setattr("core.data.stream.choice.memory", lambda: Memory(2000, 1000))
    data = loaded("plain")
    assert is_streamed(data)
    assert "samples take" in data.notes[0]
    assert "data.feed=resident" in data.notes[0]


def test_resident_reads_once_what_auto_would_stream(loaded: Load) -> None:
    data = loaded("augmented", feed="resident")
    assert not is_streamed(data)
    assert "each was read once" in "".join(data.notes)


def test_sets_of_their_own_are_the_splits(loaded: Load) -> None:
    data = loaded("three")
    assert [len(split) for split in data.splits.values()] == [60, 12, 15]
    assert_equal(epoch_of(data, split="validation"), epoch_of(data, split="validation"))


def test_a_sampler_orders_each_epoch_anew(loaded: Load) -> None:
    data = loaded("sampled")
    settings = configuration.from_dict({"training": {"seed": SEED}}).training
    orders = [training_order(settings, data, epoch) for epoch in (0, 1, 0)]
    assert torch.equal(orders[0], orders[2])
    assert not torch.equal(orders[0], orders[1])
    assert len(orders[0].unique()) < 60


def test_any_order_of_a_loader_is_its_sampler_but_that_of_a_stream() -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter([])

    samples = TensorDataset(torch.zeros(4))
    places = [3, 2, 1, 0]
    loaders: list[DataLoader[Any]] = [DataLoader(samples, sampler=places), DataLoader(samples, shuffle=True)]
    found = [parts_in(loader, "make") for loader in (*loaders, DataLoader(Stream()))]
    assert [parts and parts["train"].sampler for parts in found] == [places, None, None]


def test_a_sampler_that_would_draw_held_out_samples_is_refused(loaded: Load) -> None:
    with pytest.raises(
        DataError, match=r"sampler .* draws from all samples, also from those that are held out"
    ):
        loaded("sampled_alone")


@pytest.mark.slow
def test_the_fingerprint_of_a_stream_is_that_of_its_samples(loaded: Load) -> None:
    assert same(fingerprint(loaded("augmented")), fingerprint(loaded("augmented", workers=2)))
    assert same(fingerprint(loaded("stream")), fingerprint(loaded("stream")))
    assert not same(fingerprint(loaded("augmented")), fingerprint(loaded("drawing")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message", "line"),
    [
        ("dying", r"worker 1 that reads .*dying died: it exited with code 3", ""),
        (
            "failing",
            r"line \d+: OSError: cannot identify image file, at sample 5 of .*:failing",
            "raise OSError",
        ),
    ],
)
def test_a_worker_that_fails_is_reported(loaded: Load, name: str, message: str, line: str) -> None:
    with pytest.raises(TorchtuiError, match=message) as caught:
        epoch_of(loaded(name, workers=2, feed="stream"))
    assert line in caught.value.trace


@pytest.mark.slow
def test_a_worker_that_hangs_says_where(loaded: Load) -> None:
    message = r"has not answered for 0.5 seconds in streamed_data.py, line \d+"
    with pytest.raises(UserCodeError, match=message) as caught:
        epoch_of(loaded("hanging", workers=2, feed="stream", worker_timeout=0.5))
    assert "in act" in caught.value.trace


def test_waiting_for_a_batch_ends_when_it_is_to_stop(loaded: Load) -> None:
    data = loaded("hanging", workers=0, feed="stream")
    rows: Any = data.train.inputs
    rows.workers.count = 1
    batches = batches_of(data.train, data, CPU, should_stop=lambda: True)
    assert len([*batches.iterate(len(data.train))]) == 0


def test_masks_are_turned_with_their_images(loaded: Load) -> None:
    data = loaded("turned_masks")
    assert data.task == "segmentation"
    assert data.class_names == ("0", "7")
    assert any("differ when they are read twice" in note for note in data.notes)
    assert any("2 classes, by the values 0, 7; pixels of 255 count nowhere" in note for note in data.notes)
    batches = epoch_of(data)
    assert not all(
        torch.equal(one.targets, other.targets) for one, other in zip(batches, epoch_of(data, 1), strict=True)
    )
    for batch in batches:
        values = batch.inputs * data.std + data.mean - batch.targets.eq(1).unsqueeze(1) * 7 / 8
        known = batch.targets != 255
        assert all(
            torch.allclose(one[:, at], one[:, at][:, :1], atol=1e-5)
            for one, at in zip(values, known, strict=True)
        )
    assert_equal(epoch_of(data, split="validation"), epoch_of(data, split="validation"))


def test_a_collate_function_that_leaves_samples_out_is_refused(loaded: Load) -> None:
    with pytest.raises(
        DataError, match=r"collate function .* returned \d+ targets for \d+ samples.*in the Dataset"
    ):
        loaded("left_out")


def test_a_mask_with_a_value_that_none_had_is_refused() -> None:
    masks = np.array([[[0, 7], [255, 7]]])
    assert mask_numbers(masks, (0, 7), "targets").tolist() == [[[0, 1], [255, 1]]]
    with pytest.raises(DataError, match="targets hold the value 3, which none did"):
        mask_numbers(np.array([[[0, 7], [3, 7]]]), (0, 7), "targets")
    with pytest.raises(DataError, match="are no masks"):
        mask_numbers(masks / 2, (0, 7), "targets")


def test_samples_that_draw_from_the_module_random_now_and_then_are_seeded_each() -> None:
    class Rarely:
        def __getitem__(self, place: int) -> float:
            return random.random() if place == 37 else place

    places = list(range(20, 60))
    alone = MapSource(Rarely()).read((SEED, 1), [37])
    source = MapSource(Rarely())
    assert source.read((SEED, 1), range(17)) == list(range(17))
    assert source.read((SEED, 1), places)[17] == alone[0]
    assert source.read((SEED, 1), places)[17] == alone[0]
    assert source.read((SEED, 2), places)[17] != alone[0]


def test_a_sample_that_fails_for_what_it_draws_fails_alike_however_many_are_read() -> None:
    class Failing:
        def __getitem__(self, place: int) -> float:
            if random.random() < 0.05:
                raise ValueError(place)
            return random.random()

    def read(places: Sequence[int]) -> list[float]:
        try:
            return MapSource(Failing()).read((SEED, 1), places)
        except ValueError as error:
            return [error.args[0]]

    one_by_one = [read([place])[0] for place in range(200)]
    for first in range(0, 200, 20):
        some = one_by_one[first : first + 20]
        failed = [value for value in some if value >= 1 or value == 0]
        assert read(range(first, first + 20)) == (failed[:1] or some)
