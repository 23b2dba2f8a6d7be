"""Your own arrays as data: an .npz file with `inputs` and `targets`. Classifies images of discs and squares:

python examples/own_arrays.py
"""

import sys
from pathlib import Path

import numpy as np

from tui.cli import main

SIDE, SAMPLES = 12, 600


def draw(path: Path) -> None:
    """Write (n, height, width) images of 0 to 255 and (n,) classes."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    targets = np.arange(SAMPLES) % 2
    centres = random.uniform(4, SIDE - 5, (SAMPLES, 2, 1, 1))
    across, down = np.abs(rows - centres[:, 0]), np.abs(columns - centres[:, 1])
    discs, squares = np.hypot(across, down) < 4, np.maximum(across, down) < 3.5
    shapes = np.where(targets[:, None, None], squares, discs)
    noise = random.integers(0, 100, shapes.shape)
    np.savez(path, inputs=(155 * shapes + noise).astype(np.uint8), targets=targets)


if __name__ == "__main__":
    file = Path("shapes.npz")
    draw(file)
    choices = ["--data", str(file), "--model", "cnn", "--optimizer", "adam", "--epochs", "10"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
