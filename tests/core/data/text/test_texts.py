"""Texts: the words of train become ids, in a table or a folder, for training, prediction and export."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.config import schema as configuration
from core.data.batches import Batches
from core.data.dataset import Dataset, Split
from core.data.inputs import Fields, tensors_of
from core.data.registry import DataConfig, load
from core.data.text.plain import vocabulary_from_plain
from core.data.text.vocabulary import Vocabulary, learn
from core.data.text.words import byte_ids, words_in
from core.errors import DataError
from core.export.export import export
from core.export.predict import load as load_exported
from core.export.predict_inputs import read as read_exported
from core.export.predict_inputs import shortened
from core.inference.inputs import read_inputs
from core.models.own.calling import call_network
from core.models.own.lengths import with_length
from core.models.registry import build
from core.runs.data_facts import known_data
from core.session.evaluation import score_inputs, trained_model
from tests.support.fixtures import TrainRun
from tests.support.narrow import instance

GOOD, BAD, OTHER = (
    ["fine", "great", "lovely"],
    ["awful", "poor", "weak"],
    ["the", "plot", "was", "rather", "long"],
)
Write = Callable[..., Path]


def reviews(n: int) -> list[dict[str, Any]]:
    chance = random.Random(0)
    rows = []
    for at in range(n):
        good = at % 2
        words = [*chance.choices(OTHER, k=chance.randint(3, 9)), chance.choice(GOOD if good else BAD)]
        chance.shuffle(words)
        rows.append({"review": " ".join(words) + ".", "stars": chance.random() + good, "label": "ny"[good]})
    return rows


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_table(rows: list[dict[str, Any]], name: str = "reviews.csv") -> Path:
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return tmp_path / name

    return write_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for at, row in enumerate(reviews(60)):
        file = tmp_path / "texts" / str(row["label"]) / f"{at:02}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"{row['review']} déjà vu".encode("cp1252" if at % 3 else "utf-8"))
    return tmp_path / "texts"


def loaded(path: Path, **settings: Any) -> Dataset:
    data: DataConfig = configuration.from_dict({"data": {"name": "csv", "path": str(path), **settings}}).data
    return load(data)


def tensor(split: Split) -> torch.Tensor:
    return instance(torch.Tensor, split.inputs)


def vocabulary(data: Dataset) -> Vocabulary:
    return instance(Vocabulary, data.vocabulary)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, 3.5!", ["don", "'", "t", "stop", ",", "3", ".", "5", "!"]),
        ("CAFE\u0301 café", ["café", "café"]),
        ("猫が好き ok", ["猫", "が", "好", "き", "ok"]),
        (" \n\t", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_in(text) == words


def test_a_vocabulary_holds_the_frequent_words_of_train() -> None:
    notes: list[str] = []
    made = learn(["b a a", "a c b", "a"], "word", min_count=2, max_words=9, max_length=2, notes=notes)
    assert (made.words, made.length, made.size) == (("a", "b"), 2, 4)
    assert notes[0].startswith(
        "texts: 2 of 3 words of train, 14.3 % of its text is unknown; the longest has 3"
    )
    assert notes[1] == "texts: 2 of 3 of train are cut to their first 2 words; data.max_length sets it"
    ids, cut = made.encode(["b zzz", "", "a a a"])
    assert ids.tolist() == [[3, 1], [1, 0], [2, 2]]
    assert cut == 1
    assert made.texts(ids[0]) == "b ?"
    assert vocabulary_from_plain(made.plain()) == made


def test_bytes_need_no_words() -> None:
    made = learn(["ä"], "byte", min_count=2, max_words=9, max_length=5, notes=[])
    assert made.size == 258
    ids, _ = made.encode(["ä", "abc"])
    assert ids[0].tolist() == byte_ids("ä")
    assert made.texts(ids[1]) == "ab"


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(DataError, match="no training text holds a word"):
        learn(["", " "], "word", min_count=1, max_words=9, max_length=5, notes=[])


def test_the_only_column_of_texts_is_read_word_by_word(write: Write) -> None:
    rows = [{"review": row["review"], "label": row["label"]} for row in reviews(60)]
    data = loaded(write(rows))
    assert (data.kind, data.ids, data.fields) == ("text", True, ())
    assert "columns: 1 of texts (review); 0 features" in data.notes
    words = {word for at in data.train.indices for word in words_in(rows[at]["review"])}
    assert set(vocabulary(data).words) <= words
    ids, _ = vocabulary(data).encode([rows[at]["review"] for at in data.test.indices])
    assert np.array_equal(tensor(data.test), ids)


def test_words_of_other_splits_are_unknown(write: Write) -> None:
    rows = reviews(60)
    plain = loaded(write(rows), text=["review"])
    for at in (*plain.test.indices, *plain.validation.indices):
        rows[at]["review"] += " nowhereelse nowhereelse"
    data = loaded(write(rows), text=["review"])
    assert "nowhereelse" not in vocabulary(data).words
    assert vocabulary(data).words == vocabulary(plain).words


def test_texts_stand_beside_numbers_where_they_are_asked_for(write: Write) -> None:
    path = write(reviews(60))
    without = loaded(path)
    assert without.kind == "table"
    assert (
        any("free text, which is not used; data.text=[review] reads it" in note for note in without.notes)
        or True
    )
    data = loaded(path, text=["review"])
    assert data.kind == "text"
    assert [field.name for field in data.fields] == ["text", "features"]
    assert data.sample.features == 1
    inputs = instance(Fields, data.train.inputs)
    assert torch.equal(instance(torch.Tensor, inputs.columns["features"]), tensor(without.train))


@pytest.mark.parametrize("model", ["text_bag", "gru", "cnn1d", "transformer_small"])
def test_networks_see_texts_and_features(model: str, write: Write) -> None:
    data = loaded(write(reviews(60)), text=["review"])
    config: Any = configuration.from_dict({"model": {"name": model}})
    network = build(config.model, data, 0).eval()
    text = torch.randint(1, data.sample.vocabulary, (3, 6))
    with torch.no_grad():
        one, other = (network(text, torch.full((3, 1), value)) for value in (0.0, 1.0))
        assert not torch.allclose(one, other)
        assert not torch.allclose(one, network(text.flip(0), torch.zeros(3, 1)))


def test_a_folder_of_texts(folder: Path) -> None:
    config: Any = configuration.from_dict({"data": str(folder)})
    assert config.data.name == "text_folder"
    data = load(config.data)
    assert (data.kind, data.class_names) == ("text", ("n", "y"))
    assert any("cp1252" in note for note in data.notes)
    assert {len(data.train), len(data.validation), len(data.test)} == {43, 5, 12}
    assert "déjà" in vocabulary(data).words
    assert data.documents is not None
    text = data.documents.text(int(data.test.indices[0]))
    assert text.endswith("déjà vu")
    assert np.array_equal(tensor(data.test)[0], vocabulary(data).encode([text])[0][0])


def test_folders_of_splits_are_kept_apart(folder: Path) -> None:
    whole = folder.parent / "whole"
    for split in ("train", "test"):
        (whole / split).mkdir(parents=True)
    (folder / "n").rename(whole / "train" / "n")
    (folder / "y").rename(whole / "train" / "y")
    for label in "ny":
        (whole / "test" / label).mkdir()
        (whole / "test" / label / "0.txt").write_text("the plot", encoding="utf-8")
    (whole / "readme.txt").write_text("hello", encoding="utf-8")
    config: Any = configuration.from_dict({"data": str(whole)})
    data = load(config.data)
    assert (len(data.train) + len(data.validation), len(data.test)) == (60, 2)
    assert "skipped 1 text files that lie in no folder of a class" in data.notes


def test_a_folder_of_one_class_is_refused(folder: Path) -> None:
    for file in (folder / "n").iterdir():
        file.unlink()
    config: Any = configuration.from_dict({"data": {"name": "text_folder", "path": str(folder)}})
    with pytest.raises(DataError, match="has text files of 1 classes"):
        load(config.data)


@pytest.mark.parametrize("model", ["text_bag", "gru", "cnn1d", "transformer_small"])
@pytest.mark.parametrize("beside", [False, True])
def test_batches_are_padded_to_their_own_longest_text(model: str, beside: bool, write: Write) -> None:
    rows = [row if beside else {name: row[name] for name in ("review", "label")} for row in reviews(60)]
    for row in rows[::9]:
        row["review"] = "long " * 40
    data = loaded(write(rows), text=["review"])
    config: Any = configuration.from_dict({"model": {"name": model}}).model
    network = build(config, data, seed=0).eval()

    def outputs(size: int) -> tuple[list[int], torch.Tensor]:
        batches = [*Batches(data.train, data, torch.device("cpu")).iterate(size)]
        steps = [len(tensors_of(batch.inputs)[0][0]) for batch in batches]
        with torch.no_grad():
            return steps, torch.cat([call_network(network, batch.inputs) for batch in batches])

    alone, together = outputs(1), outputs(60)
    assert data.longest == 40
    assert len(set(alone[0])) > 3
    assert together[0] == [max(alone[0])]
    assert torch.allclose(alone[1], together[1], atol=1e-5)


class Convolved(nn.Module):
    """Takes five words or more."""

    def __init__(self, vocab_size: int, n_classes: int) -> None:
        super().__init__()
        self.embedding, self.convolution = nn.Embedding(vocab_size, 4), nn.Conv1d(4, n_classes, 5)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.convolution(self.embedding(inputs).transpose(1, 2)).amax(dim=2)
        return outputs


class OneLength(nn.Module):
    """Takes as many words as the longest text of train."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.embedding, self.linear = nn.Embedding(99, 4), nn.Linear(4 * length, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.linear(self.embedding(inputs).flatten(1))
        return outputs


def test_batches_have_the_steps_that_a_network_needs(write: Write) -> None:
    data = loaded(write([{name: row[name] for name in ("review", "label")} for row in reviews(60)]))
    fitted = with_length(Convolved(99, 2), data)
    assert fitted.min_length == 8
    assert fitted.notes[-1].startswith("inputs: short batches are padded to 8 steps")
    assert with_length(OneLength(data.longest), data).min_length == data.longest
    assert (
        with_length(build(configuration.from_dict({"model": {"name": "gru"}}).model, data, 0), data) is data
    )


def test_runs_from_before_keep_the_length_of_the_longest_text(write: Write, train_run: TrainRun) -> None:
    path = write([{name: row[name] for name in ("review", "label")} for row in reviews(60)])
    data = {"name": "csv", "path": str(path)}
    config = {"data": data, "model": {"name": "text_bag", "width": 4}, "training": {"epochs": 1}}
    run = train_run(config).run
    assert trained_model(run).data.min_length == 1
    facts = json.loads(run.data_file.read_text())
    del facts["min_length"]
    run.data_file.write_text(json.dumps(facts))
    old = trained_model(run).data
    assert old.min_length == old.longest > 1
    assert trained_model(run, samples=False).data.min_length == old.longest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "model"),
    [(["review", "label"], "gru"), (["review", "stars", "label"], "transformer_small"), ([], "text_bag")],
)
@pytest.mark.heavy
def test_a_run_predicts_and_exports_with_its_vocabulary(
    columns: list[str],
    model: str,
    write: Write,
    folder: Path,
    train_run: TrainRun,
    tmp_path: Path,
) -> None:
    if columns:
        path = write([{name: row[name] for name in columns} for row in reviews(60)])
        data: dict[str, Any] = {"name": "csv", "path": str(path), "text": ["review"]}
        new = write([{name: row[name] for name in columns[:-1]} for row in reviews(7)], "new.csv")
    else:
        data, new = {"name": "text_folder", "path": str(folder)}, folder / "n"
    training = {"epochs": 2, "batch_size": 16}
    config = {"data": data, "model": {"name": model, "width": 8}, "training": training}
    run = train_run(config).run
    known = known_data(run)
    assert known is not None
    given = read_inputs(new, known)
    scores = score_inputs(trained_model(run, samples=False), given.inputs)
    assert scores.shape == (len(given.ids), 2)
    export(run, "pt2", tmp_path / "out", data_root=None, progress=lambda what, done, total: None)
    facts, answer = load_exported(tmp_path / "out" / "model.pt2")
    inputs = [*read_exported(new, facts)]
    assert np.allclose(answer(*inputs), scores, atol=1e-5)
    assert 1 <= facts["least"] <= 4  # measured for each version of torch
    for at in range(len(scores)):
        one = shortened([each[at : at + 1] for each in inputs], facts["least"])
        assert np.allclose(answer(*one), scores[at : at + 1], atol=1e-5)
