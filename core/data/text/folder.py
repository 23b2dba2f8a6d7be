"""Folders of texts: one folder for each class, maybe within train, validation and test."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut
from core.data.text.options import TokenOptions
from core.errors import DataError
from core.options import Files

if TYPE_CHECKING:
    from core.data.images.folder_names import SplitName

__all__ = ["TextFolder"]

MAX_PEEKED = 200
"""Files of a folder that are looked at to tell texts from images."""


class TextFolder(HeldOut, TokenOptions):
    """Your own texts: a folder for each class, with a text file for each sample."""

    MODEL: ClassVar[str] = "text_bag"
    name: Literal["text_folder"] = "text_folder"
    path: Annotated[str, Files(("/",))] = ""
    """The folder, with a folder for each class, maybe within train, val and test."""
    encoding: str = "auto"
    """The encoding of files that are not UTF-8, such as cp1252 or big5; auto looks at their bytes."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        path = Path(text).expanduser()
        try:
            return {"path": text} if path.is_dir() and _holds_texts(path) else None
        except OSError:
            return None

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.text.folder_samples import load_folder

        if not self.path:
            raise DataError("data.path: no folder is given", "Give a folder of text files, such as reviews/")
        return load_folder(self, progress)


def _holds_texts(path: Path) -> bool:
    """Return whether most files in the folders of a folder are texts."""
    from itertools import islice

    from core.data.text.documents import ENDINGS

    files = (
        file
        for inner in sorted(path.iterdir())
        if inner.is_dir() and not inner.name.startswith(".")
        for file in islice(inner.rglob("*"), MAX_PEEKED)
        if file.is_file() and not file.name.startswith(".")
    )
    endings = [file.suffix.lower() for file in islice(files, MAX_PEEKED)]
    return 2 * sum(ending in ENDINGS for ending in endings) > len(endings)


def parted(files: list[str]) -> "dict[str, tuple[SplitName, str]]":
    """Return the split and the class of each file, by its folders; without folders of splits all are of train.

    Raises:
        DataError: a file lies in no folder of a class.
    """
    from core.data.images.folder_names import split_of

    tops = {Path(file).parts[0] for file in files}
    named = {top: split_of(top) for top in tops}
    by_split = any(found is not None and found[0] == "train" and not found[1] for found in named.values())
    found: dict[str, tuple[SplitName, str]] = {}
    for file in files:
        parts = Path(file).parts
        split = named[parts[0]] if by_split else None
        if by_split and split is None:
            continue  # such as a readme beside train and test
        folders = parts[1:-1] if by_split else parts[:-1]
        if not folders:
            if len(parts) == 1:
                continue
            raise DataError(f"data.path: {file} lies in no folder of a class", "Give each class a folder")
        found[file] = (split[0] if split else "train", folders[0])
    return found
