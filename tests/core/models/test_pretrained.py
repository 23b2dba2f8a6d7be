"""Weights from a file to start from: what fits is taken over, and what does not is reported in a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.events import Notice
from core.models.own.pretrained import load_weights
from core.session.evaluation import evaluate_run
from core.user_code.trust import trust

TrainRun = Callable[..., Any]


def network(outputs: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


def saved(tmp_path: Path, held: Any) -> str:
    torch.save(held, tmp_path / "weights.pt")
    return str(tmp_path / "weights.pt")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"state": {}}},
        lambda state: {"model": state, "loss": torch.tensor(1.0)},
        lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
    ],
    ids=["alone", "checkpoint", "beside a tensor", "wrapped"],
)
def test_weights_are_taken_over(tmp_path: Path, wrap: Callable[[dict[str, Any]], Any]) -> None:
    learnt, fresh = network(), network()
    note = load_weights(fresh, saved(tmp_path, wrap(learnt.state_dict())))
    assert note == "model: 4 of 4 tensors start as in weights.pt"
    assert all(
        torch.equal(one, other) for one, other in zip(learnt.parameters(), fresh.parameters(), strict=True)
    )


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    learnt, fresh = network(), network()
    save_file(learnt.state_dict(), str(tmp_path / "weights.safetensors"))
    load_weights(fresh, str(tmp_path / "weights.safetensors"))
    assert torch.equal(learnt[0].weight, fresh[0].weight)  # type: ignore[arg-type]  # of linear layers


def test_what_does_not_fit_is_named_and_frozen_stays_frozen(tmp_path: Path) -> None:
    learnt, fresh = network(10), network(3)
    fresh[0].requires_grad_(False)
    held = {**learnt.state_dict(), "aux.weight": torch.zeros(1)}
    del held["0.bias"]
    before = fresh[2].weight.clone()  # type: ignore[operator]  # of a linear layer
    assert load_weights(fresh, saved(tmp_path, held)) == (
        "model: 1 of 4 tensors start as in weights.pt; not taken over: 2.weight (10x8 there, 3x8 here), "
        "2.bias (10 there, 3 here) of another shape, 0.bias not in it, aux.weight not in the network"
    )
    assert torch.equal(fresh[2].weight, before)  # type: ignore[arg-type]  # of a linear layer
    assert [weight.requires_grad for weight in fresh.parameters()] == [False, False, True, True]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (
            {"a": torch.zeros(2)},
            "none of the 1 tensors in weights.pt fits: it has a, the network has 0.weight",
        ),
        ([1, 2], "weights.pt holds no weights by name"),
        (nn.Linear(2, 2), "weights.pt holds other objects than tensors, which may run code"),
    ],
)
def test_files_without_fitting_weights_are_refused(tmp_path: Path, held: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_weights(network(), saved(tmp_path, held))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_text("hello")
    with pytest.raises(ModelError, match=r"bad\.pt is damaged, or no file of weights"):
        load_weights(network(), str(tmp_path / "bad.pt"))
    with pytest.raises(ModelError, match=r"cannot read .*missing\.pt: No such file"):
        load_weights(network(), str(tmp_path / "missing.pt"))


def test_a_run_starts_from_them_and_is_evaluated_without(tmp_path: Path, train_run: TrainRun) -> None:
    path = tmp_path / "mynet.py"
    path.write_text("from torch import nn\ndef make():\n    return nn.Sequential(nn.Linear(4, 3))\n")
    trust(path)
    learnt = nn.Sequential(nn.Linear(4, 3))
    file = saved(tmp_path, learnt.state_dict())
    outcome = train_run({"data": "iris", "model": {"name": f"{path}:make", "weights": file}})
    assert "model: 2 of 2 tensors start as in weights.pt" in [note.message for note in outcome.told(Notice)]
    Path(file).unlink()
    assert evaluate_run(outcome.run, "test").report.n > 10
