"""The options of a table from a file."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, TargetColumns
from core.data.stream.options import FeedOption
from core.data.targets import AskedTask
from core.data.text.options import TokenOptions
from core.files.reading import open_regular
from core.options import Files
from core.tasks.registry import task_of

if TYPE_CHECKING:
    import numpy as np

    from core.data.division.by import SplitBy

__all__ = ["SEPARATORS", "Csv"]

SEPARATORS = {"auto": "auto", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blank": " "}
PLAIN_SUFFIXES = (
    *(
        ".csv",
        ".tsv",
        ".txt",
        ".data",
        ".dat",
        ".tab",
        ".psv",
        ".parquet",
        ".pq",
        ".feather",
        ".arrow",
        ".ipc",
        ".avro",
    ),
    *(
        ".json",
        ".jsonl",
        ".ndjson",
        ".arff",
        ".sqlite",
        ".sqlite3",
        ".db",
        ".xlsx",
        ".xls",
        ".xlsm",
        ".ods",
        ".mat",
    ),
    *(".svm", ".svmlight", ".libsvm"),
)
PACKED = (".gz", ".bz2", ".xz", ".zst")
SUFFIXES = (*PLAIN_SUFFIXES, *PACKED, ".zip", ".tgz", ".tar")
MAX_PEEKED = 200
"""Files of an archive that are looked at to tell tables from images."""
NAMED = (
    *(
        ".pkl",
        ".pickle",
        ".joblib",
        ".dta",
        ".sav",
        ".sas7bdat",
        ".h5",
        ".hdf5",
        ".hdf",
        ".orc",
        ".html",
        ".htm",
    ),
    *(".xml", ".rds", ".rda", ".rdata", ".pt", ".pth"),
)
"""Files that are not read; the message says what converts them."""


def _yes_or_no(value: Any) -> Any:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


Answer = Annotated[Literal["auto", "yes", "no"], BeforeValidator(_yes_or_no)]


class Csv(HeldOut, TokenOptions, FeedOption):
    """Your own table: CSV, Parquet, Excel, JSON and others, with a row for each sample."""

    model_config = ConfigDict(coerce_numbers_to_str=True)  # columns and sheets are called 2021, too

    FIRST = ("path", "target", "task")
    ALSO_NAMED: ClassVar[tuple[str, ...]] = NAMED
    MODEL: ClassVar[str] = "tabular"
    name: Literal["csv"] = "csv"
    path: Annotated[str, Files(SUFFIXES)] = ""
    """The file, or a folder of files with the same columns; its ending says what it is."""
    target: TargetColumns = ""
    """The column to predict, by default one that stands out by its name; or several, as in [red, green]."""
    task: AskedTask = "auto"
    """What the target holds: classes, several labels a row, or numbers for regression; auto looks at its values."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    keep: tuple[str, ...] = ()
    """Columns of data.group, data.time and data.split that are learnt from all the same; by default they are not."""
    text: tuple[str, ...] = ()
    """Columns of texts to read word by word; by default one where there is nothing else to learn from."""
    categories: tuple[str, ...] = ()
    """Columns of numbers that stand for categories, such as postal codes."""
    numbers: tuple[str, ...] = ()
    """Columns that hold numbers though some of their values are none; those count as missing."""
    max_categories: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Texts of one column that get a feature of their own; the others share one."""
    scaling: Literal["standardise", "none"] = "standardise"
    """How numbers are scaled: to mean 0 and deviation 1 over train, heavy tails clipped; none changes nothing."""
    missing: tuple[str, ...] = (
        *("?", "NA", "N/A", "#N/A", "NaN", "null", "none", "-", "."),
        *("NaT", "<NA>", "[NULL]", "(null)", "\\N"),  # pandas, database tools, MySQL and Hive
    )
    """Texts and numbers that stand for a missing value, in any case; an empty field always does."""
    missing_target: Literal["auto", "drop", "error"] = "auto"
    """What to do with rows without a target: auto drops them unless they are many, or may be a class."""
    rare_classes: Literal["drop", "error"] = "drop"
    """What to do with classes of a single row."""
    test_path: Annotated[str, Files(SUFFIXES)] = ""
    """Another file with the same columns to test on, in place of a part of the first."""
    separator: Literal["auto", "comma", "semicolon", "tab", "pipe", "blank"] = "auto"
    """What separates the fields of a text file; auto looks at its lines."""
    decimal: Literal["auto", "point", "comma"] = "auto"
    """The decimal mark; auto looks at all numbers."""
    day_first: Answer = "auto"
    """Whether the day stands before the month in dates such as 05/04/2021; auto looks at all dates of a column."""
    encoding: str = "auto"
    """The encoding of a text file, such as utf-8, cp1252 or big5; auto looks at its bytes."""
    header: Answer = "auto"
    """Whether the first line of a text file names the columns; else they are column_1, column_2 and so on."""
    part: str = ""
    """The table of a database or the sheet of a workbook, where it has several."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        from core.data.images.file_kinds import ARCHIVES
        from core.data.images.label_files import is_label_file

        if is_label_file(text):
            return None
        lower = text.lower()
        packed = (plain + suffix for plain in PLAIN_SUFFIXES for suffix in (*PACKED, ".zip"))
        if lower.endswith((*PLAIN_SUFFIXES, *NAMED, *packed)):
            return {"path": text}
        path = Path(text).expanduser()
        try:
            if path.is_dir():
                from core.data.tables.files.folder import table_folder

                return {"path": text} if table_folder(path) else None
            other = lower.endswith((".npz", ".npy", ".py", ".yaml", ".yml"))
            if path.is_file() and not other and (not lower.endswith(ARCHIVES) or _packs_table(path)):
                return {"path": text}
        except OSError:
            return None
        return None

    def hold_out(
        self, targets: "np.ndarray", task: str, names: Sequence[str], by: "SplitBy"
    ) -> "tuple[np.ndarray, np.ndarray]":
        import numpy as np

        classes = task_of(task).strata(targets)
        if classes is None or by.groups is not None or by.times is not None:
            return super().hold_out(targets, task, names, by)
        alone = np.bincount(classes)[classes] == 1  # the other rows of the class are held out for the test
        rest = np.flatnonzero(~alone)
        kept, held_out = super().hold_out(targets[rest], task, names, by)
        return np.sort(np.concatenate([rest[kept], np.flatnonzero(alone)])), rest[held_out]

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.tables.load import load_table

        progress(f"reading {Path(self.path).name}", 0, 0)
        return load_table(self)


def _packs_table(path: Path) -> bool:
    """Return whether an archive holds tables rather than images."""
    import tarfile
    import zipfile
    import zlib

    from core.data.images.file_kinds import is_image

    try:
        with open_regular(path, follow_links=True) as file:
            if path.suffix.lower() == ".zip":
                with zipfile.ZipFile(file) as archive:
                    names = archive.namelist()
            else:
                with tarfile.open(fileobj=file) as archive_:
                    names = [member.name for member in islice(archive_, MAX_PEEKED)]
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError):
        return True
    return not any(map(is_image, names))
