"""Your own table: a CSV with dates, categories and missing values; trained on, evaluated, and used on new rows.

python examples/own_table.py           # writes flats.csv, new_flats.csv and runs/ into the current folder
"""

import random
import subprocess
import sys
from pathlib import Path

random.seed(0)
rows = []
for number in range(400):
    rooms, town, year = (
        random.randint(1, 6),
        random.choice(["Graz", "Linz", "Wien"]),
        random.randint(2015, 2024),
    )
    price = 60_000 * rooms + {"Graz": 0, "Linz": 20_000, "Wien": 150_000}[town] + 9_000 * (year - 2015)
    sold = f"{year}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    rows.append(
        f"{number},{rooms if number % 9 else 'NA'},{town},{sold},{price + random.gauss(0, 9_000):.0f}"
    )
Path("flats.csv").write_text("\n".join(["id,rooms,town,sold,price", *rows]))
Path("new_flats.csv").write_text(
    "id,town,rooms,sold\nsmall,Linz,2,2024-05-01\nlarge,Wien,5,2024-05-01\n?,Graz,,2024-05-01\n"
)


def tui(*options: str) -> None:
    """Run the command line in place of ``tui``."""
    subprocess.run([sys.executable, "-m", "tui", *options], check=True)


adam = ["--optimizer", "adam", "--lr", "0.01"]
tui(
    "train",
    "--no-ui",
    "--data",
    "flats.csv",
    "--set",
    "data.target=price",
    *adam,
    "--epochs",
    "60",
    "--quiet",
)
tui("evaluate", "latest")
tui("predict", "latest", "new_flats.csv")
