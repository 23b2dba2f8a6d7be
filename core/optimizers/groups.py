"""Groups of weights by patterns of their names: with settings of their own, or frozen."""

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from core.errors import ConfigError, ModelError
from core.options import Options

if TYPE_CHECKING:
    from torch import nn

__all__ = ["WeightGroup", "divide", "freeze", "trainable"]

NEAR = 3
"""Names that a pattern without a match is compared with in its message."""


class WeightGroup(Options):
    """Settings of the weights whose names match a pattern; those not given are the optimizer's."""

    lr: Annotated[float, Field(ge=0)] | None = None
    """Their learning rate before the schedule; 0 freezes them."""
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    """Their weight decay."""
    freeze: bool = False
    """Leave them as they are."""

    @property
    def frozen(self) -> bool:
        """Return whether they do not change."""
        return self.freeze or self.lr == 0

    @property
    def settings(self) -> dict[str, float]:
        """Return what the group of an optimizer of PyTorch's has of its own."""
        given = {"lr": self.lr, "weight_decay": self.weight_decay}
        return {key: value for key, value in given.items() if value is not None}

    @model_serializer(mode="wrap")
    def _as_given(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            key: value for key, value in serialise(self).items() if value is not None and value is not False
        }


def freeze(model: "nn.Module", groups: Mapping[str, WeightGroup], *, more: bool = False) -> None:
    """Freeze the weights of `model` that are to be left as they are.

    Args:
        more: there are other weights, of a loss, that a pattern may be meant for.

    Raises:
        ConfigError: a pattern matches no weight.
    """
    names = [name for name, _ in model.named_parameters()]
    for pattern in groups:
        if not more and not any(fnmatchcase(name, pattern) for name in names):
            raise _without_match(pattern, names)
    for name, weight in model.named_parameters():
        group = _group_of(name, groups)
        if group is not None and group.frozen:
            weight.requires_grad_(False)


def divide(
    model: "nn.Module", groups: Mapping[str, WeightGroup]
) -> "list[tuple[dict[str, float], list[nn.Parameter]]]":
    """Return the weights that are not frozen with the settings of their group: first those of no pattern.

    A weight belongs to the first pattern that matches its name.

    Raises:
        ConfigError: a pattern matches no weight.
        ModelError: all weights are frozen.
    """
    freeze(model, groups)
    weights = trainable(model)
    if not groups:
        return [({}, weights)]
    members: dict[int, list[nn.Parameter]] = {id(None): [], **{id(group): [] for group in groups.values()}}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            members[id(_group_of(name, groups))].append(weight)
    settings = {id(None): {}, **{id(group): group.settings for group in groups.values()}}
    return [(settings[key], some) for key, some in members.items() if some]


def trainable(model: "nn.Module") -> "list[nn.Parameter]":
    """The weights of a model that are not frozen.

    Raises:
        ModelError: all of them are.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if not weights:
        raise ModelError("the model has no weights to train", "Leave at least its last layer unfrozen")
    return weights


def _group_of(name: str, groups: Mapping[str, WeightGroup]) -> WeightGroup | None:
    return next((group for pattern, group in groups.items() if fnmatchcase(name, pattern)), None)


def _without_match(pattern: str, names: list[str]) -> ConfigError:
    parts = [name.split(".") for name in names]
    prefixes = [".".join((*part[:depth], "*")) for part in parts for depth in range(1, len(part))]
    known = list(dict.fromkeys([*prefixes, *names]))
    near = get_close_matches(pattern, known, NEAR, cutoff=0.5) or known[:NEAR]
    return ConfigError(
        f"optimizer.groups: no weight has a name like '{pattern}'",
        f"Near names: {', '.join(near)}",
        field="optimizer.groups",
    )
