"""Runs of a person's own samples: what becomes of them when these change, and what is no change."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.data import fingerprint as fingerprints
from core.data.dataset import Dataset, Split
from core.data.fingerprint import fingerprint, same
from core.errors import DataError, RunDamaged
from core.runs.folder import Run
from core.session.evaluation import evaluate_run, trained_model
from core.user_code.trust import trust
from tests.support.fixtures import TrainRun
from tests.support.own_data import write_own_data

SOURCES = ("arrays", "image_folder", "python")


@pytest.fixture
def begun(tmp_path: Path, train_run: TrainRun) -> Callable[[str], Run]:
    """Trains a run of files in ``mine``."""

    def begun(source: str) -> Run:
        (tmp_path / "mine").mkdir()
        fields = write_own_data(tmp_path / "mine")[source]
        trust(tmp_path / "mine" / "own_data.py")
        return train_run({"data": {"name": source, **fields}}).run

    return begun


def another_sample(source: str, folder: Path) -> None:
    if source == "image_folder":
        shutil.copy(folder / "pictures" / "3" / "00003.png", folder / "pictures" / "3" / "another.png")
        return
    with np.load(folder / "own.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    np.savez(folder / "own.npz", images=np.r_[images, images[3:4]], labels=np.r_[labels, labels[3:4]])


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_other_samples_are_not_trained_on_or_evaluated(
    source: str, begun: Callable[[str], Run], tmp_path: Path, train_run: TrainRun
) -> None:
    run, folder = begun(source), tmp_path / "mine"
    shutil.copytree(folder, tmp_path / "before")
    another_sample(source, folder)
    names = {"arrays": r"own\.npz", "image_folder": "pictures", "python": r"own_data\.py:make"}
    says = rf"data\.path: {names[source]} has changed since .* was started"
    with pytest.raises(DataError, match=says):
        evaluate_run(run, "train")
    with pytest.raises(DataError, match=says):
        train_run({"training": {"epochs": 4}}, run=run)
    assert trained_model(run, samples=False).data.kind == "image"
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "before", folder, copy_function=shutil.copyfile)
    for place, file in enumerate(sorted(folder.rglob("*.png"))):
        os.utime(file, (place, place))
    assert train_run({"training": {"epochs": 4}}, run=run).finished.status == "completed"


@pytest.mark.slow
def test_a_run_that_did_not_keep_enough_still_opens(begun: Callable[[str], Run], tmp_path: Path) -> None:
    run = begun("arrays")
    facts = json.loads(run.data_file.read_text())
    kept = facts.pop("fingerprint")
    del facts["split"]
    run.data_file.write_text(json.dumps(facts))
    another_sample("arrays", tmp_path / "mine")
    assert evaluate_run(run, "train").report.n > 0
    (run.evaluation_folder("train") / "report.json").unlink()
    run.data_file.write_text(
        json.dumps(facts | {"fingerprint": {**kept, "train": {"sums": [1], "digest": 1}}})
    )
    with pytest.raises(DataError, match="has changed since"):
        evaluate_run(run, "train")
    run.data_file.write_text(json.dumps(facts | {"fingerprint": [1]}))
    with pytest.raises(RunDamaged, match=r"data\.json cannot be read"):
        evaluate_run(run, "train")


def made(
    load_data: Callable[..., Dataset], change: Callable[[torch.Tensor], torch.Tensor], **more: Any
) -> Any:
    """The fingerprint of digits as a function of the user's gives them, the training inputs changed."""
    data = load_data("digits")
    inputs = data.train.inputs[:].float().clone()
    train = Split(change(inputs), data.train.targets, data.train.indices)
    return fingerprint(replace(data, train=train, **{"name": "python", **more}))


def test_the_last_bits_of_computed_numbers_are_no_change(load_data: Callable[..., Dataset]) -> None:
    noise = 1 + 1e-7 * torch.randn(1, generator=torch.Generator().manual_seed(0))
    first = made(load_data, lambda x: x / 3)
    assert same(first, json.loads(json.dumps(made(load_data, lambda x: x / 3 * noise))))
    assert not same(first, made(load_data, lambda x: x.flip(0) / 3))
    assert not same(first, made(load_data, lambda x: x.flip(-1) / 3))
    assert not same(first, made(load_data, lambda x: torch.cat([x[1:2], x[:1], x[2:]]) / 3))


def test_a_trial_knows_nothing_of_test(load_data: Callable[..., Dataset]) -> None:
    data = load_data("digits")
    none = Split(data.test.inputs[:0], data.test.targets[:0], data.test.indices[:0])
    other = replace(data, test=Split(data.test.inputs, data.test.targets, data.test.indices[::-1]))
    assert same(fingerprint(replace(data, test=none)), fingerprint(data))
    assert not same(fingerprint(other), fingerprint(data))


def test_numbers_from_a_file_are_the_same_to_the_last_bit(load_data: Callable[..., Dataset]) -> None:
    first = made(load_data, lambda x: x / 3, name="arrays")
    assert first == made(load_data, lambda x: x / 3, name="arrays")
    assert not same(first, made(load_data, lambda x: x / 3 * (1 + 2e-7), name="arrays"))


def test_of_large_inputs_some_are_looked_at(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_row(row: int) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda x: x * (torch.arange(len(x)) != row).view(-1, 1, 1, 1)

    data = load_data("digits").train.inputs[:].float()
    monkeypatch.setattr(fingerprints, "MAX_BYTES", data.nbytes // 10)
    monkeypatch.setattr(fingerprints, "BYTES_AT_ONCE", data.nbytes // 100)
    first = made(load_data, lambda x: x, name="arrays")
    assert not same(first, made(load_data, without_row(0), name="arrays"))
    assert same(first, made(load_data, without_row(1), name="arrays"))
