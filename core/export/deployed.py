"""The network as other tools get it: raw values in, scores or numbers out."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.data.dataset import Dataset
from core.data.inputs import LENGTHS, InputField, Inputs, as_inputs
from core.data.kinds.registry import kind_of
from core.data.text.token_ids import TokenIds
from core.evaluation.values import Array
from core.losses.base import Scorer
from core.models.own.calling import call_network
from core.runs.folder import Run
from core.session.evaluation import decision_thresholds
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.session.session import Prepared

__all__ = ["Deployed", "deployed", "facts"]

FAR, TINY = 1e3, 1e-6
"""Deviations of a target's mean from 0 above which float32 would lose too much of its numbers; deviations below which
tools that simplify graphs take them for 0."""


class Deployed(nn.Module):
    """Preprocessing, network, and what makes scores of its outputs.

    Inputs are float32 (n, *sample_shape) in the unit of the data, or float64 where that loses digits. The answer is
    scores (n, classes), or numbers (n,), of several targets (n, k), in the unit of each.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    offset: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, model: nn.Module, data: Dataset, scorer: Scorer) -> None:
        super().__init__()
        self.model, self.scorer, self.ids = model, scorer, data.ids
        self.fields = data.fields
        self.known = data.vocabulary.known if isinstance(data.vocabulary, TokenIds) else None
        self.target = (data.target_mean, data.target_std) if task_of(data.task).targets == "numbers" else None
        scale = list(zip(data.target_mean, data.target_std, strict=True))
        self.wide = self.target is not None and any(
            abs(mean) > FAR * std or std < TINY for mean, std in scale
        )
        self.several = len(scale) > 1
        if self.wide:  # as tensors: the exporter to ONNX rounds plain numbers to float32
            for name, values in (("shift", [mean / std for mean, std in scale]), ("scale", data.target_std)):
                numbers = torch.tensor(values, dtype=torch.float64)
                self.register_buffer(name, numbers if self.several else numbers[0])
        elif self.several and self.target is not None:
            self.register_buffer("shift", torch.tensor(data.target_mean))
            self.register_buffer("scale", torch.tensor(data.target_std))
        self.register_buffer("mean", data.mean.clone().float())
        self.register_buffer("std", data.std.clone().float())
        columns = data.conditioning
        self.conditioned = columns is not None
        if columns is not None:
            for name in ("low", "high", "offset"):
                self.register_buffer(name, torch.from_numpy(getattr(columns, name)))

    def forward(self, inputs: Tensor, *others: Tensor) -> Tensor:
        if self.fields:
            outputs: Tensor = call_network(self.model, self._prepared((inputs, *others))).float()
        else:
            outputs = self.model(self._standardised(inputs)).float()
        scores = self.scorer.scores(outputs)
        if self.target is None:
            return scores
        if self.several:
            return (
                (scores.double() + self.shift) * self.scale if self.wide else scores * self.scale + self.shift
            )
        (mean,), (std,) = self.target
        numbers = scores.squeeze(1)
        return (numbers.double() + self.shift) * self.scale if self.wide else numbers * std + mean

    def _standardised(self, inputs: Tensor) -> Tensor:
        """Return the only input as the network gets it."""
        if self.conditioned:
            inputs = (inputs.clamp(self.low, self.high) - self.offset).float()
        if self.known is not None:
            inputs = torch.where((inputs >= 0) & (inputs < self.known), inputs, self.known)
        return inputs.long() if self.ids else (inputs - self.mean) / self.std

    def _prepared(self, given: tuple[Tensor, ...]) -> Inputs:
        """Return several inputs as the network gets them."""
        made = {field.name: field.prepared(each) for field, each in zip(self.fields, given, strict=False)}
        sequences = [field.name for field in self.fields if field.is_sequence]
        lengths = dict(zip(sequences, given[len(self.fields) :], strict=True))
        for name, of_one in lengths.items():
            values = made[name]
            mask = torch.arange(values.shape[1], device=values.device) < of_one[:, None]
            made[name] = values * mask.view(*mask.shape, *[1] * (values.ndim - 2))
        return as_inputs(made, lengths)


def deployed(trained: "Prepared") -> Deployed:
    """The trained network of a run, on the processor."""
    module = Deployed(trained.model, trained.data, trained.scorer)
    return module.to(torch.device("cpu")).eval()


def _input_name(field: InputField, fields: tuple[InputField, ...]) -> str:
    if isinstance(field.name, str):
        return field.name
    return "inputs" if len(fields) == 1 else f"input_{field.name}"


def _input_names(fields: tuple[InputField, ...]) -> list[str]:
    """Return the names of the inputs of the graph: each field, then the lengths of those that are sequences."""
    names = [_input_name(field, fields) for field in fields]
    sequences = [name for name, field in zip(names, fields, strict=True) if field.is_sequence]
    return [*names, *(f"{name}_{LENGTHS}" for name in sequences)]


def _type_of(field: InputField) -> str:
    """Return the type of an input of the graph, as `core.export.network` makes it."""
    if field.dtype.is_floating_point:
        return "float64" if field.dtype == torch.float64 else "float32"
    return (
        str(field.dtype).removeprefix("torch.") if field.dtype in (torch.bool, torch.complex64) else "int64"
    )


def _thresholds(chosen: Array | None, classes: int) -> dict[str, Any]:
    """Return the thresholds of labels, or from which score on the second of two classes is predicted."""
    if chosen is None:
        return {}
    return {"thresholds": chosen.tolist()} if len(chosen) == classes else {"positive_from": float(chosen[0])}


def facts(trained: "Prepared", run: Run) -> dict[str, Any]:
    """Return all facts beside the network as plain values: names, shapes, how a table becomes features."""
    data = trained.data
    names = () if task_of(data.task).own_step else data.class_names  # its outputs may be anything
    thresholds, _ = decision_thresholds(trained, run)
    return {
        "run": run.id,
        "kind": data.kind,
        "reads": kind_of(data.kind).reads,
        "statistics": kind_of(data.kind).statistics,
        "task": data.task,
        "sample_shape": list(data.sample_shape),
        "class_names": [name.encode(errors="backslashreplace").decode() for name in names],
        "target_names": list(data.target_names),
        **_thresholds(thresholds, len(names)),
        "features": list(data.feature_names),
        "inputs": _input_names(data.fields) or ["inputs"],
        "input_types": [_type_of(field) for field in data.fields],
        "sequences": [_input_name(field, data.fields) for field in data.fields if field.is_sequence],
        "dtype": "int64" if data.vocabulary else "float32" if data.conditioning is None else "float64",
        "documents": {"encoding": data.documents.encoding} if data.documents else None,
        "vocabulary": data.vocabulary.plain() if data.vocabulary else None,
        "table": data.table.deployed() if data.table else None,
        "places": list(data.sample.places),
        "value_range": list(data.value_range),
        "deep_range": list(data.deep_range) if data.deep_range else None,
    }
