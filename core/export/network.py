"""Shared by ONNX and PyTorch's own format: a graph of the whole network, checked on real samples."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.data.dataset import Progress
from core.errors import DependencyError, ModelError, TorchtuiError
from core.export import predict
from core.export.lengths import FILLED, Lengths, are_signals, sequences_of
from core.export.options import ExportOptions, largest_difference
from core.export.reasons import export_reason
from core.export.standalone import standalone
from core.session.evaluation import score_inputs, trained_model

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

    from core.runs.folder import Run
    from core.session.session import Prepared

__all__ = ["GraphOptions", "raw_inputs", "samples_of"]

CHECKED_SAMPLES = 256


class GraphOptions(ExportOptions):
    """Base of formats that hold a graph which needs none of our code."""

    title: ClassVar[str]
    """What the format is called."""

    def save(self, program: "ExportedProgram", path: Path, facts: dict[str, Any]) -> None:
        """Write the graph with its facts."""
        raise NotImplementedError

    @property
    def file_name(self) -> str:
        """Name of the model's file in its folder."""
        raise NotImplementedError

    def write(
        self, run: "Run", folder: Path, data_root: Path | None, progress: Progress, notes: list[str]
    ) -> float:
        trained = trained_model(run, data_root=data_root, progress=progress)
        inputs = samples_of(trained)
        own, raw = score_inputs(trained, inputs), raw_inputs(trained, inputs)
        path = folder / self.file_name
        (folder / "predict.py").write_text(standalone(Path(str(predict.__file__))), encoding="utf-8")
        signals = are_signals(trained.data)
        steps = trained.data.sample_shape[-1:] if signals else tuple(sequences_of(trained.data).values())
        for filled in (0, FILLED) if steps else ():
            try:
                return self._written(trained, run, path, raw, own, progress, (), filled)
            except Exception:  # whatever the tracer, or onnxruntime, meets in a network that counts its steps
                continue
        difference = self._written(trained, run, path, raw, own, progress, steps)
        if steps:
            what = "signals keep their" if signals else "sequences are filled up to"
            counts = ", ".join(f"{each:,}" for each in steps)
            notes.append(f"{what} {counts} steps: {type(self).title} keeps no other length")
        return difference

    def _written(
        self,
        trained: "Prepared",
        run: "Run",
        path: Path,
        raw: "tuple[Tensor, ...]",
        own: Any,
        progress: Progress,
        steps: tuple[int, ...],
        filled: int = 0,
    ) -> float:
        """Write the graph, read it again, and return the largest difference of its answers.

        Args:
            raw: samples as the graph takes them, of which `own` are the answers.
            steps: that each sequence is filled up to, or signals have; none for any length.
            filled: steps that the example has at least which is traced for any length.
        """
        import torch
        from torch.jit import ScriptModule

        from core.export.deployed import deployed, facts

        lengths = Lengths.of(trained.data, steps)
        progress("writing the graph", 0, 0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the tracer's own affairs
                program = _graph(trained, lengths.example(raw, filled), lengths.free)
                lengths = lengths.with_least(program, raw)
                self.save(program, path, facts(trained, run) | lengths.facts)
        except (TorchtuiError, OSError):
            raise
        except ImportError as error:
            raise DependencyError(
                f"a package for this format is not installed: {error.name}",
                f"Install it: pip install 'torchtui[{self.file_name.rpartition('.')[2]}]'",
            ) from None
        except Exception as error:  # whatever the tracer meets in a network of somebody's own
            scripted = any(isinstance(module, ScriptModule) for module in trained.model.modules())
            reason = "it is scripted, at least in part" if scripted else export_reason(error)
            raise ModelError(
                f"this network cannot be exported as a graph: {reason}",
                "Its weights alone can be: choose safetensors",
            ) from error
        progress("checking it on real samples", 0, 0)
        try:
            _, answer = predict.load(path)
            rows = [np.arange(len(own)), *lengths.different(raw)]  # the size of the batch is free
            answers = [
                answer(*(each.numpy() for each in lengths.fitted(tuple(part[some] for part in raw))))
                for some in rows
            ]
            others = [
                (answer(*(each.numpy() for each in some)), some) for some in lengths.of_other_lengths(raw)
            ]
        except TorchtuiError:
            raise
        except Exception as error:  # such as onnxruntime, which lacks operations in some types
            raise ModelError(
                f"the exported network does not run: {export_reason(error)}",
                "Nothing was written; choose another format",
            ) from error
        with torch.no_grad():
            network = deployed(trained)
            differences = [largest_difference(each, network(*some).numpy()) for each, some in others]
        pairs = zip(answers, rows, strict=True)
        return max([*differences, *(largest_difference(each, own[some]) for each, some in pairs)])


def samples_of(trained: "Prepared") -> "Tensor | Any":
    """Some samples of validation, or of training where nothing is held out; of several inputs their fields."""
    import torch

    splits = trained.data.splits
    split = splits["validation"] if len(splits["validation"]) else splits["train"]
    some = split.inputs[:CHECKED_SAMPLES]
    return some if trained.data.fields else torch.as_tensor(some)


def raw_inputs(trained: "Prepared", inputs: Any) -> "tuple[Tensor, ...]":
    """Return samples in the unit of the data, as the exported network takes them: one tensor for each input.

    Sequences are padded; their lengths, (n,) int64, follow all inputs.
    """
    data = trained.data
    if data.fields:
        from core.data.sequences import Ragged

        columns = [inputs.columns[field.name] for field in data.fields]
        padded = [column.padded() if isinstance(column, Ragged) else (column[:], None) for column in columns]
        lengths = [each for _, each in padded if each is not None]
        return (*(_widened(values) for values, _ in padded), *lengths)
    if data.vocabulary is not None:
        return (inputs.long(),)
    return (inputs.float() if data.conditioning is None else data.in_unit(inputs),)


def _widened(values: "Tensor") -> "Tensor":
    """Return numbers as float32, unless that loses digits, and whole ones as int64, which tools take best."""
    import torch

    if values.is_complex() or values.dtype in (torch.bool, torch.float64):
        return values
    return values.float() if values.is_floating_point() else values.long()


def _graph(trained: "Prepared", inputs: "tuple[Tensor, ...]", free: dict[int, int]) -> "ExportedProgram":
    """Return the graph for batches of any size.

    Args:
        free: places of the inputs whose sequences may have any length, and the dimension of their steps.
    """
    import torch

    from core.export.deployed import deployed
    from core.torch_private import any_steps

    example = tuple(each[:2] if len(each) > 1 else each.repeat(2, *[1] * (each.dim() - 1)) for each in inputs)
    size = torch.export.Dim("batch", min=1)
    shapes: tuple[Any, ...] = tuple(
        {0: size, free[place]: torch.export.Dim.DYNAMIC} if place in free else {0: size}
        for place in range(len(example))
    )
    if len(shapes) > 1:  # the first has a parameter of its own
        shapes = (shapes[0], shapes[1:])
    with any_steps():
        return torch.export.export(deployed(trained), example, dynamic_shapes=shapes)
