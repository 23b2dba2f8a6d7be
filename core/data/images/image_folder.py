"""Folders of images: labelled by their folders, by a table, or by their names."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.data.images.file_kinds import ARCHIVES, HEIC, ending_of
from core.data.images.folder_layout import Layout
from core.data.options import HeldOut, ImageOptions, TargetColumns
from core.data.stream.options import FeedOptions
from core.data.targets import AskedTask
from core.errors import DataError, DependencyError
from core.options import Files, Unit
from core.remedies import OTHER_DATA_ROOT

if TYPE_CHECKING:
    from core.data.images.folder_listing import Listing

__all__ = ["ImageFolder"]

PROBED = 200
"""Images whose headers give the size and the colour of all."""
MAX_SIZE = 224
"""Height and width in pixels that are not exceeded unless asked for."""


class ImageFolder(HeldOut, ImageOptions, FeedOptions):
    """Your own images: a folder for each class, or a table of file names and labels. Decoded once, or each time."""

    name: Literal["image_folder"] = "image_folder"
    preparation: ClassVar[str] = "not decoded yet; Start decodes the images once"
    path: Annotated[str, Files(("/", ".csv", ".tsv"))] = ""
    """The folder, with a folder for each class, maybe within train, val and test; or a table that labels images."""
    images: Annotated[str, Files(("/",))] = ""
    """The folder of the images that a table names; by default the table's own folder, with all folders in it."""
    target: TargetColumns = ""
    """The column of labels in a table, by default one called label, class and so on; or several, as in [red, green]."""
    pattern: str = ""
    """Where classes stand in names of files: {class}.{number} for cat.12.jpg; * stands for any text."""
    layout: Layout = "auto"
    """Meaning of the folders: classes, or nested for classes one level deeper; auto infers it and reports it."""
    task: AskedTask = "auto"
    """Kind of the labels in a table; auto infers classes, several labels an image, or numbers to predict."""
    size: Annotated[int, Field(ge=0, le=4096), Unit("pixels")] = 0
    """Height and width that images are brought to; 0 takes the usual ones of these images, up to 224."""
    colour: Literal["auto", "grey", "colour"] = "auto"
    """Channels: one of grey, or three of colour; auto takes grey where all are grey."""
    value_range: Annotated[tuple[float, ...], Field(max_length=2)] = ()
    """Values that become black and white in images of more than 8 bits, as in [0, 4095]; by default the bits in use."""
    on_error: Literal["error", "skip"] = "error"
    """What to do with images that cannot be read: refuse the data, or leave them out and report it."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        from core.data.images.label_files import is_label_file

        path = Path(text).expanduser()
        mine = path.is_dir() or is_label_file(text) or text.lower().endswith(ARCHIVES)
        return {"path": text} if mine else None

    @classmethod
    def claims(cls, fields: Mapping[str, Any]) -> bool:
        return fields.get("name") == "csv" and bool(fields.get("images"))

    def available(self, root: Path) -> bool:
        from core.data.images.decoding_job import is_small
        from core.data.images.folder_cache import cache_file
        from core.data.images.folder_survey import survey_file

        listing = self._listing()
        file = cache_file(root, listing, self._how())
        kept = [file] * (self.feed != "stream") + [survey_file(file)] * (self.feed != "resident")
        return is_small(listing) or any(path.is_file() for path in kept)

    def load(self, root: Path, progress: Progress) -> Dataset:
        import numpy as np

        from core.data.images.folder_cache import cache_file, decode, open_cache, why_streamed
        from core.data.images.folder_samples import dataset_of
        from core.data.images.folder_stream import streamed_folder
        from core.data.mapped import MappedRows

        listing = self._listing()
        file = cache_file(root, listing, self._how())
        if self.feed == "stream":
            why = "the images are streamed, as data.feed says: they are decoded anew in each epoch"
            return streamed_folder(listing, file, self, lambda: self._form(listing), progress, why)
        cached = open_cache(file)
        if cached is None:
            size, grey = self._form(listing)
            why = why_streamed(file, listing, size, grey) if self.feed == "auto" else ""
            if why:
                return streamed_folder(listing, file, self, lambda: (size, grey), progress, why)
            decode(file, listing, size, grey, self.values(), progress)
            cached = open_cache(file)
        if cached is None:
            raise DataError(f"{file} cannot be read, though it was just written", ("Give ", OTHER_DATA_ROOT))
        rows = MappedRows(cached.pictures, np.arange(len(listing.files)))
        return dataset_of(listing, cached, self, rows)

    def _listing(self) -> "Listing":
        from core.data.images.folder_listing import list_images
        from core.data.images.pictures import has_heic

        if not self.path:
            raise DataError("data.path: no folder is given", "Give a folder of images, such as photos/")
        listing = list_images(self)
        heic = [file for file in listing.files if ending_of(file) in HEIC]
        if heic and not has_heic():
            raise DependencyError(
                f"data.path: {len(heic):,} HEIC images need the package pillow-heif, which is not installed",
                "Install it: pip install 'torchtui[heic]'",
            )
        return listing

    def _how(self) -> str:
        """Text of all that the decoded images depend on beside the files."""
        return f"{self.size} {self.colour} {self.values()}"

    def values(self) -> tuple[float, float] | None:
        """Return what becomes black and white in images of more than 8 bits; None to infer it.

        Raises:
            DataError: it is no range.
        """
        if not self.value_range:
            return None
        if len(self.value_range) != 2 or self.value_range[0] >= self.value_range[1]:
            given = ", ".join(f"{value:g}" for value in self.value_range)
            raise DataError(f"data.value_range: got [{given}]", "It takes a smaller and a larger number")
        return self.value_range[0], self.value_range[1]

    def _form(self, listing: "Listing") -> tuple[tuple[int, int], bool]:
        """Height and width to bring images to, and whether they are grey, from some of them all over the folder."""
        from statistics import median_low

        from core.data.images.pictures import facts_of

        facts = []
        for file in listing.files[:: max(1, len(listing.files) // PROBED)]:
            try:
                facts.append(facts_of(listing.folder / file))
            except Exception:  # reported when it is decoded
                continue
        if not facts:
            return (self.size or 1, self.size or 1), self.colour == "grey"
        height, width = (min(MAX_SIZE, median_low(sizes)) for sizes in list(zip(*facts, strict=True))[:2])
        grey = all(is_grey for _, _, is_grey in facts) if self.colour == "auto" else self.colour == "grey"
        return (self.size or height, self.size or width), grey
