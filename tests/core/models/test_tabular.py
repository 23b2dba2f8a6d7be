"""The network for tables: its encoding of numbers, and the settings that go with it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from core.config.schema import from_dict, to_dict
from core.config.training import Training
from core.data.registry import load
from core.models.registry import build
from core.models.tables.quantile_encoding import QuantileEncoding

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from tests.conftest import Trained


def fitted(data: "Dataset", bins: int) -> QuantileEncoding:
    """An encoding of the features of some data."""
    encoding = QuantileEncoding(data.sample_shape[0], bins)
    encoding.fit(data)
    return encoding


def test_each_piece_is_reached_in_turn(load_data: Callable[..., "Dataset"]) -> None:
    data = load_data("iris")
    encoding = fitted(data, 4)
    inputs = (data.train.inputs[:] - data.mean) / data.std
    near, reached = encoding(inputs)[:, :4], encoding(inputs)[:, 4:].reshape(-1, 4, 4)
    np.testing.assert_allclose(near, inputs / np.sqrt(1 + (inputs / 3) ** 2), rtol=1e-5)
    assert ((reached >= 0) & (reached <= 1)).all()
    assert (reached[:, :, 1:] <= (reached[:, :, :-1] >= 1)).all()  # a piece begins where the last one is full
    sums = reached.sum(dim=2).numpy()
    quantiles = np.quantile(inputs.numpy().astype(np.float64), np.linspace(0, 1, 5), axis=0)
    for column in range(4):
        if len(np.unique(quantiles[:, column])) == 5:
            expected = np.interp(inputs[:, column], quantiles[:, column], np.arange(5))
            np.testing.assert_allclose(sums[:, column], expected, atol=1e-4)


def test_features_of_texts_have_no_pieces(tmp_path: Path) -> None:
    rows = [f"{'ab'[at % 2]},{at * 7 % 31},{at % 2}" for at in range(60)]
    path = tmp_path / "some.csv"
    path.write_text("\n".join(["letter,size,target", *rows]) + "\n")
    data = load(from_dict({"data": str(path)}).data)
    encoded = fitted(data, 3)(data.train.inputs)[:, 3:].reshape(-1, 3, 3)
    used = encoded.abs().sum(dim=(0, 2)) > 0
    assert [name for name, is_used in zip(data.feature_names, used, strict=True) if is_used] == ["size"]


def test_the_pieces_are_kept_with_the_weights(train_run: Callable[..., "Trained"]) -> None:
    trained = train_run({"data": {"name": "wine"}, "model": "tabular", "training": {"epochs": 1}})
    weights = trained.weights("best")
    assert (weights["1.low"] < 1e30).any()
    network = build(trained.run.config().model, load(trained.run.config().data), seed=1)
    network.load_state_dict(weights)
    assert torch.equal(network.state_dict()["1.low"], weights["1.low"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"data": "my.csv"}, ("tabular", "adamw", 0.002, 20, 1000)),
        ({"data": "my.csv", "model": "mlp"}, ("mlp", "momentum", 0.01, 20, 0)),
        ({"data": "my.csv", "model": {"hidden": [8]}}, ("mlp", "momentum", 0.01, 20, 0)),
        ({"data": "my.csv", "model": {"width": 8}}, ("tabular", "adamw", 0.002, 20, 1000)),
        ({"data": "my.csv", "training": {"epochs": 5}}, ("tabular", "adamw", 0.002, 5, 0)),
        ({"data": "my.csv", "training": {"seed": 5}}, ("tabular", "adamw", 0.002, 20, 1000)),
        ({"data": "my.csv", "optimizer": {"lr": 0.1}}, ("tabular", "adamw", 0.1, 20, 1000)),
        ({"data": "my.csv", "optimizer": "sgd"}, ("tabular", "sgd", 0.01, 20, 1000)),
        ({"data": "digits"}, ("mlp", "momentum", 0.01, 20, 0)),
        *(
            ({"data": name}, ("tabular", "adamw", 0.002, 20, 1000))
            for name in ("iris", "wine", "breast_cancer", "diabetes")
        ),
        ({"data": "iris", "model": "mlp"}, ("mlp", "momentum", 0.01, 20, 0)),
        ({"data": "moons"}, ("mlp", "momentum", 0.01, 20, 0)),
    ],
)
def test_what_is_not_given_goes_with_data_and_model(
    values: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    config = from_dict(values)
    found = (config.model.name, config.optimizer.name, config.optimizer.lr)
    assert (*found, config.training.epochs, config.training.min_steps) == expected
    assert from_dict(to_dict(config)) == config


def test_small_data_gets_more_epochs() -> None:
    training = Training(epochs=20, batch_size=64, min_steps=1000)
    assert training.with_min_steps(72).epochs == 500
    assert training.with_min_steps(64_000).epochs == 20
    assert training.with_min_steps(72).min_steps == 0
    assert Training(epochs=3).with_min_steps(72).epochs == 3
