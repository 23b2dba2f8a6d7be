"""Arguments of a user's network that the data fills, by the names that people give them."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from core.data.kinds.sample import Sample

if TYPE_CHECKING:  # loads PyTorch, and every command reads the names above
    from core.data.inputs import InputField

__all__ = ["DOCUMENTED", "FILLED", "facts_of"]

NAMES: Mapping[str, tuple[str, str]] = {
    "in_features": (
        "in_features input_dim in_dim dim_in d_in n_features input_features",
        "num_features features input_size n_in n_inputs num_inputs",
    ),
    "in_channels": (
        "in_channels in_chans input_channels",
        "channels num_channels n_channels c_in",
    ),
    "num_classes": ("num_classes n_classes num_class n_class num_labels n_labels", "classes"),
    "outputs": (
        "outputs output_dim out_dim dim_out d_out num_outputs n_outputs",
        "out_features output_size n_out",
    ),
    "sample_shape": ("sample_shape input_shape in_shape", ""),
    "vocab_size": (
        "vocab_size vocabulary_size n_vocab num_embeddings",
        "num_tokens n_tokens vocab",
    ),
    "padding_idx": ("padding_idx pad_idx pad_id padding_id pad_token_id", ""),
    "max_length": ("", "max_length max_len seq_len seq_length sequence_length context_length"),
}
"""Fact of the data -> names that mean nothing else, and names that may: these are filled where they have no default."""
SEQUENCES = ("signal", "tokens", "text")
DOCUMENTED = tuple(NAMES)
FILLED: Mapping[str, bool] = {
    name: always
    for clear, vague in NAMES.values()
    for names, always in ((clear, True), (vague, False))
    for name in names.split()
}
"""Name -> whether it is filled also where it has a default."""


def facts_of(sample: Sample, outputs: int) -> dict[str, Any]:
    """Return the value of each name of `FILLED` that this data has.

    Of several inputs no number of features or channels; of texts beside other columns the features are these. The
    number of ids and the id that fills (None where none does) are those of tokens and texts, and the length, of the
    longest sample, also that of signals.
    """
    shapes = _shapes_of(sample.fields)
    known: dict[str, Any] = {
        "num_classes": outputs,
        "outputs": outputs,
        "sample_shape": shapes or sample.shape,
    }
    if shapes is None:
        known |= {"in_features": prod(sample.shape), "in_channels": (*sample.shape, 1)[0]}
    elif sample.features:
        known["in_features"] = sample.features
    if sample.vocabulary:
        known |= {"vocab_size": sample.vocabulary, "padding_idx": sample.padding}
    length = _length_of(sample)
    if length:
        known["max_length"] = length
    return {
        name: known[fact]
        for fact, (clear, vague) in NAMES.items()
        if fact in known
        for name in f"{clear} {vague}".split()
    }


def _shapes_of(fields: "tuple[InputField, ...]") -> Any:
    """Return the shapes of several inputs as a dict by name, or as a tuple in order; None for less than two."""
    if len(fields) < 2:
        return None
    if isinstance(fields[0].name, int):
        return tuple(field.shape for field in fields)
    return {field.name: field.shape for field in fields}


def _length_of(sample: Sample) -> int:
    """Return the steps of the longest sequence; 0 where samples are none."""
    if sample.fields:
        lengths = [field.shape[0] for field in sample.fields if field.is_sequence]
        return lengths[0] if len(lengths) == 1 else sample.fields[0].shape[0] if sample.vocabulary else 0
    return sample.shape[-1] if sample.kind in SEQUENCES else 0
