"""Odd networks train as a bare loop trains them; what they cannot handle, the engine does without."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.config import schema as configuration
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.events import EpochFinished, LayersSampled, Notice
from core.models.copies import copied
from core.models.registry import build
from core.models.summary import summarise
from core.training.batch_finder import batch_test
from core.training.lr_finder import range_test
from core.training.threads import Threads
from core.training.validation import network_outputs
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

FILE = REPOSITORY / "tests" / "support" / "odd_networks.py"
CPU = torch.device("cpu")
Load = Callable[..., Dataset]
TrainRun = Callable[..., Any]

LIKE_A_BARE_LOOP = [
    "Base",
    "ReturnsDict",
    "ReturnsObject",
    "LogSoftmax",
    "Softmax",
    "Sigmoid",
    "Norm",
    "Lazy",
    "Tied",
    "WeightNorm",
    "Orthogonal",
    "Complex",
    "Sparse",
    "SparseLookup",
    "NoneBuffer",
    "CountingBuffer",
    "ExtraState",
    "PartFrozen",
    "Unused",
    "ListOfOwn",
    "DoubleCast",
    "scripted",
    "partly_scripted",
    "traced",
    "symbolic",
    "KeepsActivation",
    "CacheHidden",
    "HoldsLock",
    "HoldsGenerator",
    "HoldsFile",
    "Hooked",
    "CountsInClass",
    "RandomForward",
    "FunctionalDropout",
    "Seeds",
    "SeedsInForward",
    "Warns",
    "InPlace",
    "Item",
]


@pytest.fixture(autouse=True)
def trusted() -> None:
    trust(FILE)


def values(name: str, **training: Any) -> dict[str, Any]:
    return {
        "model": {"name": "python", "path": f"{FILE}:{name}"},
        "optimizer": {"name": "sgd", "lr": 0.05},
        "training": {"epochs": 2, "batch_size": 200, **training},
    }


def logits(returned: Any) -> Tensor:
    """As a person's own loop takes them out."""
    if isinstance(returned, dict):
        returned = returned["logits"]
    found: Tensor = getattr(returned, "logits", returned)
    return found


def bare_loop(name: str, data: Dataset) -> dict[str, Any]:
    """Return the weights after two epochs of the loop of any tutorial, validated after each."""
    config = configuration.from_dict(values(name, device="cpu", threads=1))
    model = build(config.model, data, 0)
    model._forward_hooks.clear()
    with torch.no_grad():
        model.eval()(torch.zeros(2, *data.sample_shape))  # lazy layers take their sizes
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.05)
    train_set, validation = Batches(data.train, data, CPU), Batches(data.validation, data, CPU)
    for epoch in range(2):
        model.train()
        for inputs, targets, _ in train_set.iterate(200, training_order(config.training, data, epoch)):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(logits(model(inputs)), targets)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for inputs, *_ in validation.iterate(1024):
                model(inputs)
    return model.state_dict()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIKE_A_BARE_LOOP)
def test_it_trains_as_a_bare_loop_does(name: str, train_run: TrainRun, load_data: Load) -> None:
    trained = train_run(values(name))
    assert trained.finished.status == "completed", trained.finished.error
    expected, weights = bare_loop(name, load_data("digits")), trained.weights()
    assert set(weights) == set(expected)
    for key, value in expected.items():
        if isinstance(value, Tensor):
            assert torch.equal(weights[key], value), key


@pytest.mark.slow
def test_numbers_of_half_the_precision_train(train_run: TrainRun) -> None:
    trained = train_run(values("Half"))
    assert trained.finished.status == "completed", trained.finished.error
    assert trained.weights()["net.1.weight"].dtype == torch.bfloat16


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("name", ["Sparse", "SparseLookup"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adagrad"])
def test_sparse_gradients_where_the_optimizer_takes_them(
    name: str, optimizer: str, train_run: TrainRun
) -> None:
    trained = train_run({**values(name), "optimizer": {"name": optimizer}})
    assert trained.finished.status == "completed", trained.finished.error
    assert given_up(trained) == ["the network's sparse gradients"]


def given_up(trained: Any) -> list[str]:
    notices = [notice.message for notice in trained.told(Notice) if "without fused" in notice.message]
    return [message.partition("which do not take ")[2] for message in notices]


def test_nothing_is_reported_where_nothing_is_given_up(train_run: TrainRun) -> None:
    assert given_up(train_run(values("Base"))) == []


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["momentum", "adam", "adamw", "adagrad"])
def test_complex_weights(optimizer: str, train_run: TrainRun) -> None:
    trained = train_run({**values("Complex"), "optimizer": {"name": optimizer}})
    assert trained.finished.status == "completed", trained.finished.error
    assert given_up(trained) == ["the network's complex weights"]


# -- copies ------------------------------------------------------------------------------------------------------


def after_a_step(name: str, data: Dataset) -> nn.Module:
    model = build(configuration.from_dict(values(name)).model, data, 0)
    nn.functional.cross_entropy(model(torch.ones(8, *data.sample_shape)), torch.arange(8)).backward()
    return model


@pytest.mark.parametrize("name", ["KeepsActivation", "HoldsLock", "HoldsGenerator", "HoldsFile"])
def test_what_cannot_be_copied_is_built_anew(name: str, load_data: Load) -> None:
    model = after_a_step(name, load_data("digits"))
    with pytest.raises((TypeError, RuntimeError)):
        copy.deepcopy(model)
    with torch.no_grad():
        next(model.parameters()).fill_(0.25)
    random = torch.get_rng_state()
    made = copied(model.eval())
    assert torch.equal(torch.get_rng_state(), random)
    assert made is not model
    assert not made.training
    assert next(made.parameters()).data_ptr() != next(model.parameters()).data_ptr()
    assert all(torch.equal(value, made.state_dict()[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["KeepsActivation", "HoldsLock"])
def test_threads_are_chosen_in_the_middle_of_training(
    name: str, load_data: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, before = load_data("digits"), torch.get_num_threads()
    tried: list[int] = []

    def seconds_of(step: Callable[[], object], steps: int) -> float:
        step()
        tried.append(torch.get_num_threads())
        return 1.0

    monkeypatch.setattr("core.training.threads._seconds_of", seconds_of)
    threads = Threads(configuration.from_dict(values(name)), data, after_a_step(name, data), 2)
    try:
        assert threads.choose() == 1
        assert set(tried) == {1, 2}
    finally:
        torch.set_num_threads(before)


def test_threads_stay_where_no_copy_can_be_made(load_data: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    data, before = load_data("digits"), torch.get_num_threads()
    model = after_a_step("HoldsLock", data)
    monkeypatch.setattr("core.models.copies._builders", {})
    try:
        torch.set_num_threads(2)
        threads = Threads(configuration.from_dict(values("HoldsLock")), data, model, 4)
        assert threads.choose() == 2
        assert threads.failure.startswith("processor threads stay at 2, as no copy of the network could be")
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["HoldsLock", "HoldsGenerator", "HoldsFile", "KeepsActivation"])
def test_finders_and_averages_of_what_cannot_be_copied(
    name: str, load_data: Load, train_run: TrainRun
) -> None:
    data = load_data("digits")
    config, model = configuration.from_dict(values(name)), after_a_step(name, data)
    rates = range_test(config, data, model, CPU, on_report=lambda rate, loss: None, should_stop=lambda: False)
    assert rates is not None
    assert len(rates.rates) > 3
    calls = iter(range(10))
    found = batch_test(
        config, data, model, CPU, on_report=lambda tried: None, should_stop=lambda: next(calls) > 2
    )
    assert found is None
    trained = train_run(values(name, ema=0.9))
    assert trained.finished.status == "completed", trained.finished.error


# -- what is saved -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_state_that_is_no_tensor_is_saved_and_resumed(train_run: TrainRun) -> None:
    whole = train_run(values("ExtraState", epochs=3))
    half = train_run(values("ExtraState", epochs=3), at_step=(10, lambda control, model: control.stop()))
    assert half.finished.status == "stopped"
    resumed = train_run(run=half.run)
    assert resumed.finished.status == "completed", resumed.finished.error
    ours, theirs = resumed.weights(), whole.weights()
    assert ours["_extra_state"]["calls"] == theirs["_extra_state"]["calls"] > 21
    assert torch.equal(ours["net.1.weight"], theirs["net.1.weight"])


@pytest.mark.slow
def test_what_is_kept_in_validation_can_be_used_in_training(train_run: TrainRun) -> None:
    trained = train_run(values("CacheHidden", epochs=3))
    assert trained.finished.status == "completed", trained.finished.error


# -- scripted modules --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_scripted_parts_are_listed_as_one_layer_each(load_data: Load) -> None:
    data = load_data("digits")
    listed = {}
    for name in ("scripted", "partly_scripted"):
        model = build(configuration.from_dict(values(name)).model, data, 0)
        listed[name] = summarise(model, data.sample_shape, 10)
    alone = listed["scripted"]
    assert [(layer.kind, layer.parameters) for layer in alone.layers] == [("RecursiveScriptModule", 2410)]
    assert alone.parameters == 2410
    kinds = [layer.kind for layer in listed["partly_scripted"].layers]
    assert kinds == ["ReLU", "Linear", "RecursiveScriptModule"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_layers_of_a_scripted_network_are_watched(train_run: TrainRun) -> None:
    trained = train_run(values("scripted", watch_layers=True, ema=0.5))
    assert trained.finished.status == "completed", trained.finished.error
    assert trained.told(LayersSampled)


# -- outputs -----------------------------------------------------------------------------------------------------


def bce_loop(data: Dataset, name: str) -> dict[str, Any]:
    """Return the weights of one logit after an epoch with PyTorch's own loss for it."""
    config = configuration.from_dict(values(name))
    model = build(config.model, data, 0)
    model._forward_hooks.clear()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train_set = Batches(data.train, data, CPU)
    for epoch in range(2):
        for inputs, targets, _ in train_set.iterate(200, training_order(config.training, data, epoch)):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(inputs).flatten(), targets.float())
            loss.backward()
            optimizer.step()
    return model.state_dict()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["OneLogit", "OneSqueezed"])
def test_one_logit_for_two_classes(name: str, train_run: TrainRun, load_data: Load) -> None:
    data = load_data("breast_cancer")
    expected = bce_loop(data, name)
    network = build(configuration.from_dict(values(name)).model, data, 0)
    network.load_state_dict(expected)
    (inputs, targets, _), *_ = Batches(data.validation, data, CPU).iterate(1024)
    with torch.no_grad():
        accuracy = float((network.eval()(inputs).argmax(1) == targets).double().mean())
    assert accuracy > 0.7
    for loss in ("bce", "cross_entropy"):
        trained = train_run({**values(name), "data": "breast_cancer", "loss": loss})
        assert trained.finished.status == "completed", trained.finished.error
        assert trained.told(EpochFinished)[-1].validation["accuracy"] == pytest.approx(accuracy)
        for key, value in expected.items():
            assert torch.allclose(trained.weights()[key], value, atol=1e-6)


@pytest.mark.parametrize("data", ["breast_cancer", "diabetes"])
def test_a_single_sample_is_answered_as_among_others(data: str, load_data: Load) -> None:
    loaded = load_data(data)
    network = build(configuration.from_dict(values("AllSqueezed")).model, loaded, 0, loaded.outputs).eval()
    inputs = loaded.train.inputs[:3]
    together = network(inputs)
    assert together.shape == (3, loaded.outputs)
    assert torch.allclose(torch.cat([network(each[None]) for each in inputs]), together, atol=1e-6)


def test_all_classes_of_a_single_sample_are_its_own(load_data: Load) -> None:
    loaded = load_data("iris")
    network = build(
        configuration.from_dict(values("ClassesSqueezed")).model, loaded, 0, loaded.outputs
    ).eval()
    batches = Batches(loaded.validation, loaded, torch.device("cpu"))
    ((together, _),) = network_outputs(network, batches, len(batches))
    alone = torch.cat([outputs for outputs, _ in network_outputs(network, batches, 1)])
    assert torch.allclose(alone, together, atol=1e-6)


@pytest.mark.parametrize("name", ["OneLogit", "OneSqueezed"])
def test_one_number_for_a_regression(name: str, train_run: TrainRun) -> None:
    trained = train_run({**values(name), "data": "diabetes"})
    assert trained.finished.status == "completed", trained.finished.error
