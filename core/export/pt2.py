"""PyTorch's own graph format, for torch.export.load and AOTInductor."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.export.network import GraphOptions

if TYPE_CHECKING:
    from torch.export import ExportedProgram

__all__ = ["Pt2"]


class Pt2(GraphOptions):
    """A graph for PyTorch that needs none of the network's code."""

    name: Literal["pt2"] = "pt2"

    title: ClassVar = "torch.export"

    @property
    def file_name(self) -> str:
        return "model.pt2"

    def save(self, program: "ExportedProgram", path: Path, facts: dict[str, Any]) -> None:
        import torch

        torch.export.save(program, str(path), extra_files={"torchtui.json": json.dumps(facts)})
