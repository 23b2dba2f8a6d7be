"""All simple models. To add one: write its function in a module of its own, and put it into the table."""

from collections.abc import Callable

from core.data.dataset import Dataset
from core.session.baselines.fitting import Fitted, ShouldStop
from core.session.baselines.models import boosting, constant, linear, neighbours
from core.session.baselines.samples import LearntSamples, are_collated, why_none
from core.session.baselines.sequences import all_inputs, bag, statistics

__all__ = ["MODELS", "names_for"]

Model = Callable[[LearntSamples, ShouldStop], Fitted]
MODELS: dict[str, tuple[str, Model]] = {
    "constant": ("majority class", constant),
    "boosting": ("gradient boosting", boosting),
    "linear": ("linear model", linear),
    "words": ("bag of words", bag),
    "statistics": ("channel statistics", statistics),
    "inputs": ("linear model", all_inputs),
    "neighbours": ("nearest neighbours", neighbours),
}
"""Title and function of each."""
FOR_TABLES = ("boosting", "linear")


def names_for(data: Dataset) -> list[str]:
    """Return the names of the models that fit data, from the one that fits all."""
    names = ["constant", *(FOR_TABLES if data.kind == "table" else ())]
    if data.vocabulary is not None:
        names.append("words")
    elif _are_signals(data):
        names.append("statistics")
    elif data.fields and not are_collated(data.train):
        names.append("inputs")
    return names if why_none(data) else [*names, "neighbours"]


def _are_signals(data: Dataset) -> bool:
    """Return whether samples are numbers of some channels over time, of one length or of several."""
    if not data.fields:
        return data.kind == "signal" and not data.ids
    (field, *others) = data.fields
    return field.is_sequence and not others and not field.dtype.is_complex
