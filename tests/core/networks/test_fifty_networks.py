"""Each of fifty networks trains, evaluates, resumes and exports, or is refused in a sentence before it has a folder."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.dataset import no_progress
from core.errors import TorchtuiError
from core.export.export import export
from core.session.evaluation import evaluate_run
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

FILE = REPOSITORY / "tests" / "core" / "networks" / "fifty_networks.py"
HELPERS = {"images", "table", "tokens", "mlp", "ModelOutput", "Config"}
DATA = {
    "tokens": ("Embeddings", "SparseEmbeddings", "BagOfWords", "SmallGpt"),
    "table": ("WeightNorm", "OldWeightNorm", "Orthogonal", "StraightThrough", "MixtureOfExperts"),
}
REFUSED: dict[str, str] = {
    "LstmReturnsTuple": "tuple",
    "AuxiliaryHead": "training",
    "Siamese": "other",
    "DetachesOutputs": "gradient",
    "NoParameters": "no parameters",
    "WrongSize": "2x10",
    "FullyConvolutional": "2x3x1x1",
    "Detector": "training",
    "ReturnsOrderedDict": "not a tensor",
    "ListOfLayers": "plain list",
}
"""Those that cannot train, with words of the sentence that says why."""
NOT_PORTABLE: dict[str, dict[str, str]] = {
    "pt2": {
        "KeepsHiddenState": "constant",
        "CachesMask": "constant",
        "AlwaysDrops": "differ",
        "scripted": "scripted",
        "LooksAtValues": "fifty_networks.py, line",
        "MixtureOfExperts": "fifty_networks.py, line",
    },
    "safetensors": {"KeepsHiddenState": "differ"},
}
"""By format, those that train but cannot be exported to it, with words of the sentence that says why."""

TrainRun = Callable[..., Any]


def networks() -> list[str]:
    tree = ast.parse(FILE.read_text())
    named = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return [name for name in named if name not in HELPERS and not name.startswith("_")] + ["ready"]


def values(name: str, **training: Any) -> dict[str, Any]:
    trust(FILE)
    data = next((kind for kind, names in DATA.items() if name in names), "images")
    return {
        "data": {"name": f"{FILE}:{data}", "validation": 0.2},
        "model": f"{FILE}:{name}",
        "optimizer": {"name": "sgd"} if name == "SparseEmbeddings" else {"name": "adam", "lr": 0.01},
        "training": {"epochs": 2, "batch_size": 16, **training},
    }


def test_there_are_fifty() -> None:
    assert len(networks()) >= 50
    assert {*REFUSED, *(name for names in NOT_PORTABLE.values() for name in names)} <= {*networks()}
    tree = ast.parse(FILE.read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in networks():
            assert len((ast.get_docstring(node) or "").splitlines()) == 1, node.name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in networks() if name not in REFUSED])
def test_it_trains_and_evaluates(name: str, train_run: TrainRun) -> None:
    trained = train_run(values(name, epochs=1))
    assert trained.finished.status == "completed", trained.finished.error
    assert evaluate_run(trained.run, "test").report.n == 18


@pytest.mark.heavy
@pytest.mark.parametrize("name", [name for name in networks() if name not in REFUSED])
def test_it_resumes_bit_for_bit(name: str, train_run: TrainRun) -> None:
    whole = train_run(values(name))
    half = train_run(values(name, epochs=1))
    again = train_run({"training": {"epochs": 2}}, run=half.run)
    assert again.finished.status == "completed", again.finished.error
    for key, weight in whole.weights().items():
        if isinstance(weight, torch.Tensor):
            assert torch.equal(weight, again.weights()[key]), key


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_a_sentence(name: str, train_run: TrainRun, tmp_path: Path) -> None:
    with pytest.raises(TorchtuiError, match=REFUSED[name]) as caught:
        train_run(values(name))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("to", ["safetensors", "pt2"])
@pytest.mark.parametrize("name", [name for name in networks() if name not in REFUSED])
def test_it_is_exported(name: str, to: str, train_run: TrainRun, tmp_path: Path) -> None:
    trained = train_run(values(name, epochs=1))
    if name in NOT_PORTABLE[to]:
        with pytest.raises(TorchtuiError, match=NOT_PORTABLE[to][name]) as caught:
            export(trained.run, to, tmp_path / "out", data_root=None, progress=no_progress)
        assert "\n" not in str(caught.value)
    else:
        made = export(trained.run, to, tmp_path / "out", data_root=None, progress=no_progress)
        assert made.difference is not None
        assert made.difference < 1e-3
