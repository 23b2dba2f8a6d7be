"""Several labels a row for `tui`: made-up weather. Writes weather.csv, a column a label, and tags.csv, all in one.

python examples/labels.py
tui train --data weather.csv --set data.target='[rain, wind, fog, frost]' --epochs 30
tui train --data tags.csv --set data.target=tags --epochs 30
"""

import csv
import random
from pathlib import Path

LABELS = ["rain", "wind", "fog", "frost"]
MEASURED = ["temperature", "pressure", "humidity", "cloud"]


def day(chance: random.Random) -> tuple[list[float], list[int]]:
    """Return what was measured on a day, and which labels hold: none, one, or several."""
    temperature, pressure = chance.gauss(8, 8), chance.gauss(1013, 9)
    humidity, cloud = chance.uniform(30, 100), chance.uniform(0, 8)
    rain = cloud > 5 and humidity + chance.gauss(0, 8) > 65
    wind = pressure + chance.gauss(0, 3) < 1006
    fog = not wind and humidity + chance.gauss(0, 5) > 85
    frost = temperature + chance.gauss(0, 1) < 0
    values = [round(value, 1) for value in (temperature, pressure, humidity, cloud)]
    return values, [int(label) for label in (rain, wind, fog, frost)]


def write(folder: Path = Path(), samples: int = 1000) -> Path:
    """Write weather.csv and tags.csv; return the first."""
    chance = random.Random(0)
    days = [day(chance) for _ in range(samples)]
    file = folder / "weather.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow([*MEASURED, *LABELS])
        table.writerows([*measured, *held] for measured, held in days)
    with (folder / "tags.csv").open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow([*MEASURED, "tags"])
        for measured, held in days:
            tags = [label for label, holds in zip(LABELS, held, strict=True) if holds]
            table.writerow([*measured, "|".join(tags)])
    return file


if __name__ == "__main__":
    write()
