"""Data and network of the processes of a run, compared before they train: each has prepared its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.data.dataset import Dataset
from core.data.fingerprint import fingerprint, same
from core.errors import DataError, ModelError
from core.events import Notice
from core.training.distributed import Group

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["alike"]

MAX_BYTES = 1 << 20
"""Of the samples of a split that are looked at; it is to be fast with any data."""
MAX_VALUES = 1 << 16
"""Of a weight that are looked at."""
SAME_DATA = (
    "It must be the same in each: sort what comes from a set or from listing a folder, seed what is random, choose "
    "nothing by the rank, and have the same files on every machine"
)


def alike(prepared: "Prepared", group: Group) -> "Prepared":
    """Return what this process prepared, once it is known to be what all have prepared; all must call it.

    First weights that differ become those of the first process.

    Raises:
        DataError: they have other samples, or in another order, or a process cannot read its own.
        ModelError: they have other networks.
    """
    if group.size == 1:
        return prepared
    told = group.gather(group.all_or_none(lambda: _facts(prepared)))
    _ensure_same_data([each.data for each in told])
    _ensure_same_network([each.shapes for each in told])
    if len({each.checksum for each in told}) == 1:
        return prepared
    with torch.no_grad():
        for value in _state(prepared.model).values():
            first = value.clone(memory_format=torch.contiguous_format)
            dist.broadcast(first, 0)
            if not torch.equal(first, value):  # writing to a view of few numbers is an error
                value.copy_(first)
    message = "the network of each process began with other weights: all begin with those of the first"
    return replace(prepared, notices=(*prepared.notices, Notice(level="warning", message=message)))


@dataclass(frozen=True)
class _Facts:
    """Facts about the data and the network that a process has prepared."""

    data: dict[str, Any]
    shapes: dict[str, str]
    checksum: int


def _facts(prepared: "Prepared") -> _Facts:
    """Return what is compared; samples are read for it, which may fail in one process alone."""
    try:
        data = _data_facts(prepared.data)
    except OSError as error:
        raise DataError(
            f"data: {error.filename or 'its files'}: {error.strerror or error}", SAME_DATA
        ) from error
    return _Facts(data, _shapes(prepared.model), _checksum(prepared.model))


def _data_facts(data: Dataset) -> dict[str, Any]:
    return {
        "classes": [*data.class_names],
        "samples": {name: len(split) for name, split in data.splits.items()},
        "fingerprint": fingerprint(data, MAX_BYTES),
    }


def _ensure_same_data(told: list[dict[str, Any]]) -> None:
    first = told[0]
    for rank, other in enumerate(told):
        for what in ("classes", "samples"):
            if other[what] != first[what]:
                here, there = (_worded(facts[what]) for facts in (first, other))
                raise DataError(
                    f"data: the process of rank {rank} has other {what} than that of rank 0: {there}; rank 0: {here}",
                    SAME_DATA,
                )
        parts = [
            name
            for name, its in other["fingerprint"].items()
            if not same({name: first["fingerprint"][name]}, {name: its})
        ]
        if parts:
            raise DataError(
                f"data: the process of rank {rank} has other samples in {parts[0]} than that of rank 0, or in another "
                "order",
                SAME_DATA,
            )


def _worded(facts: list[str] | dict[str, int]) -> str:
    """Return classes, or numbers of samples, as a text that is not too long."""
    texts = (
        facts
        if isinstance(facts, list)
        else [f"{count:,} in {name}" for name, count in facts.items() if count]
    )
    return ", ".join(texts[:5]) + (" ..." if len(texts) > 5 else "")


def _state(network: nn.Module) -> dict[str, Tensor]:
    """Return weights and buffers by name."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def _shapes(network: nn.Module) -> dict[str, str]:
    """Return shape and type of each weight and buffer by its name, in order, and which weights are trained."""
    return {
        name: f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        f"{'' if value.requires_grad else ', not trained'}"
        for name, value in _state(network).items()
    }


def _ensure_same_network(told: list[Mapping[str, str]]) -> None:
    for rank, other in enumerate(told):
        names = [name for name in {**told[0], **other} if told[0].get(name) != other.get(name)]
        if not names and [*other] == [*told[0]]:
            continue
        name = names[0] if names else next(a for a, b in zip(other, told[0], strict=True) if a != b)
        here, there = (
            shapes.get(name, "none") if names else "at another place" for shapes in (told[0], other)
        )
        raise ModelError(
            f"model: the process of rank {rank} has another network than that of rank 0: {name} is {there}; "
            f"rank 0: {here}",
            "It must be the same in each: choose nothing by the rank, or by samples that only one process has",
        )


def _checksum(network: nn.Module) -> int:
    """Return a number that tells first weights apart."""
    number = 0
    for value in _state(network).values():
        values = value.detach().flatten()
        some = values[:: max(1, len(values) // MAX_VALUES)].contiguous().cpu()
        number = crc32(some.view(torch.uint8).numpy().data, number)
    return number
