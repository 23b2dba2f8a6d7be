"""Images of a network's own validation, of which several processes each have some batches."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.data.dataset import Dataset
from core.data.stream.batches import batches_of
from core.runs.media.kinds import Text
from core.training.distributed import Group
from core.training.own.validation import validate_steps

CPU = torch.device("cpu")


class Rare(nn.Module):
    """Gives a text for each batch, and another one for batches that begin with one sample."""

    def __init__(self, wanted: Tensor) -> None:
        super().__init__()
        self.layer, self.wanted = nn.Linear(4, 3), wanted

    def training_step(self, batch: Any) -> Tensor:
        """The loss."""
        return cross_entropy(self.layer(batch[0]), batch[1])

    def validation_step(self, batch: Any) -> dict[str, Any]:
        """The loss, and texts."""
        given: dict[str, Any] = {"loss": self.training_step(batch), "each": Text("seen")}
        return given | ({"rare": Text("found")} if torch.equal(batch[0][0], self.wanted) else {})


@pytest.mark.parametrize(("rank", "elsewhere"), [(0, ("rare",)), (1, ())])
def test_names_that_only_other_processes_give_are_known(
    rank: int,
    elsewhere: tuple[str, ...],
    load_data: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second batch is the second process's."""
    data = load_data("iris")
    batches = batches_of(data.validation, data, CPU)
    second = next(batches.iterate(4, torch.arange(4, 8)))
    network = Rare(second.inputs[0])
    monkeypatch.setattr(Group, "gather", lambda self, own: [["each"], ["each", "rare"]])
    monkeypatch.setattr(Group, "sums_by_name", lambda self, values: values)
    measured = validate_steps(network, batches, 4, group=Group(rank, 2))
    assert measured is not None
    assert measured.elsewhere == elsewhere
    assert ("rare" in measured.media) == (rank == 1)
