"""Several numbers to predict at once, each in its own unit, from samples that are not equally sure.

python examples/panels.py           # writes panels.csv and runs/ into the current folder

Height in metres and mass in kilograms of panels; `sure` says how much each measurement counts.
"""

import random
import subprocess
import sys
from pathlib import Path

ROWS = 400


def write(folder: Path, rows: int) -> Path:
    """Write ``panels.csv``."""
    dice = random.Random(0)
    lines = ["width,layers,wood,height,mass,sure"]
    for _ in range(rows):
        width, layers, sure = dice.uniform(1, 4), dice.randint(1, 5), dice.choice([0.2, 1, 1])
        wood = dice.choice(["oak", "pine"])
        height = 0.4 * width + 0.1 * layers + dice.gauss(0, 0.02 / sure)
        mass = width * layers * {"oak": 21, "pine": 14}[wood] + dice.gauss(0, 2 / sure)
        lines.append(f"{width:.3f},{layers},{wood},{height:.4f},{mass:.2f},{sure}")
    path = folder / "panels.csv"
    path.write_text("\n".join(lines))
    return path


def tui(*options: str) -> None:
    """Run a command as one would type it."""
    subprocess.run([sys.executable, "-m", "tui", *options], check=True)


if __name__ == "__main__":
    write(Path(), ROWS)
    tui(
        *("train", "--no-ui", "--data", "panels.csv", "--epochs", "30"),
        *("--set", "data.target=[height,mass]", "--set", "data.weight=sure"),
    )
    tui("predict", "latest", "panels.csv", "--csv", "answers.csv")
