"""Folders of images, a folder for each class."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.errors import DataError
from core.options import Files, Unit

if TYPE_CHECKING:
    from core.data.images.folder_listing import Listing

__all__ = ["ImageFolder"]

LOOKED_AT = 200
"""Images whose heads tell the size and the colour of all."""
LARGEST = 224
"""Size in pixels that is not exceeded unless asked for."""


class ImageFolder(HeldOut, ImageOptions):
    """Your own images: a folder for each class, maybe within train, val and test. Decoded once, then read at once."""

    name: Literal["image_folder"] = "image_folder"
    preparation: ClassVar[str] = "not decoded yet; Start decodes the images once"
    path: Annotated[str, Files(("/",))] = ""
    """The folder; the folders in it are the classes, or train, val and test with the classes in them."""
    size: Annotated[int, Field(ge=0, le=4096), Unit("pixels")] = 0
    """Height and width that images are brought to; 0 takes the usual ones of these images, up to 224."""
    colour: Literal["auto", "grey", "colour"] = "auto"
    """Channels: one of grey, or three of colour; auto takes grey where all are grey."""
    on_error: Literal["error", "skip"] = "error"
    """What to do with images that cannot be read: refuse the data, or leave them out and say so."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        return {"path": text} if Path(text).expanduser().is_dir() else super().fields_for(text)

    def available(self, root: Path) -> bool:
        from core.data.images.folder_cache import cache_file, is_small

        listing = self._listing()
        return is_small(listing) or cache_file(root, listing, self.size, self.colour).is_file()

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.images.folder_cache import cache_file, decode, open_cache
        from core.data.images.folder_samples import dataset_of

        listing = self._listing()
        file = cache_file(root, listing, self.size, self.colour)
        cached = open_cache(file)
        if cached is None:
            size, grey = self._form(listing)
            decode(file, listing, size, grey, progress)
            cached = open_cache(file)
        if cached is None:
            raise DataError(f"{file} cannot be read, though it was just written", "Give another --data-root")
        return dataset_of(listing, cached, self)

    def _listing(self) -> "Listing":
        from core.data.images.folder_listing import list_folder

        if not self.path:
            raise DataError("data.path: no folder is given", "Give a folder of images, as in --data photos/")
        return list_folder(Path(self.path).expanduser())

    def _form(self, listing: "Listing") -> tuple[tuple[int, int], bool]:
        """Height and width to bring images to, and whether they are grey, from some of them all over the folder."""
        from statistics import median_low

        from core.data.images.pictures import facts_of

        facts = []
        for file in listing.files[:: max(1, len(listing.files) // LOOKED_AT)]:
            try:
                facts.append(facts_of(listing.folder / file))
            except Exception:  # it is told when it is decoded
                continue
        if not facts:
            return (self.size or 1, self.size or 1), self.colour == "grey"
        height, width = (min(LARGEST, median_low(sizes)) for sizes in list(zip(*facts, strict=True))[:2])
        grey = all(is_grey for _, _, is_grey in facts) if self.colour == "auto" else self.colour == "grey"
        return (self.size or height, self.size or width), grey
