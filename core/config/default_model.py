"""The network of a configuration that names none, where what it is trained on is known only once it is loaded."""

from core.config.schema import TrainConfig, from_dict
from core.data.dataset import Dataset
from core.errors import ModelError
from core.models.options import ModelOptions
from core.models.registry import ModelConfig
from core.options import choices

__all__ = ["with_fitting_model"]

OTHERS = ("unet", "text_bag", "gru")
"""Networks for masks, for ids, and for sequences of different lengths, where the usual one takes none."""


def with_fitting_model(config: TrainConfig, data: Dataset) -> tuple[TrainConfig, str]:
    """Return a configuration whose network takes the data, and a line on it where it is another than the usual one.

    A network that the configuration names stays, whether it fits or not; in what is returned it is named.
    """
    if "model" in config.model_fields_set:
        return config, ""
    if _takes(config.model, data):
        return config.model_copy(update={"model": config.model}), ""
    known = choices(ModelConfig)
    name = next((name for name in OTHERS if _takes(known[name](), data)), "")  # type: ignore[arg-type]  # of the union
    if not name:
        return config, ""
    given = config.model_dump(mode="json", exclude_unset=True)
    return from_dict(
        {**given, "model": {"name": name}}
    ), f"model: {name}, which takes such data; model.name sets another"


def _takes(model: ModelOptions, data: Dataset) -> bool:
    try:
        model.ensure_takes(data.sample)
    except ModelError:
        return False
    return True
