"""All networks. To add one: write its options and `build` in a module of its own, and put it into the union."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.data.dataset import Dataset
from core.data.kinds.sample import Sample
from core.errors import ModelError, UserCodeError
from core.models.cnn import Cnn
from core.models.linear import Linear
from core.models.maps.unet import Unet
from core.models.mlp import Mlp
from core.models.own.python import Python
from core.models.resnet_small import ResnetSmall
from core.models.sequences.cnn1d import Cnn1d
from core.models.sequences.gru import Gru
from core.models.sequences.text_bag import TextBag
from core.models.sequences.transformer_small import TransformerSmall
from core.models.tables.residual_mlp import ResidualMlp
from core.models.tables.tabular import Tabular
from core.models.timm import Timm
from core.models.vit_small import VitSmall
from core.models.zoo import Zoo
from core.options import code_fields
from core.user_code.loading import load_object

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from core.models.summary import ModelSummary

__all__ = ["ModelConfig", "build", "outline", "rebuild"]

ModelConfig = Annotated[
    Linear
    | Mlp
    | Tabular
    | ResidualMlp
    | Cnn
    | ResnetSmall
    | VitSmall
    | Unet
    | Cnn1d
    | Gru
    | TransformerSmall
    | TextBag
    | Zoo
    | Timm
    | Python,
    Field(discriminator="name"),
]


def build(config: ModelConfig, data: Dataset, seed: int, outputs: int | None = None) -> "Module":
    """The network that `config` names, with weights drawn from `seed`, sized for `data`.

    Args:
        outputs: how many numbers it gives for one sample; by default as many as the data needs.

    Raises:
        ModelError: it cannot take this data.
    """
    from core.random_state import seed_torch

    _load_code(config)
    seed_torch(seed)
    return _built(config, data, outputs)


def rebuild(
    config: ModelConfig, data: Dataset, weights: "Mapping[str, Tensor]", outputs: int | None = None
) -> "Module":
    """The network that `config` names with given weights, sized for `data`.

    Draws no random numbers: a training running in another thread of this process stays repeatable.

    Args:
        outputs: as of `build`.

    Raises:
        ModelError: it cannot take this data.
        RuntimeError: the weights are those of another network.
    """
    _load_code(config)
    with _drawing_nothing(on_meta=config.on_meta):
        model = _built(config, data, outputs)
    model.load_state_dict(weights, assign=True)
    return model


def outline(
    config: ModelConfig,
    sample: Sample,
    outputs: int,
    freeze: "Callable[[Module], None]" = lambda model: None,
) -> "ModelSummary":
    """The layers of the network that `config` names; without memory for its weights, if it can be built without.

    Draws no random numbers; see `rebuild`.

    Args:
        freeze: freezes the weights that are not trained.

    Raises:
        ModelError: it does not fit.
        UserCodeError: it is the user's own, and fails.
    """

    def summary() -> "ModelSummary":
        model = config.build_for(sample, outputs)
        freeze(model)
        return _summary(model, sample, outputs)

    _load_code(config)
    try:
        with _drawing_nothing(on_meta=True):
            return summary()
    except (ModelError, UserCodeError, NotImplementedError):
        if config.on_meta:
            raise
    with _drawing_nothing(on_meta=False):
        return summary()


def _summary(model: "Module", sample: Sample, outputs: int) -> "ModelSummary":
    """The layers of a network on numbers, or on ids if it looks them up."""
    from core.models.own.ids import looks_up
    from core.models.summary import summarise

    try:
        return summarise(model, sample.shape, outputs, fields=sample.fields, places=sample.places)
    except (ModelError, UserCodeError):
        if sample.fields or not looks_up(model):
            raise
    return summarise(model, sample.shape, outputs, ids=True)


def _load_code(config: ModelConfig) -> None:
    """Run the user's file, if there is one, before weights are drawn: it may draw, seed or make tensors by itself."""
    for field in code_fields(type(config)):
        if getattr(config, field):
            load_object(getattr(config, field))


def _built(config: ModelConfig, data: Dataset, outputs: int | None) -> "Module":
    from core.models.copies import remember_builder

    build = partial(config.build_for, data.sample, outputs or data.outputs)
    model = build()
    remember_builder(model, build)
    return model


@contextmanager
def _drawing_nothing(*, on_meta: bool) -> Iterator[None]:
    """Context manager that restores the random state, so that building a network draws nothing."""
    import torch

    state = torch.get_rng_state()
    with torch.device("meta" if on_meta else "cpu"):
        try:
            yield
        finally:
            if not on_meta:
                torch.set_rng_state(state)
