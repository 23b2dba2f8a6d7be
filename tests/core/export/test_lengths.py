"""Graphs take sequences and signals of any length where the network does; where it does not, one line says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.export.export import export
from core.export.lengths import TIME, Lengths
from core.export.predict import load
from core.export.predict_inputs import read_samples, shape_of
from core.user_code.trust import trust
from tests.support.every_kind import fields_of
from tests.support.fixtures import TrainRun
from tests.support.repository import REPOSITORY

SIGNALS = Lengths((0,), axis=TIME)
FACTS = {"sample_shape": [2, 16], "statistics": "channels", "reads": "arrays", "shortest_signal": 4}
FILE = REPOSITORY / "tests" / "support" / "odd_networks.py"


def test_signals_are_never_filled_but_tried_shorter_and_longer() -> None:
    raw = (torch.arange(30.0).view(3, 2, 5),)
    assert SIGNALS.fitted(raw) is raw
    assert [some.shape for (some,) in SIGNALS.of_other_lengths(raw)] == [(3, 2, 3), (3, 2, 8)]
    assert SIGNALS.example(raw, 12)[0].shape == (3, 2, 15)
    assert SIGNALS.facts == {"steps": [], "least": 0, "shortest_signal": 2}
    assert Lengths((), axis=TIME).of_other_lengths(raw) == []


def test_sequences_to_trace_are_filled() -> None:
    ids, lengths = torch.ones(3, 4, dtype=torch.int64), torch.tensor([4, 2, 1])
    some = Lengths((0,), others=1)
    assert [each.shape for each in some.example((ids, lengths), 8)] == [(3, 8), (3,)]
    assert [each.shape for each in some.example((ids, lengths), 0)] == [(3, 4), (3,)]


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((3, 2, 16), (2, 16)),
        ((3, 16, 2), (2, 16)),
        ((3, 2, 40), (2, 40)),
        ((3, 40, 2), (2, 40)),
        ((2, 9), (2, 9)),
        ((3, 2, 3), (2, 16)),
        ((3, 5, 16), (2, 16)),
    ],
)
def test_new_signals_may_have_another_length(
    shape: tuple[int, ...], found: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert shape_of(np.zeros(shape), (2, 16), FACTS) == found
    said = f"signals of {found[1]} steps; those of the training have 16\n"
    assert capsys.readouterr().err == (said if found != (2, 16) else "")
    assert shape_of(np.zeros(shape), (2, 16), {**FACTS, "shortest_signal": 0}) == (2, 16)


def exported(kind: str, model: dict[str, Any], to: str, train_run: TrainRun, folder: Path) -> Any:
    data = fields_of(kind, "classes", folder)
    run = train_run({"data": data, "model": model, "training": {"epochs": 1, "batch_size": 8}}).run
    return export(run, to, folder / "out", data_root=None, progress=lambda what, done, total: None)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("kind", "model", "to"),
    [
        ("signal", {"name": "cnn1d", "channels": [4, 4]}, "pt2"),
        ("token sequences", {"name": "cnn1d", "channels": [4, 4, 4, 4]}, "pt2"),
        ("token sequences", {"name": "gru", "width": 4}, "onnx"),
    ],
)
def test_graphs_take_any_length(
    kind: str, model: dict[str, Any], to: str, train_run: TrainRun, tmp_path: Path
) -> None:
    done = exported(kind, model, to, train_run, tmp_path)
    assert done.notes == ()
    if kind == "signal":
        np.save(tmp_path / "new.npy", np.random.default_rng(0).normal(size=(3, 40, 2)))
        facts, answer = load(tmp_path / "out" / f"model.{to}")
        assert answer(read_samples(tmp_path / "new.npy", facts)).shape == (3, 3)


@pytest.mark.heavy
def test_signals_of_a_network_for_one_length_keep_theirs(train_run: TrainRun, tmp_path: Path) -> None:
    trust(FILE)
    done = exported("signal", {"name": "python", "path": f"{FILE}:Base"}, "pt2", train_run, tmp_path)
    assert done.notes == ("signals keep their 16 steps: torch.export keeps no other length",)
