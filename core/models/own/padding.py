"""Masks and lengths of padded sequences, passed to a network of the user's own by the names that it asks for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule

from core.data.dataset import Dataset
from core.data.inputs import LENGTHS, MASK, Fields, Inputs
from core.data.kinds.sample import Sample
from core.models.own.parameters import parameters_of

__all__ = ["asked", "named", "padding_notes", "pass_padding", "passed"]

DOCUMENTED = (MASK, LENGTHS, "attention_mask")
HOW_TO_GET = f"name a parameter of forward {MASK}, {LENGTHS} or attention_mask to get what tells them apart"


def _mask(mask: Tensor, lengths: Tensor) -> Tensor:
    return mask


def _ones(mask: Tensor, lengths: Tensor) -> Tensor:
    return mask.long()


def _padded(mask: Tensor, lengths: Tensor) -> Tensor:
    return ~mask


def _lengths(mask: Tensor, lengths: Tensor) -> Tensor:
    return lengths


FORMS: tuple[tuple[str, str, Callable[[Tensor, Tensor], Tensor]], ...] = (
    ("true where there are values", "mask input_mask token_mask tokens_mask sequence_mask seq_mask", _mask),
    ("1 where there are values", "attention_mask", _ones),
    (
        "true where nothing but padding is",
        "key_padding_mask src_key_padding_mask padding_mask pad_mask",
        _padded,
    ),
    (
        "lengths",
        "lengths length lens seq_lens seq_len seq_lengths seq_length sequence_lengths input_lengths text_lengths "
        "x_lengths x_lens src_lengths",
        _lengths,
    ),
)
"""Description, the names that ask for it, and the function that makes it of a mask (b, steps) and lengths (b,)."""
MAKERS = {name: (what, make) for what, names, make in FORMS for name in names.split()}


def asked(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that ask for the mask or the lengths of the only padded sequence."""
    return tuple(name for name in names if name in MAKERS)


def named(parameters: Iterable[str], inputs: Inputs) -> dict[str, Tensor]:
    """Return masks and lengths among inputs by other names that parameters have for them."""
    if not isinstance(inputs, dict):
        return {}
    names = [name for name in parameters if name not in inputs]
    found: dict[str, Tensor] = {}
    for stem in ("", *(f"{name}_" for name in inputs)) if names else ():
        mask, lengths = inputs.get(f"{stem}{MASK}"), inputs.get(f"{stem}{LENGTHS}")
        if mask is not None and lengths is not None:
            found |= {
                name: MAKERS[name.removeprefix(stem)][1](mask, lengths)
                for name in names
                if name.startswith(stem) and name.removeprefix(stem) in MAKERS
            }
    return found


def passed(network: nn.Module) -> frozenset[str]:
    """Return the names of the parameters that `pass_padding` fills."""
    return frozenset(network.__dict__.get("padding_arguments", ()))


def pass_padding(network: nn.Module, sample: Sample) -> None:
    """Let a network get the mask and the lengths of ids that are filled with one, wherever it is called.

    A sequence that holds nothing but padding has its first step, as recurrent layers and attention need one.
    """
    if sample.padding is None or isinstance(network, ScriptModule):
        return
    parameters = parameters_of(network)
    names = asked(parameters)
    if not names:
        return
    padding, field = sample.padding, sample.fields[0].name if sample.fields else None
    places = {name: place for place, name in enumerate(parameters)}

    def fill(module: nn.Module, given: tuple[Any, ...], by_name: dict[str, Any]) -> Any:
        missing = [name for name in names if name not in by_name and places[name] >= len(given)]
        ids = by_name.get(str(field), given[0] if given else next(iter(by_name.values()), None))
        ids = ids.get(field) if isinstance(ids, Mapping) else ids
        if not missing or not isinstance(ids, Tensor):
            return None
        mask, lengths = _mask_of(ids, padding)
        return given, {**by_name, **{name: MAKERS[name][1](mask, lengths) for name in missing}}

    network.__dict__["padding_arguments"] = names
    network.register_forward_pre_hook(fill, with_kwargs=True)


def padding_notes(network: nn.Module, data: Dataset) -> tuple[str, ...]:
    """Return a line on what a network gets of padding by names that may mean several things, or how to get it."""
    sequences = sum(field.is_sequence for field in data.fields)
    if not (sequences or data.padding is not None):
        return ()
    names = asked(parameters_of(network)) if sequences <= 1 else ()
    guessed = [f"{name} ({MAKERS[name][0]})" for name in names if name not in DOCUMENTED]
    if guessed:
        return (f"inputs: forward gets {', '.join(guessed)}; other names ask for {MASK} or {LENGTHS}",)
    if names or data.padding is None or not _is_padded(data, data.padding):
        return ()
    return (
        f"inputs: short sequences are filled with the id {data.padding}, and forward does not ask where; {HOW_TO_GET}",
    )


def _mask_of(ids: Tensor, padding: int) -> tuple[Tensor, Tensor]:
    """Return where ids (b, steps) are none that fill, bool (b, steps), and the steps up to the last one, int64 (b,)."""
    there = ids.ne(padding)
    steps = torch.arange(1, ids.shape[1] + 1, device=ids.device)
    lengths = (steps * there).amax(dim=1)
    return there | ((lengths == 0)[:, None] & (steps == 1)), lengths.clamp(min=1)


def _is_padded(data: Dataset, padding: int) -> bool:
    """Return whether some training sample is shorter than the longest one."""
    inputs = data.train.inputs
    ids = inputs.columns[data.fields[0].name] if isinstance(inputs, Fields) else inputs
    return not isinstance(ids, Tensor) or bool(ids[:, -1].eq(padding).any())
