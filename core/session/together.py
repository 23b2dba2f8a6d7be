"""The models of several runs as one, which answers with the mean of their scores."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from core.data.inputs import Inputs
from core.errors import DataError
from core.losses.base import TargetFacts
from core.models.own.calling import call_network
from core.session.preparation import Prepared

__all__ = ["trained_together"]


class _Together(nn.Module):
    """Answers with the mean of the scores of its members, each of which gets the inputs as it asks for them."""

    takes_batches = True

    def __init__(self, members: Sequence[Prepared]) -> None:
        super().__init__()
        self.members = nn.ModuleList(member.model for member in members)
        self.scorers = [member.scorer for member in members]

    def forward(self, inputs: Inputs) -> Tensor:
        """Return scores (n, classes, ...), or numbers (n, k) in standardised units."""
        each = [
            scorer.scores(call_network(member, inputs).float())
            for scorer, member in zip(self.scorers, self.members, strict=True)
        ]
        return torch.stack(each).mean(0)


class _AsTheyAre:
    """The scorer of outputs that are scores already."""

    converts = False

    def __init__(self, probabilities: bool) -> None:
        self._probabilities = probabilities

    def gives_probabilities(self, targets: TargetFacts) -> bool:
        return self._probabilities

    def scores(self, outputs: Tensor) -> Tensor:
        return outputs


def trained_together(members: Sequence[Prepared]) -> Prepared:
    """Return the models of some runs as one, with the data of the first.

    Raises:
        DataError: the runs do not read the same data alike, or some give probabilities and others margins.
    """
    first = members[0]
    for other in members[1:]:
        if other.config.data != first.config.data:
            raise DataError(
                "these runs read their data differently, as folds do, so they have no network in common",
                "Predict or export them one by one",
            )
        if _gives_probabilities(other) != _gives_probabilities(first):
            raise DataError(
                "some of the runs give probabilities and others margins, as their losses differ",
                "Choose runs of one kind of loss",
            )
    device = first.device
    model = _Together([replace(member, model=member.model.to(device)) for member in members])
    data = replace(first.data, min_length=max(member.data.min_length for member in members))
    return replace(
        first,
        data=data,
        model=model.to(device).eval(),
        trained_scorer=_AsTheyAre(_gives_probabilities(first)),
    )


def _gives_probabilities(member: Prepared) -> bool:
    return member.scorer.gives_probabilities(member.data.target_facts)
