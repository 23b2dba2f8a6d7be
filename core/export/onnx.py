"""ONNX: for onnxruntime and whatever else reads it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.errors import DependencyError
from core.export.network import GraphOptions

if TYPE_CHECKING:
    from torch.export import ExportedProgram

__all__ = ["Onnx"]


class Onnx(GraphOptions):
    """A graph for onnxruntime; raw values in, scores out, class names inside."""

    name: Literal["onnx"] = "onnx"

    title: ClassVar = "ONNX"

    @property
    def file_name(self) -> str:
        return "model.onnx"

    def save(self, program: "ExportedProgram", path: Path, facts: dict[str, Any]) -> None:
        try:
            import onnxruntime  # noqa: F401
            import onnxscript  # noqa: F401
        except ImportError as error:
            raise DependencyError(
                f"export to ONNX needs {error.name}, which is not installed",
                "Install it: pip install 'torchtui[onnx]'",
            ) from None
        import torch

        from core.torch_private import any_steps

        with any_steps():  # the exporter traces the graph once more
            written = torch.onnx.export(
                program, dynamo=True, input_names=facts["inputs"], output_names=["scores"], verbose=False
            )
        assert written is not None
        written.model.metadata_props["torchtui"] = json.dumps(facts)
        written.save(str(path))
