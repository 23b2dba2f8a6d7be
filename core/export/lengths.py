"""Lengths of the sequences that an exported graph takes: any, from a least one on, or one that all are filled up to.

Signals that all have one length are never filled: a graph takes them of any length from a least one on, or of theirs.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import Dataset
from core.data.kinds.registry import kind_of

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

__all__ = ["FILLED", "Lengths", "are_signals", "sequences_of"]

TIME = 2
"""Dimension of the steps of signals, (n, channels, time), that all have one length."""

LEAST = 2
"""Graphs for any length take one of 1 for something else."""
FILLED = 64
"""Steps up to which short sequences are filled where a graph takes no fewer, such as after layers that halve them."""


def sequences_of(data: Dataset) -> dict[int, int]:
    """Return the places of inputs whose samples have different lengths, and the longest of each."""
    if data.padding is None:
        return {place: field.shape[0] for place, field in enumerate(data.fields) if field.is_sequence}
    varies = kind_of(data.kind).reads == "texts" and data.min_length < data.longest
    return {0: data.longest} if varies else {}


def are_signals(data: Dataset) -> bool:
    """Return whether samples are signals of one length."""
    return data.kind == "signal" and not data.fields and not data.ids


@dataclass(frozen=True)
class Lengths:
    """Lengths of the sequences of a graph.

    Attributes:
        places: of the inputs that are sequences.
        steps: that each of them is filled up to; none where any length is taken.
        least: steps that a graph for any length takes.
        padding: the id that fills; None where lengths, (n,) each, follow all inputs.
        others: number of inputs before those.
        axis: dimension of their steps; `TIME` for signals of one length.
    """

    places: tuple[int, ...]
    steps: tuple[int, ...] = ()
    least: int = LEAST
    padding: int | None = None
    others: int = 0
    axis: int = 1

    @classmethod
    def of(cls, data: Dataset, steps: tuple[int, ...]) -> "Lengths":
        """Return those of a graph for this data that fills sequences up to so many steps, or takes any length."""
        if are_signals(data):
            return cls(() if steps else (0,), axis=TIME)
        least = max(LEAST, data.min_length)
        return cls(tuple(sequences_of(data)), steps, least, data.padding, len(data.fields))

    @property
    def free(self) -> dict[int, int]:
        """Return the places of the inputs that may have any length, and the dimension of their steps."""
        return {} if self.steps else dict.fromkeys(self.places, self.axis)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a reader of the graph has to know, fit for JSON."""
        least = self.least if self.free else 0
        if self.axis == TIME:
            return {"steps": [], "least": 0, "shortest_signal": least}
        return {"steps": list(self.steps), "least": least}

    def used(self, raw: "tuple[Tensor, ...]") -> "list[np.ndarray]":
        """Return the steps of each sample, (n,), of each sequence."""
        if self.padding is None:
            return [raw[self.others + place].numpy() for place in range(len(self.places))]
        there = (raw[0] != self.padding).numpy()
        return [(there * np.arange(1, there.shape[1] + 1)).max(axis=1, initial=0)]

    def fitted(self, raw: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        """Return samples whose sequences have as many steps as the longest of them, or as the graph has."""
        if not self.places or self.axis == TIME:
            return raw
        wanted = self.steps or tuple(max(self.least, int(used.max(initial=0))) for used in self.used(raw))
        made = list(raw)
        for place, steps in zip(self.places, wanted, strict=True):
            made[place] = _of_length(raw[place], steps, self.padding or 0)
        return tuple(made)

    def example(self, raw: "tuple[Tensor, ...]", steps: int) -> "tuple[Tensor, ...]":
        """Return samples to trace a network with, of so many steps at least: a graph of few is for these alone."""
        made = list(self.fitted(raw))
        for place, axis in self.free.items():
            part = made[place]
            short = steps - part.shape[axis]
            if short > 0 and axis == TIME:
                made[place] = part.repeat(1, 1, -(-steps // part.shape[axis]))
            elif short > 0:
                made[place] = _of_length(part, steps, self.padding or 0)
        return tuple(made)

    def different(self, raw: "tuple[Tensor, ...]") -> "list[np.ndarray]":
        """Return positions of samples to try alone: of the least, a middle and the greatest length, or the first."""
        if not self.free or self.axis == TIME:
            return [np.arange(1)]
        order = np.argsort(self.used(raw)[0], kind="stable")
        return [order[at : at + 1] for at in sorted({0, len(order) // 2, len(order) - 1})]

    def of_other_lengths(self, raw: "tuple[Tensor, ...]") -> "list[tuple[Tensor, ...]]":
        """Return signals of one length made shorter and longer, to try."""
        if not self.free or self.axis != TIME:
            return []
        import torch

        (signals,) = raw
        steps = signals.shape[TIME]
        half = signals[:, :, : (steps + 1) // 2]
        return [
            (some,) for some in (half, torch.cat([signals, half], TIME)) if some.shape[TIME] >= self.least
        ]

    def with_least(self, program: "ExportedProgram", raw: "tuple[Tensor, ...]") -> "Lengths":
        """Return the lengths with the least power of two that a graph takes, as layers that halve them have one."""
        if not self.free:
            return self
        import torch

        module, least = program.module(), LEAST
        longest = max(raw[place].shape[self.axis] for place in self.places)
        longest = longest if self.axis == TIME else max(longest, FILLED)  # signals are never filled
        one = tuple(part[:1] for part in raw)
        while least < longest:
            with torch.no_grad():
                try:
                    module(*self._cut(one, least))
                    break
                except Exception:  # a guard of the graph, or whatever a layer raises on a short sequence
                    least *= 2
        return replace(self, least=max(least, self.least))

    def _cut(self, raw: "tuple[Tensor, ...]", steps: int) -> "list[Tensor]":
        """Return samples with sequences of so many steps."""
        if self.axis == TIME:
            return [part[:, :, :steps] for part in raw]
        made = [
            _of_length(part, steps, self.padding or 0) if place in self.places else part
            for place, part in enumerate(raw)
        ]
        if self.padding is None:
            made[self.others :] = [each.clamp(max=steps) for each in made[self.others :]]
        return made


def _of_length(values: "Tensor", steps: int, padding: int) -> "Tensor":
    """Return sequences (n, steps, ...), cut or filled."""
    short = max(0, steps - values.shape[1])
    filled = values.new_full((len(values), short, *values.shape[2:]), padding)
    import torch

    return torch.cat([values[:, :steps], filled], dim=1)
