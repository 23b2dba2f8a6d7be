"""Every optimizer against PyTorch's own or its formula; which weights it moves and lets decay; its state."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn, optim

from core.config.schema import FAMILIES, from_dict
from core.config.training import Training
from core.data.batches import Batch
from core.errors import ConfigError, ModelError
from core.optimizers.muon_adamw import MuonAdamW
from core.options import choices
from core.torch_private import bare_step, leave_compiler_out
from core.training.step import step_function
from core.user_code.trust import trust
from tests.support.narrow import instance
from tests.support.repository import REPOSITORY

STEP_FROM_ZERO: dict[str, tuple[dict[str, float], float]] = {
    # one step from weight 0 with gradient 2, by hand
    "sgd": ({"lr": 0.1}, -0.2),
    "momentum": ({"lr": 0.1}, -0.2),
    "nesterov": ({"lr": 0.1, "momentum": 0.5}, -0.1 * (2 + 0.5 * 2)),
    "adagrad": ({"lr": 0.1}, -0.1),
    "adadelta": ({"lr": 10, "rho": 0.75, "eps": 1e-12}, -10 * 1e-6 / (0.25 * 4) ** 0.5 * 2),
    "adam": ({"lr": 0.1}, -0.1),
    "adamw": ({"lr": 0.1}, -0.1),
    "radam": ({"lr": 0.1}, -0.2),
    "rmsprop": ({"lr": 0.1, "alpha": 0.75}, -0.2),
}
PYTORCH: dict[str, tuple[dict[str, Any], Callable[[list[Tensor]], optim.Optimizer]]] = {
    "nesterov": (
        {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.1},
        lambda weights: optim.SGD(weights, 0.1, momentum=0.8, nesterov=True, weight_decay=0.1),
    ),
    "nadam": (
        {"lr": 0.1, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weight_decay": 0.1},
        lambda weights: optim.NAdam(weights, 0.1, (0.8, 0.95), 1e-6, 0.1),
    ),
    "radam": (
        {"lr": 0.1, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weight_decay": 0.1},
        lambda weights: optim.RAdam(weights, 0.1, (0.8, 0.95), 1e-6, 0.1),
    ),
    "adadelta": (
        {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1},
        lambda weights: optim.Adadelta(weights, 0.5, 0.8, 1e-4, 0.1),
    ),
}
NAMES = list(choices(FAMILIES["optimizer"]))
DECAYING = [name for name in NAMES if name not in ("lbfgs", "python")]
OWN = REPOSITORY / "tests" / "support" / "own_training.py"


class Weight(nn.Module):
    """One number."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), value))


def network() -> nn.Module:
    """A kernel, matrices, biases and a normalisation, the same each time."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(1, 2, 3, bias=False),
        nn.BatchNorm1d(2),
        nn.Flatten(),
        nn.Linear(12, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )


def build(model: nn.Module, **fields: Any) -> optim.Optimizer:
    if fields["name"] == "python":
        trust(OWN)
        fields["path"] = f"{OWN}:Opt"
    return from_dict({"optimizer": fields}).optimizer.build(model)


def train(model: nn.Module, optimizer: optim.Optimizer, steps: int, seed: int = 1) -> None:
    step = step_function(Training(), model, nn.functional.cross_entropy, optimizer)
    random = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        inputs = torch.randn(16, 1, 8, generator=random)
        step(Batch(inputs, torch.randint(0, 3, (16,), generator=random)))


# -- formulas --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STEP_FROM_ZERO)
def test_first_step_of_every_optimizer(name: str) -> None:
    fields, expected = STEP_FROM_ZERO[name]
    model = Weight(0.0)
    optimizer = build(model, name=name, **fields)
    model.weight.grad = torch.full((1,), 2.0)
    optimizer.step()
    assert model.weight.item() == pytest.approx(expected, rel=1e-5)


def test_momentum_adds_velocity() -> None:
    model = Weight(0.0)
    optimizer = build(model, name="momentum", lr=0.1, momentum=0.5)
    for _ in range(2):
        model.weight.grad = torch.ones(1)
        optimizer.step()
    assert model.weight.item() == pytest.approx(-0.1 - 0.15)


def test_nesterov_without_momentum_is_sgd() -> None:
    models = [network(), network()]
    train(models[0], build(models[0], name="nesterov", momentum=0), 2)
    train(models[1], build(models[1], name="sgd"), 2)
    assert_equal_weights(*models)


@pytest.mark.parametrize("name", PYTORCH)
def test_settings_reach_pytorch(name: str) -> None:
    fields, theirs = PYTORCH[name]
    models = [network(), network()]
    train(models[0], build(models[0], name=name, **fields), 5)
    train(models[1], theirs(list(models[1].parameters())), 5)
    assert_equal_weights(*models)


def test_muon_moves_matrices_and_adamw_the_rest() -> None:
    models = [network(), network()]
    train(models[0], build(models[0], name="muon", lr=0.01, weight_decay=0.1, momentum=0.9), 4)
    weights = list(models[1].parameters())
    theirs = [
        optim.Muon(
            [weight for weight in weights if weight.ndim == 2],
            lr=0.01,
            weight_decay=0.1,
            momentum=0.9,
            adjust_lr_fn="match_rms_adamw",
        ),
        optim.AdamW([weight for weight in weights if weight.ndim != 2], lr=0.01, weight_decay=0.1),
    ]
    random = torch.Generator().manual_seed(1)
    for _ in range(4):
        models[1].zero_grad()
        outputs = models[1](torch.randn(16, 1, 8, generator=random))
        targets = torch.randint(0, 3, (16,), generator=random)
        nn.functional.cross_entropy(outputs, targets).backward()
        for optimizer in theirs:
            optimizer.step()
    assert_equal_weights(*models)


def test_muon_leaves_embeddings_to_adamw() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.out = nn.Embedding(4, 3), nn.Linear(3, 2, bias=False)

    model = Words()
    muon, adamw = instance(MuonAdamW, build(model, name="muon")).parts
    assert [group["params"] for group in muon.param_groups] == [[model.out.weight]]
    assert [group["params"] for group in adamw.param_groups] == [[model.words.weight]]


def test_lbfgs_is_pytorchs() -> None:
    models = [network(), network()]
    train(models[0], build(models[0], name="lbfgs", lr=0.5, iterations=4, history=3), 3)
    theirs = optim.LBFGS(
        models[1].parameters(), lr=0.5, max_iter=4, history_size=3, line_search_fn="strong_wolfe"
    )
    train(models[1], theirs, 3)
    assert_equal_weights(*models)


def test_the_loss_of_a_step_of_lbfgs_is_that_before_it() -> None:
    model = network()
    inputs, targets = torch.ones(8, 1, 8), torch.arange(8) % 3
    before = nn.functional.cross_entropy(model.eval()(inputs), targets).item()
    settings = Training(batch_size=3, accumulate=3)
    step = step_function(settings, model.eval(), nn.functional.cross_entropy, build(model, name="lbfgs"))
    loss, outputs = step(Batch(inputs, targets))
    assert loss.item() == pytest.approx(before)
    assert outputs.shape == (8, 3)
    assert step(Batch(inputs, targets))[0].item() < before


def test_lbfgs_is_not_given_gradients_that_were_cut(train_run: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"training\.clip_norm: lbfgs needs unclipped gradients"):
        train_run({"data": "iris", "model": "mlp", "optimizer": "lbfgs", "training": {"clip_norm": 1.0}})


# -- weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_frozen_weights_stay(name: str) -> None:
    model = network()
    model.get_submodule("3").requires_grad_(False)
    before = copy.deepcopy(model)
    train(model, build(model, name=name), 3)  # equal steps to and fro cannot cancel
    moved = {
        key for key, weight in model.named_parameters() if not torch.equal(weight, before.get_parameter(key))
    }
    assert moved == {key for key, _ in model.named_parameters()} - {"3.weight", "3.bias"}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_frozen_weights_alone_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="no weights to train"):
        build(network().requires_grad_(False), name=name)


@pytest.mark.parametrize("decay_norms", [True, False])
@pytest.mark.parametrize("name", DECAYING)
def test_biases_and_norms_decay_only_if_wanted(name: str, decay_norms: bool) -> None:
    model = network()
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(3.0)
    optimizer = build(model, name=name, weight_decay=0.5, decay_norms=decay_norms, lr=0.1)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for key, weight in model.named_parameters():
        pulled = bool((weight < 3).all())
        assert pulled == (decay_norms or weight.ndim >= 2), key
        assert pulled or bool((weight == 3).all()), key


@pytest.mark.parametrize("name", NAMES)
def test_the_learning_rate_of_all_groups_is_the_one_asked_for(name: str) -> None:
    fields = {} if name not in DECAYING else {"decay_norms": False}
    optimizer = build(network(), name=name, lr=0.25, **fields)
    assert {group["lr"] for group in optimizer.param_groups} == {0.25}


# -- state -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_state_goes_to_disk_and_on_exactly(name: str, tmp_path: Any) -> None:
    undisturbed, first, second = network(), network(), network()
    train(undisturbed, build(undisturbed, name=name, lr=0.01), 3)
    optimizer = build(undisturbed, name=name, lr=0.01)
    train(undisturbed, optimizer, 3, seed=2)
    train(undisturbed, optimizer, 3, seed=3)

    train(first, build(first, name=name, lr=0.01), 3)
    optimizer = build(first, name=name, lr=0.01)
    train(first, optimizer, 3, seed=2)
    torch.save({"model": first.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    second.load_state_dict(state["model"])
    optimizer = build(second, name=name, lr=0.5)
    optimizer.load_state_dict(state["optimizer"])
    train(second, optimizer, 3, seed=3)
    for key, weight in undisturbed.state_dict().items():
        assert torch.equal(weight, second.state_dict()[key]), key


@pytest.mark.parametrize(
    ("name", "kept"),
    [("sgd", 0), ("momentum", 1), ("nesterov", 1), ("adadelta", 2), ("nadam", 2), ("muon", 1), ("lbfgs", 22)],
)
def test_numbers_kept_for_each_weight(name: str, kept: int) -> None:
    before = torch.get_rng_state()
    assert from_dict({"optimizer": name}).optimizer.numbers_kept() == kept
    assert torch.equal(before, torch.get_rng_state()), "a training that goes on draws from the same generator"


def assert_equal_weights(first: nn.Module, second: nn.Module) -> None:
    for key, weight in first.state_dict().items():
        assert torch.allclose(weight, second.state_dict()[key], rtol=1e-5, atol=1e-7), key


@pytest.mark.parametrize("name", DECAYING)
def test_without_the_compiler_it_steps_saves_and_loads_as_pytorchs_own(name: str) -> None:
    usual, bare = network(), network()
    one, other = build(usual, name=name), build(bare, name=name)
    leave_compiler_out()
    move = bare_step(other)
    for _ in range(2):
        for model, step in ((usual, one.step), (bare, move)):
            model.zero_grad()
            model(torch.linspace(-1, 1, 32).reshape(4, 1, 8)).square().mean().backward()
            step()
        assert all(map(torch.equal, usual.state_dict().values(), bare.state_dict().values()))
    again = build(bare, name=name)
    again.load_state_dict(other.state_dict())
    assert again.state_dict()["state"].keys() == one.state_dict()["state"].keys()
