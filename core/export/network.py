"""Shared by ONNX and PyTorch's own format: a graph of the whole network, checked on real samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.dataset import Progress
from core.data.kinds.registry import kind_of
from core.errors import DependencyError, ModelError, TorchtuiError
from core.export import predict
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
MIN_STEPS = 2
"""Of sequences; graphs for any length take one of 1 for something else."""


class GraphOptions(ExportOptions):
    """Base of formats that hold a graph which needs none of our code."""

    def save(self, program: "ExportedProgram", path: Path, facts: dict[str, Any]) -> None:
        """Write the graph with its facts."""
        raise NotImplementedError

    @property
    def file_name(self) -> str:
        """Name of the model's file in its folder."""
        raise NotImplementedError

    def write(self, run: "Run", folder: Path, data_root: Path | None, progress: Progress) -> float:
        trained = trained_model(run, data_root=data_root, progress=progress)
        from torch.jit import ScriptModule

        from core.export.deployed import facts

        inputs = samples_of(trained)
        own, raw = score_inputs(trained, inputs), raw_inputs(trained, inputs)
        path = folder / self.file_name
        progress("writing the graph", 0, 0)
        try:
            program, steps = _traced(trained, raw)
            raw = _filled(trained, raw, steps)
            self.save(program, path, facts(trained, run) | {"steps": steps, "least": _least(trained, steps)})
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
        (folder / "predict.py").write_text(standalone(Path(str(predict.__file__))), encoding="utf-8")
        progress("checking it on real samples", 0, 0)
        try:
            _, answer = predict.load(path)
            one, all_at_once = (answer(*(each[:rows].numpy() for each in raw)) for rows in (1, None))
        except TorchtuiError:
            raise
        except Exception as error:  # such as onnxruntime, which lacks operations in some types
            raise ModelError(
                f"the exported network does not run: {export_reason(error)}",
                "Nothing was written; choose another format",
            ) from error
        # the size of the batch is free
        return max(largest_difference(one, own[:1]), largest_difference(all_at_once, own))


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


def _traced(trained: "Prepared", inputs: "tuple[Tensor, ...]") -> "tuple[ExportedProgram, list[int]]":
    """Return the graph for batches of any size, and the length that each sequence is filled up to.

    There are no such lengths where sequences may have any length, as the code of most networks allows.
    """
    longest = _sequences(trained)
    if not longest:
        return _graph(trained, inputs), []
    try:
        return _graph(trained, inputs, any_length=True), []
    except Exception:  # the tracer raises whatever it meets in a network that counts its steps
        steps = [*longest.values()]
        return _graph(trained, _filled(trained, inputs, steps)), steps


def _sequences(trained: "Prepared") -> dict[int, int]:
    """Return the places of inputs whose samples have different lengths, and the longest of each."""
    data = trained.data
    if data.padding is None:
        return {place: field.shape[0] for place, field in enumerate(data.fields) if field.is_sequence}
    varies = kind_of(data.kind).reads == "texts" and data.min_length < data.longest
    return {0: data.longest} if varies else {}


def _least(trained: "Prepared", steps: list[int]) -> int:
    """Return the steps that texts are filled up to at least; 0 where all have those of the longest one."""
    texts = trained.data.padding is not None and _sequences(trained)
    return max(MIN_STEPS, trained.data.min_length) if texts and not steps else 0


def _filled(trained: "Prepared", inputs: "tuple[Tensor, ...]", steps: list[int]) -> "tuple[Tensor, ...]":
    """Return inputs whose sequences are filled up to these lengths; as they are without any."""
    from torch.nn.functional import pad

    places = _sequences(trained)
    short = {place: length - inputs[place].shape[1] for place, length in zip(places, steps, strict=False)}
    return tuple(
        pad(each, (*[0] * (2 * each.ndim - 4), 0, short[place])) if place in short else each
        for place, each in enumerate(inputs)
    )


def _graph(
    trained: "Prepared", inputs: "tuple[Tensor, ...]", *, any_length: bool = False
) -> "ExportedProgram":
    """Return the graph for batches of any size.

    Args:
        any_length: sequences may have any length.
    """
    import torch

    from core.export.deployed import deployed

    example = tuple(each[:2] if len(each) > 1 else each.repeat(2, *[1] * (each.dim() - 1)) for each in inputs)
    size = torch.export.Dim("batch", min=1)
    free = _sequences(trained) if any_length else {}
    shapes: tuple[Any, ...] = tuple(
        {0: size, 1: torch.export.Dim.DYNAMIC} if place in free else {0: size}
        for place in range(len(example))
    )
    if len(shapes) > 1:  # the first has a parameter of its own
        shapes = (shapes[0], shapes[1:])
    return torch.export.export(deployed(trained), example, dynamic_shapes=shapes)
