"""Folders of small images, and what the product lists of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from core.config import schema as configuration
from core.data.images.folder_listing import Listing, list_images
from core.data.images.image_folder import ImageFolder
from tests.support.narrow import instance

__all__ = ["list_of", "write"]


def write(root: Path, folders: Sequence[str], count: int = 4, name: str = "{at}.png") -> Path:
    """Write small images into each folder."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for at in range(count):
            Image.new("L", (2, 2), at).save(root / folder / name.format(at=at))
    return root


def list_of(path: Path, **fields: Any) -> Listing:
    config = configuration.from_dict({"data": {"name": "image_folder", "path": str(path), **fields}})
    return list_images(instance(ImageFolder, config.data))
