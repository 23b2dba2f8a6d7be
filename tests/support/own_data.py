"""Small files of a person's own, for every kind of source that takes one."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.vision_files import SAMPLES, images_of

OWN_CODE = """
import numpy as np
from pathlib import Path

def make():
    with np.load(Path(__file__).with_name("own.npz")) as arrays:
        return arrays["images"], arrays["labels"]
"""

__all__ = ["write_image_folder", "write_masks", "write_own_data"]


def write_own_data(folder: Path) -> dict[str, dict[str, Any]]:
    """Write a file for each source that reads one, 300 samples of ten classes in each.

    Returns:
        The fields that name it, by the name of the source.
    """
    labels = np.arange(SAMPLES) % 10
    np.savez(folder / "own.npz", images=images_of(labels, (20, 20)), labels=labels)
    measures = np.random.default_rng(0).normal(labels, 1, (2, SAMPLES))
    rows = [f"{x:.4f},{y:.4f},{label}" for x, y, label in zip(*measures, labels, strict=True)]
    (folder / "csv.csv").write_text("\n".join(["length,width,kind", *rows]))
    write_image_folder(folder / "pictures", images_of(labels, (20, 20)), labels)
    write_masks(folder / "masked", images_of(labels, (20, 20)))
    paths = {"mask_folder": "masked", "arrays": "own.npz", "csv": "csv.csv", "image_folder": "pictures"}
    paths["python"] = "own_data.py:make"
    (folder / "own_data.py").write_text(OWN_CODE)
    return {name: {"path": str(folder / path)} for name, path in paths.items()}


def write_masks(folder: Path, images: np.ndarray) -> Path:
    """Write a PNG for each image (n, h, w), and a mask beside it whose class 1 are its bright pixels."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "images" / f"{number:05}.png")
        Image.fromarray((image > image.mean()).astype(np.uint8)).save(folder / "masks" / f"{number:05}.png")
    return folder


def write_image_folder(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """Write a PNG for each image (n, h, w) or (n, h, w, 3) into the folder of its class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{number:05}.png")
    return folder
