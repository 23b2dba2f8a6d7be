"""A folder of images beside a folder of masks."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.data.stream.options import FeedOptions
from core.errors import DataError
from core.options import Files, Unit

__all__ = ["MaskFolder"]


class MaskFolder(HeldOut, ImageOptions, FeedOptions):
    """Your own images with masks: a folder images beside a folder masks, PNG files whose values are classes."""

    MODEL: ClassVar[str] = "unet"
    name: Literal["mask_folder"] = "mask_folder"
    path: Annotated[str, Files(("/",))] = ""
    """The folder that holds both, maybe within train, val and test; an image and its mask have the same name."""
    classes: tuple[str, ...] = ()
    """Names of the classes 0, 1, ...; by default the values in the masks."""
    ignore: Annotated[int, Field(ge=-1, le=65535)] = 255
    """Value of pixels that count nowhere, unless it is one of only two; -1 for none."""
    size: Annotated[int, Field(ge=0, le=4096), Unit("pixels")] = 0
    """Height and width that images and masks are brought to; 0 takes the usual ones of these images, up to 256."""
    colour: Literal["auto", "grey", "colour"] = "auto"
    """Channels: one of grey, or three of colour; auto takes grey where all are grey."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        from core.data.masks.mask_files import has_masks

        path = Path(text).expanduser()
        try:
            return {"path": text} if path.is_dir() and has_masks(path) else None
        except OSError:
            return None

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.masks.mask_samples import load_masks

        if not self.path:
            raise DataError("data.path: no folder is given", "Give a folder with images and masks in it")
        folder = Path(self.path).expanduser()
        if not folder.is_dir():
            raise DataError(
                f"data.path: {folder} is not a folder", "Give a folder with images and masks in it"
            )
        return load_masks(self, folder, progress)
