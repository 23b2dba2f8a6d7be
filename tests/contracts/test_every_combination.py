"""Every task with every kind of samples, network and loss: the outputs have a loss, gradients and an evaluation, or one
sentence says what does not fit."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.config import schema as configuration
from core.config.schema import FAMILIES
from core.data.batches import Batch
from core.data.dataset import Dataset
from core.data.stream.batches import batches_of
from core.errors import ConfigError, DataError, ModelError, TorchtuiError
from core.losses.own_loss import OwnLoss
from core.models.own.calling import call_network
from core.models.own.python import Python
from core.models.registry import build
from core.options import choices
from core.session.fit import data_problems
from core.tasks.evaluation import evaluate
from core.tasks.losses import resolve_loss
from core.tasks.registry import TASKS, task_of
from core.training.own.check import with_own_task
from core.user_code.trust import trust
from tests.contracts.test_combinations import OWN_TRAINING, SMALL
from tests.support import any_net
from tests.support.every_kind import KINDS, TARGETS, make

MODELS, LOSSES = choices(FAMILIES["model"]), choices(FAMILIES["loss"])
NET = Path(str(any_net.__file__))
CPU = torch.device("cpu")
SEQUENCES = {"cnn1d", "gru", "transformer_small"}
EMBEDDED = SEQUENCES | {"text_bag"}
FLAT = {"linear", "mlp", "tabular", "residual_mlp"}
PICTURES = {"cnn", "resnet_small", "vit_small", "zoo", "timm"}
TAKEN_BY = {
    "table": FLAT,
    "image": FLAT | PICTURES,
    "signal": FLAT | SEQUENCES,
    "tokens": EMBEDDED,
    "text": EMBEDDED,
    "text beside": EMBEDDED,
    "sequences": SEQUENCES,
    "token sequences": EMBEDDED,
    "several": set[str](),
    "other": FLAT,
}
"""Networks by kind of samples; one of the user's own takes all."""
CLASS_LOSSES = {"auto", "cross_entropy", "bce", "focal", "hinge", "mse", "python"}
NUMBER_LOSSES = {"auto", "mse", "l1", "huber", "quantile", "poisson", "python"}
FITTING = {
    "two classes": CLASS_LOSSES,
    "classes": CLASS_LOSSES,
    "shares": CLASS_LOSSES - {"hinge"},
    "labels": {"auto", "bce", "focal", "python"},
    "number": NUMBER_LOSSES,
    "numbers": NUMBER_LOSSES,
    "pixels": {"auto", "cross_entropy", "focal", "dice", "python"},
}
OWN_LOSSES = {"pixels": f"{NET}:of_pixels"}


@pytest.fixture(autouse=True)
def trusted() -> None:
    trust(NET)
    trust(OWN_TRAINING)


def loss_of(name: str, targets: str) -> Any:
    if name != "python":
        return LOSSES[name]()
    # One loss has this argument, which its name tells.
    return LOSSES[name](path=OWN_LOSSES.get(targets, f"{OWN_TRAINING}:huber_of_classes"))  # type: ignore[call-arg]


def model_of(name: str, targets: str, net: str = "Net") -> Any:
    if name != "python":
        return MODELS[name](**SMALL.get(name, {}))
    return Python(path=f"{NET}:{net}", arguments={"maps": targets == "pixels"})


def a_batch(data: Dataset) -> Batch:
    return next(iter(batches_of(data.train, data, CPU).iterate(9)))


def test_all_tasks_kinds_networks_and_losses_are_named_here() -> None:
    from core.data.kinds.registry import KINDS as KNOWN

    assert {*KNOWN} <= {*KINDS}
    assert set().union(*FITTING.values()) == {*LOSSES}
    assert set().union(*TAKEN_BY.values(), {"unet", "python"}) == {*MODELS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_combination_trains_or_is_refused(kind: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    networks: dict[tuple[str, int, int, bool], nn.Module] = {}
    tasks = set()
    for targets in TARGETS:
        if targets == "pixels" and kind != "image":
            with pytest.raises(DataError) as caught:
                make(kind, targets, tmp_path)
            assert is_one_sentence(caught.value)
            continue
        data = make(kind, targets, tmp_path)
        tasks.add(data.task)
        fitting = {"unet"} if targets == "pixels" else TAKEN_BY[kind]
        for name in MODELS:
            if name not in {*fitting, "python"}:
                assert_model_refused(name, data, fitting)
                continue
            key = name, data.outputs, data.sample.vocabulary, targets == "pixels"
            if key not in networks:
                networks[key] = build(model_of(name, targets), data, seed=0)
            outputs = assert_trains(networks[key], data, targets)
            if name == "python":
                assert_losses_evaluated(outputs, data, targets)
        assert_losses_refused(data, targets)
        assert_own_step(data, targets)
    expected = {*TASKS} - {"custom"} - (set() if kind == "image" else {"segmentation"})
    assert tasks == expected


def assert_trains(network: nn.Module, data: Dataset, targets: str) -> Tensor:
    """A batch has outputs, each loss that fits a gradient by them, and the weights a gradient; return the outputs."""
    batch = a_batch(data)
    network.train()
    outputs = call_network(network, batch.inputs)
    assert outputs.shape == (batch.samples, data.outputs, *data.sample.places)
    made = outputs.detach().requires_grad_()
    pulls = []
    for name in sorted(FITTING[targets]):
        loss = resolve_loss(loss_of(name, targets), data.task)
        value = loss.build(data.target_facts)(made, batch.targets)
        (pull,) = torch.autograd.grad(value, made)
        assert value.ndim == 0
        assert bool(value.isfinite() & pull.isfinite().all() & pull.any()), name
        pulls.append(pull)
    weights = [each for each in network.parameters() if each.requires_grad]
    found = torch.autograd.grad(outputs, weights, torch.stack(pulls).sum(dim=0), allow_unused=True)
    gradients = [each for each in found if each is not None]
    assert all(bool(each.isfinite().all()) for each in gradients)
    assert any(bool(each.any()) for each in gradients)
    detached: Tensor = made.detach()
    return detached


def assert_losses_evaluated(outputs: Tensor, data: Dataset, targets: str) -> None:
    """Each loss that fits makes scores of outputs, and weights of 1 change nothing."""
    batch, facts = a_batch(data), data.target_facts
    for name in sorted(FITTING[targets]):
        loss = resolve_loss(loss_of(name, targets), data.task)
        plain = loss.build(facts)(outputs, batch.targets)
        weighted = loss.weighted(facts)(outputs, batch.targets, torch.ones(batch.samples))
        assert torch.allclose(weighted, plain, rtol=1e-5), name
        assert_evaluated(loss, outputs, data)


def assert_evaluated(loss: Any, outputs: Tensor, data: Dataset) -> None:
    """Outputs become scores, predictions, the numbers of an epoch and a report; all of them finite."""
    task, facts = task_of(data.task), data.target_facts
    scorer = loss.scorer(facts)
    if isinstance(scorer, OwnLoss):
        scorer.eval()
    scores = task.scores(scorer, [outputs])
    samples = data.train.rows(slice(0, len(outputs)))
    predictions = task.predictions(scores, samples, data, scorer.gives_probabilities(facts))
    names = data.class_names or data.target_names
    report = evaluate(predictions, task=data.task, class_names=names, split="train", intervals=False)
    assert report.metrics[task.score] is not None
    assert {*report.metrics} <= {*task.metrics(len(data.class_names))}
    tally = task.tally()
    targets = task.standardised(samples.targets, data)
    tally.add(scorer.scores(outputs) if scorer.converts else outputs, targets, None)
    score, _ = tally.read(targets, None, data.outputs, lambda sums: sums)
    assert math.isfinite(score)


def assert_model_refused(name: str, data: Dataset, fitting: set[str]) -> None:
    with pytest.raises(ModelError) as caught:
        build(model_of(name, "classes"), data, seed=0)
    assert is_one_sentence(caught.value)
    assert str(caught.value).startswith(f"model.name: {name} takes ")
    offered, _, names = str(caught.value.hint).partition(": ")
    if offered == "Models that fit":
        assert {*names.split(", ")} == {*fitting, "python"}
    else:
        assert "a network of your own" in offered


def assert_losses_refused(data: Dataset, targets: str) -> None:
    """A loss that does not fit is refused, by the check that the form shows, and those that are offered do fit."""
    for name in LOSSES:
        values: dict[str, Any] = {"loss": {"name": name}}
        if name == "python":
            continue
        problems = [
            each for each in data_problems(configuration.from_dict(values), data) if "loss" in str(each)
        ]
        if name in FITTING[targets]:
            assert problems == []
            continue
        assert isinstance(problems[0], ConfigError)
        assert is_one_sentence(problems[0])
        assert problems[0].field == "loss.name"
        offered = str(problems[0].hint).removeprefix("Losses that fit: ").split(", ")
        assert {*offered} <= FITTING[targets]


def assert_own_step(data: Dataset, targets: str) -> None:
    """A network's own training step takes any samples and targets, and a loss beside it is refused."""
    network: Any = build(model_of("python", targets, "Stepping"), data, seed=0)
    own = with_own_task(data, network)
    loss = network.training_step(a_batch(own).given)
    assert bool(loss.isfinite())
    assert any(
        each is not None for each in torch.autograd.grad(loss, [*network.parameters()], allow_unused=True)
    )
    assert resolve_loss(loss_of("auto", targets), own.task).name == "auto"
    for name in {*LOSSES} - {"auto", "python"}:
        with pytest.raises(ConfigError, match="training_step returns its own loss") as caught:
            resolve_loss(loss_of(name, targets), own.task)
        assert is_one_sentence(caught.value)


def is_one_sentence(error: TorchtuiError) -> bool:
    """Return whether a message is a line of one sentence, with what to do apart from it."""
    text = error.message
    return "\n" not in f"{text}{error.hint}" and ". " not in text and bool(error.hint)
