"""The options of a table from a file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut
from core.options import Files

__all__ = ["ENDINGS", "SEPARATORS", "Csv"]

SEPARATORS = {"auto": "auto", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ENDINGS = (".csv", ".tsv", ".parquet")


class Csv(HeldOut):
    """Your own table: a CSV, TSV or Parquet file with a row for each sample and a name for each column."""

    FIRST = ("path", "target", "task")
    name: Literal["csv"] = "csv"
    path: Annotated[str, Files(ENDINGS)] = ""
    """The file; its ending says whether it is CSV, TSV or Parquet."""
    target: str = ""
    """The column to predict; by default the one named target, label, class or y, or else the last one."""
    task: Literal["auto", "classification", "regression"] = "auto"
    """What the target holds: classes, or numbers for regression; auto looks at its values."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    categories: tuple[str, ...] = ()
    """Columns of numbers that stand for categories, such as postal codes."""
    max_categories: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Texts of one column that get a feature of their own; the others share one."""
    missing: tuple[str, ...] = ("?", "NA", "N/A", "#N/A", "NaN", "null", "none", "-", ".")
    """Texts that stand for a missing value; an empty field always does."""
    missing_target: Literal["error", "drop"] = "error"
    """What to do with rows whose target is missing."""
    test_path: Annotated[str, Files(ENDINGS)] = ""
    """Another file with the same columns to test on, in place of a part of the first."""
    separator: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto"
    """What stands between the fields of a text file; auto looks at its first line."""
    encoding: Literal["utf-8", "utf-16", "cp1252", "latin-1", "shift_jis", "gb18030"] = "utf-8"
    """The encoding of a text file."""
    header: bool = True
    """Whether the first line of a text file names the columns; else they are column_1, column_2 and so on."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        from core.data.images.label_files import is_label_file

        return None if is_label_file(text) else super().fields_for(text)

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.tables.load import load_table

        progress(f"reading {Path(self.path).name}", 0, 0)
        return load_table(self)
