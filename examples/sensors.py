"""Signals for `tui`: three movements, told apart by the rhythm of two of three sensors. Writes sensors.npz.

python examples/sensors.py
tui train --data sensors.npz --model cnn1d --optimizer adam --lr 0.003 --epochs 10
"""

from pathlib import Path

import numpy as np

MOVEMENTS = {"climbing": 2.0, "running": 5.0, "walking": 3.0}
"""Steps in the time of one recording."""


def write(folder: Path = Path(), samples: int = 600, steps: int = 64) -> Path:
    """Write recordings (samples, steps, 3 sensors) and the movement of each; return the file."""
    random = np.random.default_rng(0)
    names = np.array(list(MOVEMENTS))
    movement = np.arange(samples) % len(names)
    rhythm = np.array(list(MOVEMENTS.values()))[movement, None]
    angle = 2 * np.pi * (rhythm * np.arange(steps) / steps + random.random((samples, 1)))
    noise = random.normal(size=(samples, steps, 3))
    values = np.stack([np.sin(angle), 0.5 * np.cos(angle), np.zeros_like(angle)], axis=2) + 0.4 * noise
    values[:, :, 2] = 20 + 5 * values[:, :, 2]  # a thermometer, in another unit
    file = folder / "sensors.npz"
    np.savez(file, x=values.astype(np.float32), y=names[movement])
    return file


if __name__ == "__main__":
    write()
