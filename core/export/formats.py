"""All target formats. To add one: write its class in a module of its own, and put it into the union."""

from typing import Annotated

from pydantic import Field

from core.export.onnx import Onnx
from core.export.pt2 import Pt2
from core.export.safetensors import Safetensors
from core.export.tables import CsvTables

__all__ = ["FormatConfig"]

FormatConfig = Annotated[Onnx | Pt2 | Safetensors | CsvTables, Field(discriminator="name")]
