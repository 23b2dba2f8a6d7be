"""Data and networks of several processes are compared before they train."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.errors import DataError, ModelError, TorchtuiError
from core.models.summary import summarise
from core.session.preflight.alike import alike
from core.session.preparation import Prepared
from core.training.distributed import Group


@dataclass(frozen=True)
class Heard(Group):
    """The second of two processes, which knows what the first one gave; or the first, which gives it."""

    said: list[Any] = field(default_factory=list)

    def gather(self, own: Any) -> list[Any]:
        if self.rank:
            return [self.said.pop(0), own]
        self.said.append(own)
        return [own, own]


def prepared(data: Dataset, network: nn.Module) -> Prepared:
    summary = summarise(network, data.sample_shape, data.outputs)
    return Prepared(configuration.from_dict({}), data, network, summary, torch.device("cpu"), 1)


def network(width: int = 8, *, frozen: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Linear(width, 3))
    made.get_parameter("0.bias").requires_grad_(not frozen)
    return made


def compared(data: Dataset, first: nn.Module, other_data: Dataset, other: nn.Module) -> Prepared:
    """Compare two processes as the second one; raises what it does."""
    said: list[Any] = []
    alike(prepared(data, first), Heard(0, 2, said=said))
    return alike(prepared(other_data, other), Heard(1, 2, said=said))


@pytest.fixture
def iris(load_data: Callable[..., Dataset]) -> Dataset:
    return load_data("iris")


def turned(data: Dataset) -> Dataset:
    """The same samples, the last first."""
    split = data.train
    rows = torch.arange(len(split) - 1, -1, -1)
    return replace(
        data,
        digest="",
        name="python",
        train=replace(
            split,
            inputs=split.inputs[rows],
            targets=split.targets[rows],
            indices=np.ascontiguousarray(split.indices),
        ),
    )


def test_the_same_is_taken_as_it_is(iris: Dataset) -> None:
    assert compared(iris, network(), iris, network()).notices == ()
    alone = prepared(iris, network())
    assert alike(alone, Group()) is alone


def refusal(iris: Dataset, other: Dataset, its: nn.Module) -> TorchtuiError:
    with pytest.raises((DataError, ModelError)) as raised:
        compared(iris, network(), other, its)
    return raised.value


def test_other_data_are_refused(iris: Dataset) -> None:
    own = replace(iris, digest="", name="python")
    order = refusal(own, turned(iris), network())
    assert order.message == (
        "data: the process of rank 1 has other samples in train than that of rank 0, or in another order"
    )
    assert "sort what comes from a set" in str(order)
    fewer = refusal(iris, replace(iris, test=iris.validation), network())
    assert fewer.message == (
        "data: the process of rank 1 has other samples than that of rank 0: 108 in train, 12 in validation, "
        "12 in test; rank 0: 108 in train, 12 in validation, 30 in test"
    )
    names = refusal(iris, replace(iris, class_names=iris.class_names[::-1]), network())
    assert names.message == (
        "data: the process of rank 1 has other classes than that of rank 0: virginica, versicolor, setosa; "
        "rank 0: setosa, versicolor, virginica"
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (network(9), "0.weight is (9, 4) float32; rank 0: (8, 4) float32"),
        (network(frozen=True), "0.bias is (8,) float32, not trained; rank 0: (8,) float32"),
        (nn.Sequential(*network(), nn.Linear(3, 3)), "3.weight is (3, 3) float32; rank 0: none"),
    ],
    ids=["a shape", "a frozen weight", "one more layer"],
)
def test_other_networks_are_refused(iris: Dataset, other: nn.Module, said: str) -> None:
    error = refusal(iris, iris, other)
    assert error.message == f"model: the process of rank 1 has another network than that of rank 0: {said}"


def test_samples_that_one_process_cannot_read_end_all(iris: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a file that is on one of two machines only; nobody waits for facts that do not come."""

    def gone(*given: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "x.npy")

    said: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr("core.session.preflight.alike.fingerprint", gone)
        with pytest.raises(
            DataError, match=r"^data: x\.npy: No such file or directory\. It must be the same"
        ):
            alike(prepared(iris, network()), Heard(0, 2, said=said))
    assert len(said) == 1
    with pytest.raises(
        DataError, match=r"^data: x\.npy: No such file or directory \(in the process of rank 0\)"
    ):
        alike(prepared(iris, network()), Heard(1, 2, said=said))


def test_first_weights_are_those_of_the_first_process(iris: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = network(), network()
    weight = other.get_parameter("0.weight")
    weight.data = torch.ones_like(weight.t()).t()
    sent = iter([*dict(first.named_parameters()).values(), *dict(first.named_buffers()).values()])

    def broadcast(value: torch.Tensor, source: int) -> None:
        assert value.is_contiguous(), "Gloo takes no other"
        value.copy_(next(sent))

    monkeypatch.setattr(dist, "broadcast", broadcast)
    found = compared(iris, first, iris, other)
    assert [notice.message for notice in found.notices] == [
        "the network of each process began with other weights: all begin with those of the first"
    ]
    assert torch.equal(weight, first.get_parameter("0.weight"))
