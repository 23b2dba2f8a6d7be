"""A class for each pixel: images beside masks, in two folders. Finds discs and squares in noisy images:

python examples/own_masks.py
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tui.cli import main

SIDE, SAMPLES = 32, 120


def draw(folder: Path) -> None:
    """Write an image into one folder, and a mask of the same name into the other: 1 in a disc, 2 in a square."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(SAMPLES):
        mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
        for value in (1, 2):
            across, down = np.abs(rows - random.integers(6, 26)), np.abs(columns - random.integers(6, 26))
            shape = np.hypot(across, down) if value == 1 else np.maximum(across, down)
            mask[shape < random.integers(3, 7)] = value
        noise = random.normal(0, 30, (SIDE, SIDE, 3))
        image = 60 + noise + 90 * np.stack([mask == 1, mask == 2, mask == 0], axis=-1)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{number:03}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:03}.png")


if __name__ == "__main__":
    draw(Path("shapes"))
    choices = [
        *("--data", "shapes", "--model", "unet", "--epochs", "10"),
        *("--optimizer", "adam", "--lr", "0.01", "--batch-size", "16", "--set", "data.augment=[flip]"),
        *("--set", "model.depth=2", "--set", "model.width=8"),
    ]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
