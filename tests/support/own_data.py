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
    paths |= {"python": "own_data.py:make", "text_folder": "texts"}
    (folder / "own_data.py").write_text(OWN_CODE)
    write_texts(folder / "texts", labels)
    fields = {name: {"path": str(folder / path)} for name, path in paths.items()}
    return fields | {
        name: {"name": "arrays", "path": str(path), **more}
        for name, (path, more) in _variants(folder, measures, labels).items()
    }


def _variants(
    folder: Path, measures: np.ndarray, labels: np.ndarray
) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Write arrays of other kinds of samples and targets; return each file, and the fields beside its path."""
    rng = np.random.default_rng(1)
    rows = measures.T.astype(np.float32)
    waves = rng.normal(labels[:, None, None], 1, (SAMPLES, 2, 24)).astype(np.float32)
    ids = rng.integers(2 * labels[:, None], 2 * labels[:, None] + 4, (SAMPLES, 12))
    several = np.stack([labels > 4, labels % 2 == 0, labels < 3], axis=1).astype(np.uint8)
    found: dict[str, tuple[np.ndarray, np.ndarray, dict[str, Any]]] = {
        "labels": (rows, several, {}),
        "numbers": (rows, np.abs(rows) + 1, {"task": "regression"}),
        "signals": (waves, labels, {"shape": "signal"}),
        "tokens": (ids, labels, {"shape": "tokens"}),
    }
    for name, (inputs, targets, _) in found.items():
        np.savez(folder / f"{name}.npz", inputs=inputs, targets=targets)
    return {name: (folder / f"{name}.npz", more) for name, (_, _, more) in found.items()}


def write_texts(folder: Path, labels: np.ndarray) -> Path:
    """Write a text for each label into the folder of its class; its words tell the class."""
    for number, label in enumerate(labels.tolist()):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        (folder / str(label) / f"{number:05}.txt").write_text(f"the word{label} and text{number % 7}")
    return folder


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
