"""Gradients layer by layer are those of autograd, bit for bit."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from core.config.training import Training
from core.data.batches import Batch
from core.training.gradients.layerwise import LayerwiseGradients, goes_by_layers
from core.training.step import Step, autograd_gradients

PLAIN = Training()
DEEP = nn.Sequential(
    *(nn.Flatten(), nn.Linear(12, 33), nn.ReLU(), nn.Linear(33, 8, bias=False)),
    *(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)),
)
NETWORKS = [
    nn.Sequential(nn.Linear(12, 3)),
    nn.Sequential(nn.Linear(12, 1), nn.ReLU(), nn.Linear(1, 3)),
    DEEP,
    *(
        nn.Sequential(nn.Linear(12, 9), layer, nn.Linear(9, 3))
        for layer in (nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.GELU("tanh"), nn.Dropout(0.3), nn.BatchNorm1d(9))
    ),
    nn.Sequential(
        nn.Linear(12, 9), nn.BatchNorm1d(9, momentum=0.3), nn.GELU(), nn.Dropout(0.5), nn.Linear(9, 3)
    ),
]

IMAGES = [
    nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(588, 3)),
    nn.Sequential(
        *(
            nn.Conv2d(2, 8, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 6, 3, bias=False),
            nn.Tanh(),
        ),
        *(
            nn.Dropout(0.2),
            nn.MaxPool2d(3, 2, 1),
            nn.Flatten(),
            nn.Linear(54, 9),
            nn.BatchNorm1d(9),
            nn.Linear(9, 3),
        ),
    ),
    nn.Sequential(
        *(
            nn.Conv2d(2, 4, 3, 2, 1, groups=2),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(4, 4, 2, dilation=2),
        ),
        *(nn.Flatten(), nn.ReLU(inplace=True), nn.Linear(16, 3)),
    ),
]


def smoothed(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs, targets, label_smoothing=0.1)


def weighted(outputs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    return (cross_entropy(outputs, targets, reduction="none") * weights).mean()


CLASSES, SHARES, NUMBERS = torch.arange(65) % 3, torch.rand(65, 3).softmax(1), torch.randn(65, 3)


def by_layers(network: nn.Sequential, loss: Callable[..., Tensor]) -> tuple[Step, Step]:
    """Both ways to compute gradients: by autograd, and by layers."""
    usual = autograd_gradients(PLAIN, network, loss)
    return usual, LayerwiseGradients(usual, network, loss)


def gradients(network: nn.Module, compute: Step, batch: Batch) -> list[Tensor]:
    """The loss, the outputs, the buffers, the next random number and the gradients of all weights after one batch."""
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    network.zero_grad()
    torch.manual_seed(1)
    loss, outputs = compute(batch)
    after = [buffer.clone() for buffer in network.buffers()]
    network.load_state_dict(before, strict=False)
    assert all(weight.grad is not None for weight in network.parameters())
    return [
        loss,
        outputs,
        *(*after, torch.rand(1)),
        *(weight.grad.clone() for weight in network.parameters() if weight.grad is not None),
    ]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [2, 32, 65])
@pytest.mark.parametrize(
    ("loss", "targets", "weights"),
    [
        (cross_entropy, CLASSES, None),
        (cross_entropy, SHARES, None),
        (smoothed, CLASSES, None),
        (mse_loss, NUMBERS, None),
        (weighted, CLASSES, torch.rand(65)),
    ],
)
def test_all_numbers_are_those_of_autograd(
    network: nn.Sequential, size: int, loss: Callable[..., Tensor], targets: Tensor, weights: Tensor | None
) -> None:
    batch = Batch(torch.randn(65, 12)[:size], targets[:size], None if weights is None else weights[:size])
    assert goes_by_layers(PLAIN, network, loss)
    usual, ours = (gradients(network, compute, batch) for compute in by_layers(network, loss))
    assert all(torch.equal(one, other) for one, other in zip(usual, ours, strict=True))


def test_images_are_flattened() -> None:
    batch = Batch(torch.randn(5, 3, 2, 2), CLASSES[:5])
    usual, ours = (gradients(DEEP, compute, batch) for compute in by_layers(DEEP, cross_entropy))
    assert all(torch.equal(one, other) for one, other in zip(usual, ours, strict=True))


@pytest.mark.parametrize("network", IMAGES)
@pytest.mark.parametrize("size", [2, 65])
def test_numbers_of_images_are_those_of_autograd(network: nn.Sequential, size: int) -> None:
    assert goes_by_layers(PLAIN, network, cross_entropy)
    batch = Batch(torch.randn(size, 2, 16, 16), CLASSES[:size])
    usual, ours = (gradients(network, compute, batch) for compute in by_layers(network, cross_entropy))
    assert all(torch.equal(one, other) for one, other in zip(usual, ours, strict=True))


def test_images_that_lie_otherwise_in_memory_are_left_to_autograd() -> None:
    asked: list[Batch] = []

    def usual(batch: Batch) -> tuple[Tensor, Tensor]:
        asked.append(batch)
        return torch.zeros(()), torch.zeros(2, 3)

    batch = Batch(torch.randn(2, 16, 16, 2).permute(0, 3, 1, 2), CLASSES[:2])
    LayerwiseGradients(usual, IMAGES[0], cross_entropy)(batch)
    assert asked == [batch]


def test_a_network_with_hooks_is_called_itself_while_it_has_them() -> None:
    network, seen = nn.Sequential(nn.Linear(12, 3)), []
    _, ours = by_layers(network, cross_entropy)
    hook = network[0].register_forward_hook(lambda *about: seen.append(about))
    ours(Batch(torch.randn(2, 12), CLASSES[:2]))
    hook.remove()
    ours(Batch(torch.randn(2, 12), CLASSES[:2]))
    assert len(seen) == 1


@pytest.mark.parametrize("network", NETWORKS[:3])
def test_batches_of_one_sample(network: nn.Sequential) -> None:
    batch = Batch(torch.randn(1, 12), CLASSES[:1])
    usual, ours = (gradients(network, compute, batch) for compute in by_layers(network, cross_entropy))
    assert all(torch.equal(one, other) for one, other in zip(usual, ours, strict=True))


@pytest.mark.parametrize(("size", "trains"), [(1, True), (4, False)])
def test_what_batch_normalisation_does_otherwise_is_left_to_autograd(size: int, trains: bool) -> None:
    network = nn.Sequential(nn.Linear(12, 9), nn.BatchNorm1d(9), nn.Linear(9, 3)).train(trains)
    asked: list[Batch] = []

    def usual(batch: Batch) -> tuple[Tensor, Tensor]:
        asked.append(batch)
        return torch.zeros(()), torch.zeros(size, 3)

    batch = Batch(torch.randn(size, 12), CLASSES[:size])
    LayerwiseGradients(usual, network, cross_entropy)(batch)
    assert asked == [batch]


def test_sequences_are_left_to_autograd() -> None:
    network = nn.Sequential(nn.Linear(4, 3))
    asked: list[Batch] = []

    def usual(batch: Batch) -> tuple[Tensor, Tensor]:
        asked.append(batch)
        return torch.zeros(()), torch.zeros(2, 3)

    batch = Batch(torch.randn(2, 5, 4), torch.zeros(2, 5, 3))
    LayerwiseGradients(usual, network, mse_loss)(batch)
    assert asked == [batch]


def frozen() -> nn.Sequential:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    return network


def tied() -> nn.Sequential:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    network[2].weight = network[0].weight
    return network


SHARED = nn.Linear(2, 2)


@pytest.mark.parametrize(
    "network",
    [
        *(frozen(), tied(), nn.Sequential(SHARED, nn.ReLU(), SHARED)),
        nn.Sequential(nn.ReLU(), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5, inplace=True), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, momentum=None), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2).double()),
        nn.Sequential(nn.Flatten(2), nn.Linear(2, 2)),
        nn.Sequential(nn.Flatten(), nn.Conv2d(1, 1, 2)),
        nn.Sequential(nn.Conv2d(1, 1, 2), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(1, 1, 2), nn.Flatten(2)),
        nn.Sequential(nn.Conv2d(1, 1, 2, padding="same"), nn.Flatten(), nn.Linear(2, 2)),
        nn.Sequential(nn.Conv2d(1, 1, 2, padding=1, padding_mode="reflect"), nn.Flatten(), nn.Linear(2, 2)),
        nn.Sequential(
            nn.Conv2d(2, 2, 2).to(memory_format=torch.channels_last), nn.Flatten(), nn.Linear(2, 2)
        ),
        nn.Sequential(),
    ],
)
def test_other_networks_are_left_to_autograd(network: nn.Sequential) -> None:
    assert not goes_by_layers(PLAIN, network, cross_entropy)


@pytest.mark.parametrize(
    "settings",
    [{"accumulate": 2, "batch_size": 4}, {"compile": True}, {"precision": "bf16"}, {"channels_last": True}],
)
def test_other_settings_are_left_to_autograd(settings: dict[str, object]) -> None:
    assert not goes_by_layers(Training.model_validate(settings), NETWORKS[0], cross_entropy)


class Changing(nn.Module):
    """A loss that changes the outputs that it is given, and reaches for a weight of the network."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.reached = [weight]

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        outputs *= 1.5
        return cross_entropy(outputs, targets) + 0.1 * self.reached[0].square().sum()


def test_a_loss_of_the_users_own_may_change_outputs_and_reach_for_weights() -> None:
    network = nn.Sequential(nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 3))
    loss = Changing(next(network.parameters()))
    assert goes_by_layers(PLAIN, network, loss)
    batch = Batch(torch.randn(65, 12), CLASSES)
    usual, ours = (gradients(network, compute, batch) for compute in by_layers(network, loss))
    assert all(torch.equal(one, other) for one, other in zip(usual, ours, strict=True))


class Weighing(nn.Module):
    """A loss with a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(outputs * self.scale, targets)


def test_a_loss_with_weights_is_left_to_autograd() -> None:
    assert not goes_by_layers(PLAIN, NETWORKS[0], Weighing())
